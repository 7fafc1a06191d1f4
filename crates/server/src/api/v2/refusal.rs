//! CMQ's words for what the ledger, the kernel and the store refuse.

use kernel::access::Counted;
use kernel::command::Refusal;
use store::StoreError;
use wire::v2::{V2Code, V2Error};

use crate::ledger::SubmitError;

/// The error for a command that was not carried out.
pub(super) fn v2_error(error: &SubmitError) -> V2Error {
    match error {
        SubmitError::Refused(refusal) => of_refusal(refusal),
        SubmitError::Busy => V2Code::Frequency.error(),
        SubmitError::Internal | SubmitError::Full | SubmitError::Stopping => V2Code::Internal.error(),
    }
}

/// The error for something that could not be read.
pub(super) fn of_store(error: &StoreError) -> V2Error {
    tracing::error!(error = error as &dyn std::error::Error, "a read for CMQ failed");
    V2Code::Internal.error()
}

/// Texts that name what is missing or wrong stand as Tencent has them; a reason follows where the text alone would
/// not tell what to do.
pub(super) fn of_refusal(refusal: &Refusal) -> V2Error {
    match refusal {
        Refusal::NoTopic { .. } => V2Code::NoTopic.error(),
        Refusal::TopicExists(_) => V2Code::TopicExists.error(),
        Refusal::TooManyTopics(_) => V2Code::TopicCount.error(),
        Refusal::KeyQuota { counted: Counted::Topics, .. } => V2Code::TopicCount.error().because(refusal),
        // A queue; nothing that is asked here makes anything else.
        Refusal::KeyQuota { .. } => V2Code::QueueCount.error().because(refusal),
        Refusal::TopicHasSubscriptions(_) => V2Code::TopicHasSubscriptions.error(),
        Refusal::TopicInUse { .. } | Refusal::AuditTopic(_) => V2Code::InvalidRequest.error().because(refusal),
        Refusal::NoQueue(_) => V2Code::NoQueue.error(),
        Refusal::QueueExists(_) => V2Code::QueueExists.error(),
        Refusal::TooManyQueues(_) => V2Code::QueueCount.error(),
        Refusal::QueueFull { .. } => V2Code::HeapFull.error(),
        Refusal::NoRewind(_) => V2Code::NoRewind.error(),
        Refusal::RewindTime { .. } => V2Code::RewindTime.error().because(refusal),
        Refusal::RewindOverRetention { .. } => V2Code::RewindOverRetention.error(),
        Refusal::AgeOverRetention { .. }
        | Refusal::BadDeadLetterQueue { .. }
        | Refusal::NotBound(_)
        | Refusal::NoDeadLetterRule(_) => V2Code::OutOfRange.about("deadLetterPolicy").because(refusal),
        Refusal::DeadLetterQueueInUse { .. } => V2Code::DeleteQueueFailed.error().because(refusal),
        Refusal::QueueNeedsSimplified => V2Code::QueueNeedsSimplified.error(),
        Refusal::StreamsExhausted => V2Code::QueueCount.error().because(refusal),
        Refusal::QueueInUse { .. } => V2Code::DeleteQueueFailed.error().because(refusal),
        Refusal::NoSubscription { .. } => V2Code::InvalidRequest.error().because(refusal),
        Refusal::SubscriptionExists { .. } => V2Code::SubscriptionExists.error(),
        Refusal::TooManySubscriptions(_) => V2Code::SubscriptionCount.error(),
        Refusal::BindingKeyMissing(_) => V2Code::LackingBindingKey.error(),
        Refusal::RoutingKeyMissing(_) => V2Code::LackingRoutingKey.error(),
        Refusal::NoSubscriber(_) => V2Code::NoSubscription.error(),
        Refusal::NoMatch(_) => V2Code::NoMatch.error(),
        Refusal::MessageTooLarge { .. } => V2Code::MessageSize.error(),
        Refusal::NoDeadLetterQueue(_) => V2Code::NoQueue.error().because(refusal),
        Refusal::ForPostsOnly(_) | Refusal::NoCircuit | Refusal::NotSigned { .. } => {
            V2Code::InvalidRequest.error().because(refusal)
        }
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
        | Refusal::TooManyAccessKeys(_)
        | Refusal::AccessKeyExists(_)
        | Refusal::NoAccessKey(_)
        | Refusal::TooManyJoinTokens(_)
        | Refusal::NoJoinToken
        | Refusal::TooManyMachines(_)
        | Refusal::MachineNotAttachable { .. }
        | Refusal::MachineNotAttached { .. }
        | Refusal::NodeTerminating { .. }
        | Refusal::NodeForbidsTerminate { .. }
        | Refusal::TooFewNodes { .. }
        | Refusal::TokenReused(_)
        | Refusal::ForeignEvent { .. }
        | Refusal::NoReplay(_)
        | Refusal::NothingToReplay { .. }
        | Refusal::ReplayOverlaps(_)
        | Refusal::TooManyReplays(_)
        | Refusal::NoStream(_) => {
            tracing::error!(error = refusal as &dyn std::error::Error, "the kernel refused something else");
            V2Code::Internal.error()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_have_the_codes_and_texts_of_cmq() {
        let (name, by) = (|| "x".to_owned(), || "topic/sub".to_owned());
        let table = [
            (Refusal::NoTopic { topic: name(), path: name() }, "4440 (10600)topic is not existed, or deleted"),
            (Refusal::TopicExists(name()), "4460 (10550)topic is already existed"),
            (Refusal::TooManyTopics(1), "4450 (10610)number of topics has reached the limit"),
            (
                Refusal::TopicHasSubscriptions(name()),
                "4000 (10540)there exists subscriptions under this topic, please unsubscribe all of them before \
                 DeleteTopic",
            ),
            (
                Refusal::TopicInUse { topic: name(), by: by() },
                "4000 (10000)invalid request parameters: topic `x` is named by topic/sub; its events would be lost",
            ),
            (Refusal::NoQueue(name()), "4440 (10100)queue is not existed, or deleted"),
            (Refusal::QueueExists(name()), "4460 (10210)queue is already existed,case insensitive"),
            (Refusal::TooManyQueues(1), "4450 (10220)number of queues has reached the limit"),
            (Refusal::QueueFull { queue: name(), limit: 1 }, "4410 (10240)reach maximum retention number of message"),
            (
                Refusal::QueueInUse { queue: name(), by: by() },
                "6000 (10180)delete queue failed: queue `x` receives the messages of topic/sub; delete those \
                 subscriptions first",
            ),
            (Refusal::NoRewind(name()), "6050 (10670)your queue cannot be rewinded"),
            (
                Refusal::RewindTime { asked: 1, earliest: 2, latest: 3 },
                "4000 (10680)rewind time invalid: 1 is not a moment the queue can be set back to: it must be from 2 to 3",
            ),
            (
                Refusal::RewindOverRetention { rewind_s: 2, retention_s: 1 },
                "4000 (10700)rewindSeconds is more than msgRetentionSeconds",
            ),
            (
                Refusal::BadDeadLetterQueue { queue: name(), reason: "why" },
                "4000 (10350)parameter deadLetterPolicy value or length is out of range: queue `x` cannot take the \
                 dead letters: why",
            ),
            (
                Refusal::DeadLetterQueueInUse { queue: name(), by: "y".into() },
                "6000 (10180)delete queue failed: queue `x` takes the dead letters of y; unbind it there first",
            ),
            (Refusal::QueueNeedsSimplified, "4000 (10640)notifyContentFormat of protocol queue must be SIMPLIFIED"),
            (
                Refusal::NoSubscription { topic: name(), name: name() },
                "4000 (10000)invalid request parameters: subscription `x` of topic `x` does not exist",
            ),
            (
                Refusal::SubscriptionExists { topic: name(), name: name() },
                "4490 (10470)subscribtion is already existed",
            ),
            (Refusal::TooManySubscriptions(name()), "4500 (10480)number of subscription has reached the limit"),
            (Refusal::BindingKeyMissing(name()), "4000 (10710)parameters lack of bindingKey"),
            (Refusal::RoutingKeyMissing(name()), "4000 (10700)parameters lack of routingKey"),
            (
                Refusal::NoSubscriber(name()),
                "6030 (10650)topic has no subscription, please create a subscription before publishing message",
            ),
            (Refusal::NoMatch(name()), "6030 (10730)no bindingKey or filterTag matches the routingKey or msgTag"),
            (Refusal::MessageTooLarge { bytes: 2, limit: 1 }, "4400 (10230)exceed maximum message size"),
            (Refusal::JobQuota(1), "6000 (10050)server internal error"),
        ];
        for (refusal, said) in table {
            let shown = format!("{refusal:?}");
            let error = v2_error(&SubmitError::Refused(refusal));
            assert_eq!(format!("{} {error}", error.code), said, "{shown}");
        }
    }

    #[test]
    fn what_the_ledger_cannot_do_now_is_told_apart() {
        let said = |error| format!("{} {}", v2_error(&error).code, v2_error(&error));
        assert_eq!(said(SubmitError::Busy), "4480 (10460)exceed interface frequency limit, please slow down");
        assert_eq!(said(SubmitError::Internal), "6000 (10050)server internal error");
        assert_eq!(said(SubmitError::Stopping), "6000 (10050)server internal error");
    }
}
