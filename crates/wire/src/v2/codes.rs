//! Every error of CMQ v2, with its literal text. The spelling is Tencent's: programs compare whole
//! messages, `(10200)no message` above all.

use std::fmt;

use serde_json::{Map, Value};

use crate::fields::shortened;

/// A refusal or failure as CMQ v2 reports it. Displays as the reply's `message`: `(10200)no message`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("({module}){text}")]
pub struct V2Error {
    /// The reply's `code`.
    pub code: u32,
    /// The number in brackets before the text.
    pub module: u32,
    /// The text.
    pub text: String,
    /// What the reply says besides, such as the `errorList` of a batch.
    pub fields: Map<String, Value>,
}

impl V2Error {
    /// The error with one more field in its reply.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.fields.insert(name.to_owned(), value);
        self
    }

    /// The error with more to its text, for errors whose text alone would leave a user helpless.
    #[must_use]
    pub fn because(mut self, reason: impl fmt::Display) -> Self {
        self.text = format!("{}: {reason}", self.text);
        self
    }
}

macro_rules! codes {
    ($($name:ident = $code:literal $module:literal $text:literal;)*) => {
        /// What CMQ v2 can refuse or fail with. `%s` in a text stands for a parameter.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum V2Code {$(#[doc = $text] $name,)*}

        impl V2Code {
            #[cfg(test)]
            const ALL: &'static [Self] = &[$(Self::$name,)*];

            fn row(self) -> (u32, u32, &'static str) {
                match self {$(Self::$name => ($code, $module, $text),)*}
            }
        }
    };
}

impl V2Code {
    /// The error, for a code whose text names no parameter.
    #[must_use]
    pub fn error(self) -> V2Error {
        let (code, module, text) = self.row();
        debug_assert!(!text.contains("%s"), "{self:?} is about a parameter");
        V2Error { code, module, text: text.to_owned(), fields: Map::new() }
    }

    /// The error about a parameter. A code whose text names none gives its text alone.
    #[must_use]
    pub fn about(self, parameter: &str) -> V2Error {
        let (code, module, text) = self.row();
        V2Error { code, module, text: text.replacen("%s", &shortened(parameter), 1), fields: Map::new() }
    }
}

codes! {
    InvalidRequest = 4000 10000 "invalid request parameters";
    LackingAny = 4000 10010 "lacked of required parameters";
    QueueName = 4000 10020 "queue name format error";
    RequestParameters = 4000 10110 "request parameters error";
    EmptyBody = 4000 10120 "message body can't be empty";
    NoAction = 4000 10280 "action is not existed";
    KeyFormat = 4000 10310 "error: parameter %s key format error";
    NoSuchParameter = 4000 10320 "no such parameter %s";
    NotRepeatable = 4000 10330 "parameter %s is NOT a repeatable parameter";
    OutOfRange = 4000 10350 "parameter %s value or length is out of range";
    WrongType = 4000 10360 "parameter %s error type";
    BatchSize = 4000 10370 "%s parameter batch size is out of range";
    NotConsecutive = 4000 10380 "%s parameter is not consequent";
    Lacking = 4000 10390 "lacked of required parameter %s";
    NotInUri = 4000 10400 "cannot find parameter %s in uri";
    Method = 4000 10410 "unexpected http %s only GET or POST is supported";
    TooLarge = 4000 10420 "cannot parse %s, or request size is more than 1MB";
    UnknownAction = 4000 10430 "action name %s is not existed";
    IllegalAccount = 4000 10440 "account illegal, it may be an assistant account";
    SecretIdForm = 4000 10450 "secret id dosen't begin with AKID";
    NoCam = 4000 10461 "no cam authentication";
    ReceiptHandleForm = 4000 10470 "receiptHandle error";
    FilterTagCount = 4000 10490 "number of filterTag exceed limit";
    EndpointForm = 4000 10500 "endpoint format error";
    Protocol = 4000 10510 "undefined protocol";
    Strategy = 4000 10520 "undefined notify retry stragety";
    ContentFormat = 4000 10530 "undefined notify content format";
    TopicHasSubscriptions = 4000 10540 "there exists subscriptions under this topic, please unsubscribe all of them before DeleteTopic";
    TopicName = 4000 10590 "topic name format error";
    SubscriptionName = 4000 10620 "subscription name format error";
    IllegalEndpoint = 4000 10630 "illegal endpoint";
    QueueNeedsSimplified = 4000 10640 "notifyContentFormat of protocol queue must be SIMPLIFIED";
    TooManyFilterTags = 4000 10670 "too many filterTag";
    TooManyBindingKeys = 4000 10680 "too many bindingKey";
    RewindTime = 4000 10680 "rewind time invalid";
    TooManyDots = 4000 10691 "too many delimeters";
    DelaySeconds = 4000 10692 "delay seconds is out of range";
    LackingRoutingKey = 4000 10700 "parameters lack of routingKey";
    RewindOverRetention = 4000 10700 "rewindSeconds is more than msgRetentionSeconds";
    LackingBindingKey = 4000 10710 "parameters lack of bindingKey";
    TooManyMsgTags = 4000 10720 "too many msgTag";
    Unauthenticated = 4100 10030 "authentication failed";
    ConnectionUnauthenticated = 4100 10031 "connection is not authenticated";
    ConnectionAuthenticated = 4100 10032 "connection is already authenticated";
    SecretIdStatus = 4100 10080 "secret id status error";
    SecretIdUnknown = 4100 10270 "secret id is not existed";
    Overdue = 4300 10040 "charge overdue";
    MessageSize = 4400 10230 "exceed maximum message size";
    HeapFull = 4410 10240 "reach maximum retention number of message";
    Throttled = 4420 10250 "qps throttling";
    ReceiptHandle = 4430 10260 "receipt handle is invalid";
    NoQueue = 4440 10100 "queue is not existed, or deleted";
    NoTopic = 4440 10600 "topic is not existed, or deleted";
    QueueCount = 4450 10220 "number of queues has reached the limit";
    TopicCount = 4450 10610 "number of topics has reached the limit";
    QueueExists = 4460 10210 "queue is already existed,case insensitive";
    TopicExists = 4460 10550 "topic is already existed";
    TotalSize = 4470 10300 "total message size exceed 1MB";
    Frequency = 4480 10460 "exceed interface frequency limit, please slow down";
    SubscriptionExists = 4490 10470 "subscribtion is already existed";
    MessageId = 4490 10770 "message id is invalid";
    MessageOperation = 4490 10780 "message operation is not allowed";
    NoTransactions = 4490 10790 "transaction message is not supported";
    SubscriptionCount = 4500 10480 "number of subscription has reached the limit";
    EndpointBlank = 4510 10570 "url connot contain any blank characters";
    Internal = 6000 10050 "server internal error";
    SendFailed = 6000 10090 "send message failed";
    ReceiveFailed = 6000 10130 "recieve message failed";
    DeleteFailed = 6000 10140 "delete message failed";
    GetAttributesFailed = 6000 10160 "get queue attributes failed";
    SetAttributesFailed = 6000 10170 "set queue attributes failed";
    DeleteQueueFailed = 6000 10180 "delete queue failed";
    ListQueueFailed = 6000 10190 "list queue failed";
    DeletePartlyFailed = 6010 10150 "delete message partially failed";
    DeleteAllFailed = 6020 10290 "batch delete message failed";
    NoSubscription = 6030 10650 "topic has no subscription, please create a subscription before publishing message";
    NoMatch = 6030 10730 "no bindingKey or filterTag matches the routingKey or msgTag";
    NameLocked = 6040 10660 "it will take some time to release resources of previous queue before you create a new one with the same name, please try later";
    TopicNameLocked = 6040 10660 "it will take some time to release resources of previous topic before you create a new one with the same name, please try later";
    ConfirmFailed = 6040 10750 "transaction confirmation failed";
    ConfirmPartlyFailed = 6040 10760 "transaction confirmation partially failed";
    NoRewind = 6050 10670 "your queue cannot be rewinded";
    TooManyFilters = 6050 10740 "too many filterTag or bindingKey";
    TooManyInFlight = 6070 10690 "too many unacked(inactive) messages or delayed messages";
    NoMessage = 7000 10200 "no message";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_put_into_the_text() {
        let error = V2Code::Lacking.about("queueName");
        assert_eq!((error.code, error.module), (4000, 10390));
        assert_eq!(error.to_string(), "(10390)lacked of required parameter queueName");
        let error = V2Code::Unauthenticated.error().because("too old");
        assert_eq!(error.to_string(), "(10030)authentication failed: too old");
    }

    #[test]
    fn no_row_says_what_another_says() {
        for (at, code) in V2Code::ALL.iter().enumerate() {
            let (outer, module, text) = code.row();
            assert!((4000..=7000).contains(&outer) && (10_000..10_800).contains(&module), "{code:?}");
            assert!(V2Code::ALL[..at].iter().all(|other| other.row() != (outer, module, text)), "{code:?}");
        }
    }
}
