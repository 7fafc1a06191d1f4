//! Limits of topics, queues and subscriptions as clients may ask for them, with their unit in their name: those of
//! Tencent CMQ. Counts of things are in `kernel::limits`, sizes of requests in `wire::limits`.

use std::ops::RangeInclusive;

/// Characters of a name.
pub(in crate::api) const NAME_CHARS: usize = 64;
/// Messages that a queue may be made to hold at most.
pub(in crate::api) const HEAP_MESSAGES: RangeInclusive<u64> = 1_000_000..=1_000_000_000;
/// Messages that a queue holds at most unless told otherwise.
pub(in crate::api) const HEAP_MESSAGES_DEFAULT: u64 = 100_000_000;
/// How long a receive may wait, in seconds.
pub(in crate::api) const POLL_S: u64 = 30;
/// How long a received message may be hidden, in seconds.
pub(in crate::api) const VISIBILITY_S: RangeInclusive<u64> = 1..=43_200;
/// How long a received message is hidden unless told otherwise, in seconds.
pub(in crate::api) const VISIBILITY_DEFAULT_S: u64 = 30;
/// Bytes that the largest message of a queue or topic may be set to.
pub(in crate::api) const MESSAGE_BYTES: RangeInclusive<u64> = 1_024..=1_048_576;
/// Bytes of the largest message of a queue or topic unless told otherwise.
pub(in crate::api) const MESSAGE_DEFAULT_BYTES: u64 = 65_536;
/// Bytes of all messages of one request together.
pub(in crate::api) const BATCH_BYTES: usize = 1_048_576;
/// How long a queue may keep a message, in seconds.
pub(in crate::api) const QUEUE_RETENTION_S: RangeInclusive<u64> = 30..=1_296_000;
/// How far back a queue may be set, in seconds; not further than it keeps messages.
pub(in crate::api) const REWIND_S: RangeInclusive<u64> = 0..=1_296_000;
/// How often a message may be received at most before it becomes a dead letter.
pub(in crate::api) const DEAD_RECEIVES: RangeInclusive<u64> = 1..=1_000;
/// How old a message may be at most before it becomes a dead letter, in seconds.
pub(in crate::api) const DEAD_AGE_S: RangeInclusive<u64> = 300..=43_200;
/// Megabytes of deleted messages that a queue may keep to be set back to.
pub(in crate::api) const KEPT_MB: RangeInclusive<u64> = 10_240..=512_000;
/// How long a topic may keep a message, in seconds.
pub(in crate::api) const TOPIC_RETENTION_S: RangeInclusive<u64> = 60..=1_296_000;
/// How long a topic keeps a message unless told otherwise, in seconds.
pub(in crate::api) const TOPIC_RETENTION_DEFAULT_S: u64 = 86_400;
/// How long a message may be delayed, in seconds.
pub(in crate::api) const DELAY_S: u64 = 3_600;
/// Characters of a tag.
pub(in crate::api) const TAG_CHARS: usize = 16;
/// Bytes of a routing or binding key.
pub(in crate::api) const KEY_BYTES: usize = 64;
/// Dots in a routing or binding key.
pub(in crate::api) const KEY_DOTS: usize = 15;
/// Characters of an endpoint's address.
pub(in crate::api) const ENDPOINT_CHARS: usize = 500;
/// Things on a page unless told otherwise.
pub(in crate::api) const PAGE_DEFAULT: u64 = 20;
/// Queues or topics on a page.
pub(in crate::api) const PAGE: u64 = 50;
/// Subscriptions on a page.
pub(in crate::api) const SUBSCRIPTION_PAGE: u64 = 100;
