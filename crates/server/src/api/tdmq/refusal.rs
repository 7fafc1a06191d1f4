//! The codes of `tdmq` for what the kernel refuses.

use kernel::access::Counted;
use kernel::command::Refusal;
use wire::api3::ApiError;

use super::fields::INVALID;
use crate::api::api3::internal;

/// The error for what the kernel refuses.
pub(in crate::api) fn of_refusal(refusal: &Refusal) -> ApiError {
    let code = match refusal {
        Refusal::NoTopic { .. } => "ResourceNotFound.Topic",
        Refusal::NoQueue(_) => return at("QueueName", "ResourceNotFound", refusal),
        Refusal::QueueNeedsSimplified => return at("NotifyContentFormat", INVALID, refusal),
        Refusal::NoDeadLetterQueue(_) => return at("DeadLetterQueueName", "ResourceNotFound", refusal),
        Refusal::NoCircuit => return at("CircuitSeconds", INVALID, refusal),
        Refusal::ForPostsOnly(_) => INVALID,
        Refusal::NotSigned { .. } => "UnsupportedOperation",
        // Of Herald's own actions on subscriptions.
        Refusal::NoReplay(_) => return at("ReplayNo", "ResourceNotFound", refusal),
        Refusal::NothingToReplay { .. } => "FailedOperation",
        Refusal::ReplayOverlaps(_) => "ResourceInUse",
        Refusal::TooManyReplays(_) => "LimitExceeded",
        Refusal::NoSubscription { .. } => return at("SubscriptionName", "ResourceNotFound", refusal),
        Refusal::TopicExists(_) => return at("TopicName", "ResourceInUse.Topic", refusal),
        Refusal::QueueExists(_) => return at("QueueName", "ResourceInUse.Queue", refusal),
        Refusal::SubscriptionExists { .. } => {
            return at("SubscriptionName", "ResourceInUse.Subscription", refusal);
        }
        Refusal::TooManyTopics(_) | Refusal::KeyQuota { counted: Counted::Topics, .. } => "LimitExceeded.Topics",
        Refusal::KeyQuota { .. } => "LimitExceeded",
        Refusal::TooManyQueues(_) | Refusal::TooManySubscriptions(_) | Refusal::StreamsExhausted => "LimitExceeded",
        Refusal::TopicHasSubscriptions(_) | Refusal::TopicInUse { .. } => {
            return at("TopicName", "ResourceInUse", refusal);
        }
        Refusal::NoRewind(_) => return at("QueueName", "ResourceUnavailable", refusal),
        Refusal::RewindTime { .. } => return at("StartConsumeTime", "InvalidParameterValue", refusal),
        Refusal::RewindOverRetention { .. } => return at("RewindSeconds", "InvalidParameterValue", refusal),
        Refusal::BadDeadLetterQueue { .. } => return at("DeadLetterQueueName", "FailedOperation", refusal),
        Refusal::AgeOverRetention { .. } => return at("MaxTimeToLive", "InvalidParameterValue", refusal),
        Refusal::NotBound(_) => "FailedOperation",
        Refusal::NoDeadLetterRule(_) => return at("Policy", "MissingParameter", refusal),
        Refusal::DeadLetterQueueInUse { .. } => return at("QueueName", "ResourceInUse", refusal),
        Refusal::QueueInUse { .. } => return at("QueueName", "ResourceInUse", refusal),
        Refusal::QueueFull { .. } => return at("QueueName", "ResourceUnavailable", refusal),
        Refusal::BindingKeyMissing(_) => return at("BindingKey", "MissingParameter", refusal),
        Refusal::RoutingKeyMissing(_) => return at("MsgTag", "MissingParameter", refusal),
        Refusal::MessageTooLarge { .. } => return at("MsgContent", "InvalidParameterValue", refusal),
        Refusal::NoSubscriber(_) | Refusal::NoMatch(_) => "FailedOperation",
        // Of Herald's own actions on key pairs.
        Refusal::NoAccessKey(_) => "ResourceNotFound",
        Refusal::AccessKeyExists(_) => "ResourceInUse",
        Refusal::TooManyAccessKeys(_) | Refusal::TooManyJoinTokens(_) => "LimitExceeded",
        Refusal::AuditTopic(_) => return at("TopicName", "ResourceInUse", refusal),
        // Nothing that is asked here can lead to these.
        Refusal::NoJob(_)
        | Refusal::JobUnfinished(_)
        | Refusal::JobNotFailed { .. }
        | Refusal::RetryWithoutEnv { .. }
        | Refusal::NoInstance { .. }
        | Refusal::InstanceRedone(_)
        | Refusal::JobQuota(_)
        | Refusal::NoTemplate { .. }
        | Refusal::TemplateQuota(_)
        | Refusal::NoEnv { .. }
        | Refusal::EnvDeleting { .. }
        | Refusal::TooManyEnvs(_)
        | Refusal::CpuQuota { .. }
        | Refusal::NoNode { .. }
        | Refusal::NoJoinToken
        | Refusal::TooManyMachines(_)
        | Refusal::MachineNotAttachable { .. }
        | Refusal::MachineNotAttached { .. }
        | Refusal::NodeTerminating { .. }
        | Refusal::NodeForbidsTerminate { .. }
        | Refusal::TooFewNodes { .. }
        | Refusal::TokenReused(_)
        | Refusal::ForeignEvent { .. }
        | Refusal::NoStream(_) => {
            tracing::error!(error = refusal as &dyn std::error::Error, "the kernel refused something else");
            return internal();
        }
    };
    ApiError::new(code, refusal.to_string())
}

/// The error for a topic that does not exist.
pub(super) fn no_topic(name: String) -> ApiError {
    of_refusal(&Refusal::NoTopic { topic: name, path: "TopicName".into() })
}

/// A refusal that is about this field.
pub(super) fn at(field: &str, code: &'static str, refusal: &Refusal) -> ApiError {
    ApiError::new(code, format!("{field}: {refusal}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_have_the_codes_of_tdmq_and_name_the_field() {
        let (name, by) = (|| "x".to_owned(), || "topic/sub".to_owned());
        let table = [
            (
                Refusal::NoTopic { topic: name(), path: "TopicName".into() },
                "ResourceNotFound.Topic: TopicName: topic `x` does not exist",
            ),
            (Refusal::NoQueue(name()), "ResourceNotFound: QueueName: queue `x` does not exist"),
            (
                Refusal::NoSubscription { topic: name(), name: name() },
                "ResourceNotFound: SubscriptionName: subscription `x` of topic `x` does not exist",
            ),
            (Refusal::TopicExists(name()), "ResourceInUse.Topic: TopicName: topic `x` exists already"),
            (Refusal::QueueExists(name()), "ResourceInUse.Queue: QueueName: queue `x` exists already"),
            (
                Refusal::SubscriptionExists { topic: name(), name: name() },
                "ResourceInUse.Subscription: SubscriptionName: subscription `x` of topic `x` exists already",
            ),
            (Refusal::TooManyTopics(1), "LimitExceeded.Topics: there are 1 topics already, and no more are allowed"),
            (
                Refusal::KeyQuota { counted: Counted::Topics, most: 1 },
                "LimitExceeded.Topics: at most 1 topics are allowed in the scope of the key pair",
            ),
            (
                Refusal::KeyQuota { counted: Counted::Queues, most: 1 },
                "LimitExceeded: at most 1 queues are allowed in the scope of the key pair",
            ),
            (Refusal::TooManyQueues(1), "LimitExceeded: there are 1 queues already, and no more are allowed"),
            (
                Refusal::TooManySubscriptions(name()),
                "LimitExceeded: topic `x` has as many subscriptions as are allowed",
            ),
            (
                Refusal::TopicInUse { topic: name(), by: by() },
                "ResourceInUse: TopicName: topic `x` is named by topic/sub; its events would be lost",
            ),
            (
                Refusal::QueueInUse { queue: name(), by: by() },
                "ResourceInUse: QueueName: queue `x` receives the messages of topic/sub; delete those subscriptions \
                 first",
            ),
            (
                Refusal::NoRewind(name()),
                "ResourceUnavailable: QueueName: queue `x` keeps no deleted messages, so it cannot be set back; give \
                 it rewindSeconds first",
            ),
            (
                Refusal::RewindTime { asked: 1, earliest: 2, latest: 3 },
                "InvalidParameterValue: StartConsumeTime: 1 is not a moment the queue can be set back to: it must be \
                 from 2 to 3",
            ),
            (
                Refusal::BadDeadLetterQueue { queue: name(), reason: "why" },
                "FailedOperation: DeadLetterQueueName: queue `x` cannot take the dead letters: why",
            ),
            (Refusal::NotBound(name()), "FailedOperation: queue `x` has no dead-letter queue"),
            (
                Refusal::DeadLetterQueueInUse { queue: name(), by: "y".into() },
                "ResourceInUse: QueueName: queue `x` takes the dead letters of y; unbind it there first",
            ),
            (
                Refusal::QueueFull { queue: name(), limit: 9 },
                "ResourceUnavailable: QueueName: queue `x` holds 9 messages, as many as it may",
            ),
            (
                Refusal::BindingKeyMissing(name()),
                "MissingParameter: BindingKey: topic `x` routes by key: a subscription needs binding keys",
            ),
            (
                Refusal::RoutingKeyMissing(name()),
                "MissingParameter: MsgTag: topic `x` routes by key: a message needs a routing key",
            ),
            (
                Refusal::MessageTooLarge { bytes: 2, limit: 1 },
                "InvalidParameterValue: MsgContent: the message has 2 bytes, and at most 1 are allowed",
            ),
            (Refusal::NoSubscriber(name()), "FailedOperation: topic `x` has no subscription"),
            (Refusal::NoMatch(name()), "FailedOperation: no subscription of topic `x` wants this message"),
            (Refusal::JobQuota(1), "InternalError: the server failed; its log has the reason"),
        ];
        for (refusal, said) in table {
            assert_eq!(of_refusal(&refusal).to_string(), said);
        }
    }
}
