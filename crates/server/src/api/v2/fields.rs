//! Parameters that more than one action has.

use std::ops::RangeInclusive;
use std::sync::Arc;

use kernel::command::NewDeadLetter;
use kernel::queue::{DeadLetterRule, Handle};
use kernel::subscription::{Format, MannerEdit, Strategy};
use serde_json::Value;
use store::{NameFilter, Page, Span};
use wire::limits::{V2_BATCH, V2_TAGS};
use wire::v2::{Params, V2Code, V2Error};

use crate::api::cmq::limits::{
    BATCH_BYTES, DELAY_S, MESSAGE_BYTES, MESSAGE_DEFAULT_BYTES, PAGE, PAGE_DEFAULT, TAG_CHARS,
};
use crate::api::cmq::manner;
use crate::api::cmq::rules::{self, BadKey};
use crate::api::cmq::{dead_letter, words};

/// The name of something that exists, or not: the kernel knows.
pub(super) fn name(params: &Params, parameter: &str) -> Result<String, V2Error> {
    params.required(parameter).map(str::to_owned)
}

/// The name of something to be made, which must be a good one; else it is refused with `code`.
pub(super) fn new_name(
    params: &Params,
    parameter: &str,
    is_good: fn(&str) -> bool,
    code: V2Code,
) -> Result<String, V2Error> {
    let name = params.required(parameter)?;
    if is_good(name) { Ok(name.to_owned()) } else { Err(code.error()) }
}

/// `maxMsgSize`.
pub(super) fn max_msg_bytes(params: &Params) -> Result<u64, V2Error> {
    Ok(params.integer("maxMsgSize", MESSAGE_BYTES)?.unwrap_or(MESSAGE_DEFAULT_BYTES))
}

/// Why a queue with transactions cannot be had: they are spoken over CMQ's TCP protocol alone.
pub(super) const NO_TRANSACTIONS: &str =
    "transactions need CMQ's TCP protocol, which is not spoken here; only 0 is taken";

/// `deadLetterPolicy`: an object as JSON text. An empty text or object is none.
pub(super) fn dead_letter_policy(params: &Params) -> Result<Option<NewDeadLetter>, V2Error> {
    let name = "deadLetterPolicy";
    let text = params.text(name).unwrap_or_default();
    if text.is_empty() {
        return Ok(None);
    }
    let policy: Value = serde_json::from_str(text).map_err(|_| V2Code::WrongType.about(name))?;
    let fields = policy.as_object().ok_or_else(|| V2Code::WrongType.about(name))?;
    if fields.is_empty() {
        return Ok(None);
    }
    let number = |key: &str| match fields.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(number)) => number.as_u64().map(Some).ok_or_else(|| V2Code::OutOfRange.about(key)),
        Some(Value::String(text)) => text.parse().map(Some).map_err(|_| V2Code::WrongType.about(key)),
        Some(_) => Err(V2Code::WrongType.about(key)),
    };
    let queue = fields.get("deadLetterQueue").and_then(Value::as_str).filter(|queue| !queue.is_empty());
    let queue = queue.ok_or_else(|| V2Code::Lacking.about("deadLetterQueue"))?.to_owned();
    let (key, rule): (_, fn(u64) -> Option<DeadLetterRule>) = match number("policy")? {
        None | Some(0) => ("maxReceiveCount", dead_letter::by_receives),
        Some(1) => ("maxTimeToLive", dead_letter::by_age),
        Some(_) => return Err(V2Code::OutOfRange.about("policy")),
    };
    let bound = number(key)?.ok_or_else(|| V2Code::Lacking.about(key))?;
    let rule = rule(bound).ok_or_else(|| V2Code::OutOfRange.about(key))?;
    Ok(Some(NewDeadLetter { queue, rule }))
}

/// `notifyStrategy`.
pub(super) fn strategy(params: &Params) -> Result<Option<Strategy>, V2Error> {
    let word = params.text("notifyStrategy");
    word.map(|word| words::strategy(word).ok_or_else(|| V2Code::Strategy.error())).transpose()
}

/// `notifyContentFormat`.
pub(super) fn format(params: &Params) -> Result<Option<Format>, V2Error> {
    let word = params.text("notifyContentFormat");
    word.map(|word| words::format(word).ok_or_else(|| V2Code::ContentFormat.error())).transpose()
}

/// `msgBody`.
pub(super) fn body(params: &Params) -> Result<Vec<Arc<str>>, V2Error> {
    let body = params.required("msgBody")?;
    if body.is_empty() { Err(V2Code::EmptyBody.error()) } else { Ok(vec![body.into()]) }
}

/// `msgBody.n`.
pub(super) fn bodies(params: &Params) -> Result<Vec<Arc<str>>, V2Error> {
    let bodies = params.list("msgBody", V2_BATCH, V2Code::BatchSize)?;
    if bodies.is_empty() {
        return Err(V2Code::Lacking.about("msgBody.n"));
    }
    if bodies.iter().any(|body| body.is_empty()) {
        return Err(V2Code::EmptyBody.error());
    }
    if bodies.iter().map(|body| body.len()).sum::<usize>() > BATCH_BYTES {
        return Err(V2Code::TotalSize.error());
    }
    Ok(bodies.into_iter().map(Arc::from).collect())
}

/// `delaySeconds`.
pub(super) fn delay_s(params: &Params) -> Result<u64, V2Error> {
    let out_of_range = V2Code::OutOfRange.about("delaySeconds");
    match params.integer("delaySeconds", 0..=DELAY_S) {
        Ok(delay) => Ok(delay.unwrap_or(0)),
        Err(error) if error == out_of_range => Err(V2Code::DelaySeconds.error()),
        Err(error) => Err(error),
    }
}

/// A receipt handle: a decimal u64.
pub(super) fn handle(text: &str) -> Result<Handle, V2Error> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| digits);
    number.map(Handle).ok_or_else(|| V2Code::ReceiptHandleForm.error())
}

/// `msgTag.n` or `filterTag.n`; more than five are refused with `too_many`.
pub(super) fn tags(params: &Params, parameter: &str, too_many: V2Code) -> Result<Vec<String>, V2Error> {
    let tags = params.list(parameter, V2_TAGS, too_many)?;
    if tags.iter().any(|tag| !rules::is_tag(tag, TAG_CHARS)) {
        return Err(V2Code::OutOfRange.about(parameter));
    }
    Ok(tags.into_iter().map(str::to_owned).collect())
}

/// `bindingKey.n`.
pub(super) fn binding_keys(params: &Params) -> Result<Vec<String>, V2Error> {
    let keys = params.list("bindingKey", V2_TAGS, V2Code::TooManyBindingKeys)?;
    keys.into_iter().map(|key| checked_key("bindingKey", key)).collect()
}

/// `routingKey`; empty when there is none. The Python and Go clients send an empty one to topics that do not route.
pub(super) fn routing_key(params: &Params) -> Result<String, V2Error> {
    checked_key("routingKey", params.text("routingKey").unwrap_or_default())
}

fn checked_key(parameter: &str, key: &str) -> Result<String, V2Error> {
    rules::check_key(key).map_err(|fault| match fault {
        BadKey::Length => V2Code::OutOfRange.about(parameter),
        BadKey::Dots => V2Code::TooManyDots.error(),
    })?;
    Ok(key.to_owned())
}

/// What a subscription asks for beyond CMQ.
pub(super) fn manner(params: &Params) -> Result<MannerEdit, V2Error> {
    struct Given<'a>(&'a Params);
    impl manner::Source for Given<'_> {
        type Error = V2Error;
        fn text(&self, key: &str) -> Result<Option<String>, V2Error> {
            Ok(self.0.text(&manner::v2_name(key)).map(str::to_owned))
        }
        fn refuse(&self, key: &str, rule: &str) -> V2Error {
            V2Code::OutOfRange.about(&manner::v2_name(key)).because(rule)
        }
    }
    manner::read(&Given(params))
}

/// `searchWord`.
pub(super) fn search(params: &Params) -> NameFilter {
    NameFilter { contains: params.text("searchWord").unwrap_or_default().to_owned(), ..NameFilter::default() }
}

/// `offset` and `limit` of a list of queues or topics: whoever gives the first must give the second.
pub(super) fn span(params: &Params) -> Result<Span, V2Error> {
    let offset = params.integer("offset", 0..=u64::MAX)?;
    let limit = params.integer("limit", 0..=PAGE)?;
    if offset.is_some() && limit.is_none() {
        return Err(V2Code::Lacking.about("limit"));
    }
    Ok(Span { offset: offset.unwrap_or(0), limit: limit.unwrap_or(PAGE_DEFAULT) })
}

/// An integer that has a default.
pub(super) fn integer_or(
    params: &Params,
    parameter: &str,
    range: RangeInclusive<u64>,
    default: u64,
) -> Result<u64, V2Error> {
    Ok(params.integer(parameter, range)?.unwrap_or(default))
}

/// Refuses a parameter, unless it is missing, empty or `nothing`, for what it asks for is not built.
pub(super) fn refuse(params: &Params, parameter: &str, nothing: &str, reason: &str) -> Result<(), V2Error> {
    match params.text(parameter) {
        Some(value) if !value.is_empty() && value != nothing => {
            Err(V2Code::OutOfRange.about(parameter).because(reason))
        }
        _ => Ok(()),
    }
}

/// What a list says of each of its items.
pub(super) fn rows<T>(page: &Page<T>, row: impl Fn(&T) -> Value) -> Vec<Value> {
    page.items.iter().map(row).collect()
}
