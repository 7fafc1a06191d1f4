//! Flags for what a subscription wants and how, told when it is made and when it is changed, and the fields they
//! become.

use clap::ValueEnum;
use serde_json::{Value, json};

use crate::params::{self, word};

/// What a subscription wants, and how.
#[derive(clap::Args, Default)]
pub(super) struct Manner {
    /// Only messages whose routing key fits this pattern (given anew: instead of those before); may be given several times
    #[arg(long, value_name = "KEY")]
    bind: Vec<String>,
    /// How a post that failed is repeated: 3 times in order, or after 1, 2, 4 ... s for a day, which is the default
    #[arg(long, value_enum, ignore_case = true)]
    strategy: Option<Strategy>,
    /// What a post holds: an envelope with the message in it, just the message, or a CloudEvent
    #[arg(long, value_enum, ignore_case = true)]
    format: Option<Format>,
    /// Deliver in this order: as the strategy has it, or the events of each job one after the other
    #[arg(long, value_enum, ignore_case = true)]
    order: Option<Order>,
    /// At most so many posts a second; 0 for no bound
    #[arg(long, value_name = "N")]
    rate: Option<u32>,
    /// At most so many posts at once, up to 64; 0 for 64
    #[arg(long, value_name = "N")]
    concurrency: Option<u32>,
    /// Whether the Retry-After of a 429 or 503 is obeyed, up to an hour; it is, unless told otherwise
    #[arg(long, value_name = "BOOL")]
    obey_retry_after: Option<bool>,
    /// Whether a 410 pauses the subscription; it does, unless told otherwise
    #[arg(long, value_name = "BOOL")]
    pause_on_gone: Option<bool>,
    /// After so many failures running, post no more but for a probe now and then; 0 for never
    #[arg(long, value_name = "FAILURES")]
    circuit: Option<u32>,
    /// The first probe leaves after so many seconds, the next each after twice as long, up to 600 s; 30 unless told
    /// otherwise
    #[arg(long, value_name = "S")]
    circuit_pause: Option<u32>,
    /// Put messages that are given up into this queue; an empty name for none
    #[arg(long, value_name = "QUEUE")]
    dead_letters: Option<String>,
    /// Send SUBSCRIPTION_FAILING, SUBSCRIPTION_RECOVERED and DELIVERY_DEAD to this topic; an empty name for none
    #[arg(long, value_name = "TOPIC")]
    notify: Option<String>,
    /// Sign posts as Standard Webhooks have it, with a secret that the server makes and this prints
    #[arg(long)]
    sign: bool,
    /// Sign posts with this secret: whsec_ and 24 to 64 bytes in Base64
    #[arg(long, value_name = "SECRET")]
    secret: Option<String>,
    /// Sign posts no more
    #[arg(long, conflicts_with_all = ["sign", "secret"])]
    no_sign: bool,
}

/// The API's words for how posts are repeated.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Strategy {
    // Three times, 10 to 20 s apart, in order.
    #[value(name = "BACKOFF_RETRY")]
    Backoff,
    // After 1, 2, 4 ... 512 s, then each 512 s, for a day.
    #[value(name = "EXPONENTIAL_DECAY_RETRY")]
    ExponentialDecay,
}

/// The API's words for what a post holds.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    #[value(name = "JSON")]
    Json,
    #[value(name = "SIMPLIFIED")]
    Simplified,
    #[value(name = "CLOUDEVENTS")]
    CloudEvents,
}

/// The API's words for the order.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Order {
    #[value(name = "STRATEGY")]
    Strategy,
    #[value(name = "JOB")]
    Job,
}

impl Manner {
    /// Adds the fields that were asked for.
    pub(super) fn add_to(&self, params: &mut Value) {
        let signature = match (self.no_sign, self.sign || self.secret.is_some()) {
            (true, _) => Some(json!("NONE")),
            (false, true) => Some(json!("STANDARD_WEBHOOKS")),
            (false, false) => None,
        };
        let fields = [
            ("BindingKey", params::some(&self.bind)),
            ("NotifyStrategy", self.strategy.map(|strategy| json!(word(strategy)))),
            ("NotifyContentFormat", self.format.map(|format| json!(word(format)))),
            ("DeliveryOrder", self.order.map(|order| json!(word(order)))),
            ("RateLimit", self.rate.map(|rate| json!(rate))),
            ("Concurrency", self.concurrency.map(|most| json!(most))),
            ("ObeyRetryAfter", self.obey_retry_after.map(|obey| json!(obey))),
            ("PauseOnGone", self.pause_on_gone.map(|pause| json!(pause))),
            ("CircuitFailures", self.circuit.map(|failures| json!(failures))),
            ("CircuitSeconds", self.circuit_pause.map(|seconds| json!(seconds))),
            ("DeadLetterQueueName", self.dead_letters.as_ref().map(|queue| json!(queue))),
            ("NotificationTopicName", self.notify.as_ref().map(|topic| json!(topic))),
            ("Signature", signature),
            ("SignatureSecret", self.secret.as_ref().map(|secret| json!(secret))),
        ];
        params::add(params, fields);
    }
}
