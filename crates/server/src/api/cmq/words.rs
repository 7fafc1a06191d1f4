//! Words of the wire for what a subscription is.

use kernel::command::Command;
use kernel::subscription::{Endpoint, Format, Signing, Strategy};

/// The strategy with this name.
pub(in crate::api) fn strategy(word: &str) -> Option<Strategy> {
    [Strategy::BackoffRetry, Strategy::ExponentialDecayRetry].into_iter().find(|strategy| strategy.as_str() == word)
}

/// The format with this name.
pub(in crate::api) fn format(word: &str) -> Option<Format> {
    [Format::Json, Format::Simplified, Format::CloudEvents].into_iter().find(|format| format.as_str() == word)
}

/// The format of a subscription for which this one, or none, was asked; `None`: it cannot be had. A queue gets each
/// text as it is.
pub(in crate::api) fn format_for(endpoint: &Endpoint, asked: Option<Format>) -> Option<Format> {
    match (endpoint, asked) {
        (Endpoint::Http { .. }, asked) => Some(asked.unwrap_or(Format::Json)),
        (Endpoint::Queue { .. }, None | Some(Format::Simplified)) => Some(Format::Simplified),
        (Endpoint::Queue { .. }, Some(Format::Json | Format::CloudEvents)) => None,
    }
}

/// The topic and name of a subscription that a command makes or changes so that its posts are signed with a secret
/// that is drawn: whoever asks for that is to be told it.
pub(in crate::api) fn drawn(command: &Command) -> Option<(String, String)> {
    match command {
        Command::Subscribe(new) if new.manner.signing == Some(Signing::Drawn) => {
            Some((new.topic.clone(), new.name.clone()))
        }
        Command::ModifySubscription { topic, name, edit } if edit.manner.signing == Some(Signing::Drawn) => {
            Some((topic.clone(), name.clone()))
        }
        _ => None,
    }
}

/// Protocol and address of an endpoint.
pub(in crate::api) fn endpoint(endpoint: &Endpoint) -> (&'static str, &str) {
    match endpoint {
        Endpoint::Queue { name, .. } => ("queue", name),
        Endpoint::Http { url } => ("http", url),
    }
}

#[cfg(test)]
mod tests {
    use kernel::topic::StreamNo;

    use super::*;

    #[test]
    fn words_are_read_as_they_are_written() {
        for known in [Strategy::BackoffRetry, Strategy::ExponentialDecayRetry] {
            assert_eq!(strategy(known.as_str()), Some(known));
        }
        for known in [Format::Json, Format::Simplified, Format::CloudEvents] {
            assert_eq!(format(known.as_str()), Some(known));
        }
        assert_eq!((strategy("backoff_retry"), format("")), (None, None));
    }

    #[test]
    fn a_queue_gets_texts_as_they_are() {
        let queue = Endpoint::Queue { queue: StreamNo(1), name: "q".into() };
        let http = Endpoint::Http { url: "http://h/".into() };
        assert_eq!(format_for(&queue, None), Some(Format::Simplified));
        assert_eq!(format_for(&queue, Some(Format::Simplified)), Some(Format::Simplified));
        assert_eq!(format_for(&queue, Some(Format::Json)), None);
        assert_eq!(format_for(&http, None), Some(Format::Json));
        assert_eq!(format_for(&http, Some(Format::Simplified)), Some(Format::Simplified));
    }
}
