//! One post of one message.

use std::sync::Arc;
use std::time::Instant;

use axum::http::{HeaderName, HeaderValue};
use kernel::delivery::{Attempt, DeliveryKey, Outcome};
use kernel::loops::push::Posted;
use kernel::subscription::{Endpoint, Subscription};
use kernel::topic::{Topic, TopicMessage};
use wire::webhook;

use super::{Push, message};

/// What a subscription is, and its topic.
pub(crate) type Subject = (Arc<Topic>, Arc<Subscription>);

/// Says that the subscription was sent this message before: a rewind, or a redelivery.
const REPLAY: HeaderName = HeaderName::from_static("x-herald-replay");

impl Push {
    /// Posts a message and says what came of it; `None`: the subscription does not post.
    pub(crate) async fn post(
        &self,
        (topic, subscription): &Subject,
        message: &TopicMessage,
        number: u32,
        request_id: u32,
        replay: bool,
    ) -> Option<Posted> {
        let Endpoint::Http { url } = &subscription.endpoint else { return None };
        let _seat = self.seats.take(subscription.key).await;
        let mut headers = message::headers(subscription.format, message, request_id);
        let body = message::body(topic, subscription, message, &self.app.settings);
        if replay {
            headers.insert(REPLAY, HeaderValue::from_static("1"));
        }
        let (at, began) = (self.app.clock(), Instant::now());
        if let Some(secrets) = &subscription.secrets {
            message::sign(&mut headers, secrets, message, &body, at);
        }
        let (outcome, retry_after_ms) = match self.outbound.post(url, headers, body).await {
            Ok(answer) => {
                let retry_after = answer.retry_after.as_deref();
                let wait = retry_after.and_then(|text| webhook::retry_after_ms(text, self.app.clock()));
                (Outcome::Replied { status: answer.status, body: answer.body }, wait)
            }
            Err(error) => (Outcome::Failed { error }, None),
        };
        let attempt = Arc::new(Attempt {
            key: DeliveryKey { subscription: subscription.key, seq: message.seq },
            number,
            at,
            duration_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            address: url.clone(),
            outcome,
        });
        Some(Posted { attempt, retry_after_ms, owner: message.owner })
    }
}
