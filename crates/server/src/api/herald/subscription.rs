//! Actions on subscriptions that CMQ does not have: `PauseSubscription`, `ResumeSubscription`,
//! `RotateSubscriptionSecret`.

use kernel::command::{Command, Reply};
use kernel::limits::{SECRET_OVERLAP_DEFAULT_S, SECRET_OVERLAP_S};
use serde_json::{Value, json};
use wire::api3::ApiError;
use wire::{fields, webhook};

use crate::App;
use crate::api::api3::{Action, submit, unexpected};
use crate::api::cmq::manner::SECRET_RULE;
use crate::api::cmq::read;
use crate::api::tdmq;
use crate::ledger::Lane;

const INVALID: &str = "InvalidParameterValue";

pub(super) const PAUSE: Action = Action {
    name: "PauseSubscription",
    help: "Lets no message of a subscription leave until it is resumed; its messages stay as long as its topic keeps \
           them.",
    call: |app, params| {
        Box::pin(async move {
            let (topic, name) = names(params)?;
            done(app, Command::PauseSubscription { topic, name }).await
        })
    },
};

pub(super) const RESUME: Action = Action {
    name: "ResumeSubscription",
    help: "Lets the messages of a subscription leave again: ends a pause, an open circuit, and what a Retry-After has \
           asked for.",
    call: |app, params| {
        Box::pin(async move {
            let (topic, name) = names(params)?;
            done(app, Command::ResumeSubscription { topic, name }).await
        })
    },
};

pub(super) const ROTATE: Action = Action {
    name: "RotateSubscriptionSecret",
    help: "Gives a subscription another secret to sign its posts with, and tells it; the old one stays valid beside it \
           for a time.",
    call: |app, params| Box::pin(rotate(app, params)),
};

async fn rotate(app: &App, params: &Value) -> Result<Value, ApiError> {
    let command = rotation(params)?;
    let Command::RotateSecret { topic, name, .. } = &command else { return Ok(json!({})) };
    let (topic, name) = (topic.clone(), name.clone());
    done(app, command).await?;
    Ok(json!({"SignatureSecret": read::secret(app, &topic, &name)}))
}

fn names(params: &Value) -> Result<(String, String), ApiError> {
    fields::read(params, "", |reader| {
        Ok((reader.required_string("TopicName")?, reader.required_string("SubscriptionName")?))
    })
}

pub(super) fn rotation(params: &Value) -> Result<Command, ApiError> {
    fields::read(params, "", |reader| {
        let (topic, name) = (reader.required_string("TopicName")?, reader.required_string("SubscriptionName")?);
        let secret = match reader.string("SignatureSecret")?.filter(|text| !text.is_empty()) {
            None => None,
            Some(text) => {
                let secret = webhook::parse_secret(&text);
                Some(secret.ok_or_else(|| reader.refuse("SignatureSecret", INVALID, SECRET_RULE))?)
            }
        };
        let keep_s = reader.u64("KeepOldSeconds")?.unwrap_or(SECRET_OVERLAP_DEFAULT_S);
        if keep_s > SECRET_OVERLAP_S {
            let rule = format!("it must be from 0 to {SECRET_OVERLAP_S}");
            return Err(reader.refuse("KeepOldSeconds", INVALID, rule));
        }
        Ok(Command::RotateSecret { topic, name, secret, keep_s })
    })
}

async fn done(app: &App, command: Command) -> Result<Value, ApiError> {
    match submit(app, Lane::Api, command, tdmq::of_refusal).await? {
        Reply::Done => Ok(json!({})),
        other => Err(unexpected(&other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotation_is_read_with_its_default_and_its_bound() {
        let names = json!({"TopicName": "t", "SubscriptionName": "s"});
        let shown = format!("{:?}", rotation(&names).unwrap());
        assert_eq!(shown, r#"RotateSecret { topic: "t", name: "s", secret: None, keep_s: 86400 }"#);
        let refused = |key: &str, value: Value| {
            let mut params = names.clone();
            params[key] = value;
            rotation(&params).unwrap_err().to_string()
        };
        let told = "InvalidParameterValue: KeepOldSeconds: it must be from 0 to 2592000";
        assert_eq!(refused("KeepOldSeconds", json!(2_592_001)), told);
        let told = "InvalidParameterValue: SignatureSecret: it must be whsec_ and 24 to 64 bytes in Base64";
        assert_eq!(refused("SignatureSecret", json!("secret")), told);
    }
}
