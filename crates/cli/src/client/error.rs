//! What a call can end with, other than a reply.

/// Why an action was not done, or is not known to be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// The HTTP client cannot be made.
    #[error("failed to prepare for requests")]
    Setup(#[source] reqwest::Error),
    /// Nobody answered.
    #[error("failed to reach the server at {endpoint}")]
    Unreachable {
        /// Its address.
        endpoint: String,
        /// Why.
        source: reqwest::Error,
    },
    /// What answered is no Herald server.
    #[error("{endpoint} gave a reply to {action} that is not understood: {why}")]
    Strange {
        /// The action.
        action: &'static str,
        /// Its address.
        endpoint: String,
        /// What is odd about it.
        why: String,
    },
    /// The server said no.
    #[error("{action} was refused: {code}: {message} (request {request_id})")]
    Refused {
        /// The action.
        action: &'static str,
        /// The API's code, such as `ResourceNotFound.Job`; a number for CMQ v2.
        code: String,
        /// What is wrong and where.
        message: String,
        /// The request's id, as the server's log has it.
        request_id: String,
    },
}

impl ClientError {
    /// Whether the server said no with this code.
    pub(crate) fn is_refusal(&self, with: &str) -> bool {
        matches!(self, Self::Refused { code, .. } if code == with)
    }

    /// Whether there is no message in the queue (CMQ v2's code for it).
    pub(crate) fn is_no_message(&self) -> bool {
        self.is_refusal("7000")
    }

    /// Whether messages of a batch could not be deleted, some or all: their handles are over (CMQ v2's codes for it).
    pub(crate) fn is_too_late(&self) -> bool {
        self.is_refusal("6010") || self.is_refusal("6020")
    }

    /// Whether nobody answered.
    pub(crate) fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }

    /// What to type next.
    pub(crate) fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Unreachable { .. } => "start a server with `herald serve`, or name another with --endpoint",
            Self::Refused { action, code, .. } => hint_for(action, code)?,
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

/// What to type after a refusal of this action with this code.
fn hint_for(action: &str, code: &str) -> Option<&'static str> {
    Some(match code {
        "AuthFailure.SecretIdNotFound" | "AuthFailure.SignatureFailure" | "4100" => {
            "the key is not the server's: see DATA/credentials.json there, or what it was started with"
        }
        "AuthFailure.SignatureExpire" => "the clocks of this machine and the server differ",
        "UnsupportedRegion" => "name the server's region with --region",
        "ResourceNotFound.Job" | "InvalidParameter.JobIdMalformed" => "`herald job list` shows the jobs there are",
        "ResourceNotFound.ComputeEnv" | "InvalidParameter.EnvIdMalformed" => {
            "`herald env list` shows the environments there are"
        }
        "ResourceNotFound.TaskTemplate" | "InvalidParameter.TaskTemplateIdMalformed" => {
            "`herald template list` shows the task templates there are"
        }
        "ResourceNotFound.Task" => "`herald job show ID` shows a job's tasks",
        "ResourceNotFound.ComputeNode" | "InvalidParameter.ComputeNodeIdMalformed" => {
            "`herald node list ENV` shows an environment's nodes"
        }
        "InvalidParameter.NotificationTopicName" => "`herald topic create NAME` makes a topic",
        "ResourceInUse.Job" => "`herald job terminate ID` ends a job",
        "UnauthorizedOperation" => {
            "`herald key update` changes what a key pair may do; it takes one with the role admin"
        }
        "6030" => "`herald sub create` subscribes a queue or an HTTP address to a topic",
        "ResourceNotFound.Topic" => TOPICS,
        "ResourceNotFound.Subscription" => SUBSCRIPTIONS,
        // These codes do not tell what it is that does not exist.
        "ResourceNotFound" | "4440" => match action {
            "PublishMessage" => TOPICS,
            "DeleteCmqSubscribe"
            | "ModifyCmqSubscriptionAttribute"
            | "PauseSubscription"
            | "ResumeSubscription"
            | "RotateSubscriptionSecret" => SUBSCRIPTIONS,
            "ModifyAccessKey" | "RotateAccessKey" | "DeleteAccessKey" => {
                "`herald key list` shows the key pairs there are"
            }
            _ => "`herald queue list` shows the queues there are",
        },
        _ => return None,
    })
}

const SUBSCRIPTIONS: &str = "`herald sub list TOPIC` shows a topic's subscriptions";
const TOPICS: &str = "`herald topic list` shows the topics there are";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_and_what_next() {
        let error = ClientError::Refused {
            action: "DescribeJob",
            code: "ResourceNotFound.Job".into(),
            message: "JobId: there is no job job-00000000".into(),
            request_id: "r1".into(),
        };
        let told = "DescribeJob was refused: ResourceNotFound.Job: JobId: there is no job job-00000000 (request r1)";
        assert_eq!(error.to_string(), told);
        assert_eq!(error.hint().as_deref(), Some("`herald job list` shows the jobs there are"));
        assert!(error.is_refusal("ResourceNotFound.Job") && !error.is_unreachable());
    }

    #[test]
    fn what_does_not_exist_is_guessed_from_what_was_asked_for() {
        for (action, code, listed_by) in [
            ("PublishMessage", "4440", "herald topic list"),
            ("SendMessage", "4440", "herald queue list"),
            ("DescribeCmqQueueDetail", "ResourceNotFound", "herald queue list"),
            ("CreateCmqSubscribe", "ResourceNotFound", "herald queue list"),
            ("CreateCmqSubscribe", "ResourceNotFound.Topic", "herald topic list"),
            ("DeleteCmqSubscribe", "ResourceNotFound", "herald sub list"),
        ] {
            let hint = hint_for(action, code).unwrap();
            assert!(hint.contains(listed_by), "{action} {code}: {hint}");
        }
    }
}
