//! The registry of actions: routing looks here and nowhere else, and so do those who list what there is.

use wire::api3::ApiError;
use wire::v2::same_action;

use super::api3::Action;
use super::{batch, cmq3, herald, tdmq, v2};

/// A product of API 3.0, in one version.
struct Product {
    name: &'static str,
    version: &'static str,
    actions: &'static [Action],
}

/// A version belongs to one product, so it alone leads to its actions: the signature may name another service.
const PRODUCTS: &[Product] = &[
    Product { name: "batch", version: "2017-03-12", actions: batch::ACTIONS },
    Product { name: "tdmq", version: "2020-02-17", actions: tdmq::ACTIONS },
    Product { name: "cmq", version: "2019-03-04", actions: cmq3::ACTIONS },
    Product { name: "herald", version: "2026-11-01", actions: herald::ACTIONS },
];

/// An action as it is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// The product: `batch`, `tdmq`; `cmq v2` for those of CMQ's older protocol.
    pub product: &'static str,
    /// The product's version; empty for CMQ v2.
    pub version: &'static str,
    /// The action.
    pub action: &'static str,
    /// What it does, in one line.
    pub help: &'static str,
}

/// All actions that are built.
pub fn actions() -> impl Iterator<Item = Listed> {
    let api3 = PRODUCTS.iter().flat_map(|product| {
        product.actions.iter().map(|action| Listed {
            product: product.name,
            version: product.version,
            action: action.name,
            help: action.help,
        })
    });
    let v2 = v2::ACTIONS.iter().map(|action| Listed {
        product: "cmq v2",
        version: "",
        action: action.name,
        help: action.help,
    });
    api3.chain(v2)
}

/// An action of API 3.0, and the product that it is of.
///
/// # Errors
/// `NoSuchVersion` for a version that no product has, `InvalidAction` for an action that is unknown or not built.
pub(super) fn api3_action(version: &str, action: &str) -> Result<(&'static str, &'static Action), ApiError> {
    let Some(product) = PRODUCTS.iter().find(|product| product.version == version) else {
        let known: Vec<String> =
            PRODUCTS.iter().map(|product| format!("{} ({})", product.version, product.name)).collect();
        let message = format!("Version: expected one of {}", known.join(", "));
        return Err(ApiError::new("NoSuchVersion", message));
    };
    let found = product.actions.iter().find(|known| known.name == action).ok_or_else(|| {
        let message = format!("Action: not an action of {} {} here, or not built yet", product.name, product.version);
        ApiError::new("InvalidAction", message)
    })?;
    Ok((product.name, found))
}

/// An action of CMQ v2.
pub(super) fn v2_action(name: &str) -> Option<&'static v2::Action> {
    v2::ACTIONS.iter().find(|known| same_action(name, known.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_action_stands_once_with_its_line_of_help() {
        let all: Vec<Listed> = actions().collect();
        for (at, one) in all.iter().enumerate() {
            assert!(one.help.ends_with('.') && !one.help.contains('\n'), "{one:?}");
            let twin = all[..at].iter().find(|other| (other.product, other.action) == (one.product, one.action));
            assert_eq!(twin, None);
        }
    }

    #[test]
    fn what_is_not_there_is_told_apart() {
        let code =
            |version, action| api3_action(version, action).map(|(_, found)| found.name).map_err(|error| error.code);
        assert_eq!(code("2017-03-12", "SubmitJob"), Ok("SubmitJob"));
        assert_eq!(code("2017-03-12", "submitJob"), Err("InvalidAction"));
        assert_eq!(code("2017-03-12", "RetryJob"), Err("InvalidAction"));
        assert_eq!(code("2019-03-04", "DescribeQueueDetail"), Ok("DescribeQueueDetail"));
        assert_eq!(code("2019-03-04", "SendMessage"), Err("InvalidAction"));
        assert_eq!(code("2026-11-01", "DescribeServer"), Ok("DescribeServer"));
        assert_eq!(code("2017-03-13", "SubmitJob"), Err("NoSuchVersion"));
        assert_eq!(v2_action("sendmessage").map(|found| found.name), Some("SendMessage"));
        assert_eq!(
            v2_action("ClearSUbscriptionFIlterTags").map(|found| found.name),
            Some("ClearSubscriptionFilterTags")
        );
        assert!(v2_action("PeekMessage").is_none());
    }
}
