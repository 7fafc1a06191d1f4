//! Every limit of what users may store, with its unit in its name (ARCHITECTURE.md, invariant 6).
//! Limits of bodies and windows on the wire are in `wire::limits`.

/// Instances of one task.
pub const TASK_INSTANCES: u64 = 1_000_000;
/// Tasks of one job.
pub const JOB_TASKS: usize = 1_000;
/// Edges of one job's graph.
pub const JOB_DEPENDENCES: usize = 10_000;
/// Characters of a job's, task's or environment's name.
pub const NAME_CHARS: usize = 60;
/// Characters of a description.
pub const DESCRIPTION_CHARS: usize = 200;
/// Highest priority of a job.
pub const PRIORITY: u64 = 100;
/// Retries of an instance.
pub const RETRIES: u64 = 100;
/// Longest run, and its default, in seconds.
pub const TIMEOUT_S: u64 = 30 * 86_400;
/// A run's default time, in seconds.
pub const TIMEOUT_DEFAULT_S: u64 = 86_400;
/// Bytes of a command.
pub const COMMAND_BYTES: usize = 64 * 1024;
/// Environment variables of a task.
pub const TASK_ENV_VARS: usize = 200;
/// Bytes of an environment variable's value.
pub const ENV_VAR_BYTES: usize = 32 * 1024;
/// Commands of a task.
pub const TASK_COMMANDS: usize = 100;
/// Input or output mappings of a task or environment.
pub const MAPPINGS: usize = 100;
/// Bytes of a path on a node, and of an address of remote storage.
pub const PATH_BYTES: usize = 2_048;
/// Workers that copy a task's outputs.
pub const UPLOAD_WORKERS: u64 = 64;
/// MiB of a part of an upload.
pub const UPLOAD_PART_MB: u64 = 256;
/// Bytes of an image's, registry's or registry user's name, or of a password.
pub const REGISTRY_BYTES: usize = 1_024;
/// Tries to pull an image, beyond the first.
pub const PULL_RETRIES: u64 = 100;
/// Seconds between two tries to pull an image.
pub const PULL_PAUSE_S: u64 = 3_600;
/// Bytes of the options of a container.
pub const CONTAINER_OPTION_BYTES: usize = 8 * 1_024;
/// Bytes of either half of a key for object storage.
pub const STORAGE_KEY_BYTES: usize = 256;
/// Bytes of the name of a file that output is copied to.
pub const REDIRECT_NAME_BYTES: usize = 200;
/// Task templates of an installation.
pub const TEMPLATES: u64 = 10_000;
/// Task templates of an installation unless its settings say otherwise (Tencent Batch: 50).
pub const TEMPLATES_DEFAULT: u64 = 50;
/// Tags of a job, task template or environment.
pub const TAGS: usize = 10;
/// Notification entries of a job or environment.
pub const NOTIFICATIONS: usize = 32;
/// Pairs a notification adds to its events.
pub const EVENT_VARS: usize = 20;
/// Bytes of such a pair's name.
pub const EVENT_VAR_NAME_BYTES: usize = 64;
/// Bytes of such a pair's value.
pub const EVENT_VAR_VALUE_BYTES: usize = 1_024;
/// Bytes of a state's reason; longer ones are cut.
pub const REASON_BYTES: usize = 1_024;
/// Nodes of an environment.
pub const ENV_NODES: u64 = 2_000;
/// Environments, topics and queues of an installation.
pub const ENVS: usize = 10_000;
/// Key pairs of an installation, beside its own.
pub const ACCESS_KEYS: usize = 1_000;
/// Characters of a key pair's note.
pub const ACCESS_NOTE_CHARS: usize = 200;
/// Patterns of a key pair's scope, for each kind of thing.
pub const SCOPE_PATTERNS: usize = 50;
/// Characters of such a pattern.
pub const SCOPE_PATTERN_CHARS: usize = 64;
/// Calls a second that a key pair may be bounded to.
pub const CALLS_PER_S: u32 = 1_000_000;
/// Seconds that the old secret of a key pair stays valid after a rotation, unless that says otherwise.
pub const ACCESS_OVERLAP_DEFAULT_S: u64 = 86_400;
/// Seconds that it may stay valid.
pub const ACCESS_OVERLAP_S: u64 = 30 * 86_400;
/// Tokens that nobody has joined with.
pub const JOIN_TOKENS: usize = 100;
/// Seconds that such a token is good, unless asked otherwise.
pub const JOIN_TOKEN_DEFAULT_S: u64 = 3_600;
/// Seconds that it may be good.
pub const JOIN_TOKEN_S: u64 = 7 * 86_400;
/// Machines of others that have joined.
pub const MACHINES: usize = 1_000;
/// Topics of an installation.
pub const TOPICS: usize = 10_000;
/// Queues of an installation.
pub const QUEUES: usize = 10_000;
/// Subscriptions of a topic.
pub const SUBSCRIPTIONS: usize = 1_000;
/// Instances that one commit changes because of one intent.
pub const SWEEP_INSTANCES: usize = 1_000;
/// Ranges of a task's instances without rows; failed ones that would make it more wait until others are placed.
pub const BULK_RANGES: usize = 1_024;
/// Jobs of which one commit looks why nothing of them runs.
pub const BLOCKED_LOOKS: usize = 64;
/// Instances that one commit places.
pub const PLACE_INSTANCES: usize = 512;
/// Instances a node is given ahead of its slots.
pub const NODE_AHEAD: usize = 32;
/// How much work, in milliseconds, a node is given ahead of its slots.
pub const NODE_AHEAD_MS: u64 = 100;
/// How long an instance waits behind a busy slot, in milliseconds, before an idle node may take it over.
pub const NODE_AHEAD_PATIENCE_MS: u64 = 500;
/// Slots of one node.
pub const NODE_SLOTS: u32 = 1_024;
/// Re-creations of a node, and the default.
pub const NODE_RECREATIONS: u64 = 100;
/// Re-creations of a node unless the environment says otherwise.
pub const NODE_RECREATIONS_DEFAULT: u64 = 7;
/// A node that has run this long, in milliseconds, has its re-creations counted anew.
pub const NODE_SETTLED_MS: u64 = 600_000;
/// How long nothing of a job runs, in seconds, before those who asked are told why, unless a setting says otherwise.
pub const BLOCKED_AFTER_S: u64 = 10;
/// Longest pause between two runs of an instance, and between two makings of a node, in seconds, unless a setting says
/// otherwise.
pub const RETRY_PAUSE_DEFAULT_S: u64 = 60;
/// What that setting may be, in seconds.
pub const RETRY_PAUSE_S: u64 = 86_400;
/// How long the making of a node of a task's own pauses before the `tries`-th further try, in seconds (Tencent Batch,
/// `Task.ResourceMaxRetryCount`).
#[must_use]
pub fn creation_pause_s(tries: u64) -> u64 {
    match tries {
        0..=3 => 600,
        4..=10 => 900,
        11..=50 => 1_800,
        _ => 3_600,
    }
}
/// How long a node for which the provider has no place waits before it asks again, in seconds.
pub const PLACE_PAUSE_S: u64 = 1;
/// Samples of one run that are kept.
pub const RUN_SAMPLES: u32 = 4_096;
/// Attempts of an instance of which samples are kept, the last ones.
pub const SAMPLED_ATTEMPTS: u32 = 16;
/// Disks of a node that a sample tells of.
pub const SAMPLE_DISKS: usize = 16;
/// How long a ClientToken is remembered, in milliseconds.
pub const CLIENT_TOKEN_MS: u64 = 86_400_000;
/// Characters of a ClientToken.
pub const CLIENT_TOKEN_CHARS: usize = 64;
/// Queues whose dead letters one queue takes.
pub const DEAD_LETTER_SOURCES: usize = 6;
/// Dead letters that one receive moves, and one look at the head of a queue.
pub const DEAD_LETTERS_AT_ONCE: usize = 256;
/// Deleted messages that one commit brings back.
pub const REWIND_MESSAGES: usize = 1_000;
/// Messages that one commit copies to one queue.
pub const FAN_OUT_MESSAGES: usize = 1_000;
/// Posts of one subscription in flight.
pub const PUSH_IN_FLIGHT: usize = 64;
/// Undelivered messages of one subscription that are held as rows.
pub const PUSH_WINDOW: usize = 1_000;
/// Messages of one subscription delivered while an earlier one has not ended, held as rows.
pub const PUSH_AHEAD: usize = 100_000;
/// Attempts and rows of one subscription that are not durable yet; beyond it no post is begun.
pub const PUSH_UNRECORDED: usize = 1_000;
/// Posts of all subscriptions in flight, unless the configuration says otherwise.
pub const PUSH_PLACES: usize = 512;
/// Posts a second that a subscription may be bounded to.
pub const POSTS_PER_S: u32 = 10_000;
/// Longest time, in milliseconds, that a `Retry-After` is obeyed.
pub const RETRY_AFTER_MOST_MS: u64 = 3_600_000;
/// Failures running after which a circuit breaker may be set to open.
pub const CIRCUIT_FAILURES: u32 = 1_000;
/// Seconds before the first probe of an open circuit, unless the subscription says otherwise.
pub const CIRCUIT_PAUSE_DEFAULT_S: u32 = 30;
/// Seconds that the first pause of a circuit may be set to.
pub const CIRCUIT_PAUSE_S: u32 = 86_400;
/// Seconds up to which the pauses of an open circuit grow.
pub const CIRCUIT_PAUSE_MOST_S: u64 = 600;
/// Failures running after which a subscription counts as failing.
pub const FAILING_AFTER: u32 = 3;
/// Characters of an attempt's error that a subscription keeps.
pub const LAST_ERROR_CHARS: usize = 300;
/// Bytes of a secret that signs posts (Standard Webhooks: 24 to 64).
pub const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// Bytes of such a secret that is drawn.
pub const SECRET_DRAWN_BYTES: usize = 32;
/// Seconds that an old secret stays valid beside its successor, unless a rotation says otherwise.
pub const SECRET_OVERLAP_DEFAULT_S: u64 = 86_400;
/// Seconds that an old secret may stay valid beside its successor.
pub const SECRET_OVERLAP_S: u64 = 30 * 86_400;
/// Replays of one subscription that go on, and that are remembered.
pub const REPLAYS: usize = 16;
/// Messages a second of one replay.
pub const REPLAY_RATE_PER_S: u32 = 10_000;
/// Messages a second of a replay unless asked otherwise.
pub const REPLAY_RATE_DEFAULT_PER_S: u32 = 100;
/// Messages that one request names for redelivery.
pub const REDELIVER_MESSAGES: usize = 100;
/// Messages of one replay that were begun and have not ended.
pub const REPLAY_WINDOW: usize = 64;
/// Posts of one replay in flight.
pub const REPLAY_IN_FLIGHT: usize = 16;
/// How late the success of a post may become durable, in milliseconds.
pub const PUSH_RECORD_LAG_MS: u64 = 100;
/// Of how many of a subscription's latest messages attempts are kept unless set otherwise.
pub const ATTEMPTS_KEPT_MESSAGES: u64 = 1_000_000;
/// How long attempts of deliveries are kept unless set otherwise, in seconds.
pub const ATTEMPTS_KEPT_S: u64 = 7 * 86_400;
/// How long the activities of an environment are kept after they ended, in seconds.
pub const ACTIVITIES_KEPT_S: u64 = 30 * 86_400;
/// How much longer than its retention a topic keeps messages that some subscription has not dealt with, in seconds:
/// so that the subscription's loop sees that their time is over, and says so.
pub const TOPIC_GRACE_S: u64 = 3_600;
/// Rows one commit removes because their time is over.
pub const EXPIRE_ROWS: usize = 1_000;
