//! Every limit of what crosses a boundary, with its unit in its name (ARCHITECTURE.md, invariant 6).
//! Limits of what users may store are in `kernel::limits`.

/// Signatures that are remembered, so that no request that bears a nonce is taken twice: for each ten minutes.
pub const REMEMBERED_SIGNATURES: usize = 8_000_000;
/// Bytes of a request's body that a server needs to read before it can refuse the request: one more than
/// the largest body that any protocol here takes.
pub const READ_BODY_BYTES: usize = API3_JSON_BYTES + 1;
/// Bytes of the JSON body of an API 3.0 request, as on Tencent Cloud.
pub const API3_JSON_BYTES: usize = 10 * 1024 * 1024;
/// Bytes of the form body of an API 3.0 request with a legacy signature, as on Tencent Cloud.
pub const API3_FORM_BYTES: usize = 1024 * 1024;
/// Bytes of the query of an API 3.0 GET request, as on Tencent Cloud.
pub const API3_QUERY_BYTES: usize = 32 * 1024;
/// Bytes of the body of a CMQ v2 request: the 1 MB of text that a request may carry grows to three times
/// that when it is percent-encoded.
pub const V2_FORM_BYTES: usize = 4 * 1024 * 1024;
/// Parameters of an API 3.0 form or query.
pub const API3_PAIRS: usize = 20_000;
/// Parameters of a CMQ v2 request.
pub const V2_PAIRS: usize = 256;
/// Levels of objects and lists in a request's parameters.
pub const PARAM_LEVELS: usize = 32;
/// Values in a JSON text.
pub const JSON_VALUES: usize = 1_000_000;
/// Headers that one signature covers.
pub const SIGNED_HEADERS: usize = 32;
/// Seconds that a request's timestamp may be away from the server's clock (Tencent Cloud API 3.0, signature
/// v3: five minutes).
pub const CLOCK_SKEW_S: i64 = 300;
/// Messages of one CMQ v2 batch.
pub const V2_BATCH: usize = 16;
/// Tags or binding keys of one CMQ v2 request.
pub const V2_TAGS: usize = 5;
/// Characters of a user's own name or value that an error message repeats.
pub const ECHO_CHARS: usize = 100;
/// Characters of a tag's key (Tencent Cloud, Tag: limits).
pub const TAG_KEY_CHARS: usize = 127;
/// Characters of a tag's value (Tencent Cloud, Tag: limits).
pub const TAG_VALUE_CHARS: usize = 255;
/// Characters of the name of a topic, queue or subscription (Tencent CMQ: limits).
pub const MESSAGING_NAME_CHARS: usize = 64;
/// Bytes of a task's name: with what is put round it, it must fit into a file's name.
pub const TASK_NAME_BYTES: usize = 200;
/// Filters of one request.
pub const FILTERS: usize = 10;
/// Values of one filter.
pub const FILTER_VALUES: usize = 100;
/// Ids of one request.
pub const REQUEST_IDS: usize = 100;
/// Jobs or environments of one page (Tencent Batch: 20 unless asked for more).
pub const PAGE_ITEMS: u64 = 100;
/// Instances of one page of `DescribeTask` (Tencent Batch: 100 unless asked for more).
pub const PAGE_INSTANCES: u64 = 1_000;
/// Instances of one `DescribeTaskLogs` (Tencent Batch: 5 unless asked for more).
pub const PAGE_LOGS: u64 = 10;
/// Instance types of one environment.
pub const INSTANCE_TYPES: usize = 10;
/// Cores, and GB of memory, that a node may be asked to have.
pub const NODE_SIZE: u64 = 65_536;
/// Bytes of a body that are read and thrown away after [`READ_BODY_BYTES`], so that its sender, who listens only when
/// all is sent, gets the answer.
pub const DRAINED_BODY_BYTES: usize = 64 * 1024 * 1024;
/// Seconds to wait for the next bytes of a body.
pub const BODY_PAUSE_S: u64 = 30;
