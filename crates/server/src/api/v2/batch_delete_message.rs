//! `BatchDeleteMessage`.

use kernel::command::{Command, Reply};
use kernel::queue::Handle;
use serde_json::{Value, json};
use wire::limits::V2_BATCH;
use wire::v2::{Params, V2Code, V2Error};

use super::fields::{handle, name};
use super::{Action, submit, unexpected};
use crate::App;
use crate::ledger::Lane;

pub(super) const ACTION: Action = Action {
    name: "BatchDeleteMessage",
    help: "Deletes up to 16 received messages: each whose handle is good.",
    call: |app, params| Box::pin(call(app, params)),
};

async fn call(app: &App, params: &Params) -> Result<Value, V2Error> {
    let queue = name(params, "queueName")?;
    let texts = params.list("receiptHandle", V2_BATCH, V2Code::BatchSize)?;
    if texts.is_empty() {
        return Err(V2Code::Lacking.about("receiptHandle.n"));
    }
    let parsed: Vec<_> = texts.iter().map(|text| handle(text)).collect();
    let handles: Vec<Handle> = parsed.iter().flatten().copied().collect();
    match submit(app, Lane::Messages, Command::DeleteMessages { queue, handles }).await? {
        Reply::Deleted(deleted) => outcome(&texts, &parsed, &deleted),
        other => Err(unexpected(&other)),
    }
}

/// What is said of handles: as they were given, as they were read, and whether those that could be read were good.
fn outcome(texts: &[&str], parsed: &[Result<Handle, V2Error>], deleted: &[bool]) -> Result<Value, V2Error> {
    let mut deleted = deleted.iter();
    let mut errors = Vec::new();
    for (text, parsed) in texts.iter().zip(parsed) {
        let fault = match parsed {
            Err(error) => error.clone(),
            Ok(_) if deleted.next() == Some(&true) => continue,
            Ok(_) => V2Code::ReceiptHandle.error(),
        };
        errors.push(json!({"code": fault.code, "message": fault.text, "receiptHandle": text}));
    }
    let code = match errors.len() {
        0 => return Ok(json!({})),
        failed if failed == texts.len() => V2Code::DeleteAllFailed,
        _ => V2Code::DeletePartlyFailed,
    };
    Err(code.error().with("errorList", errors.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_handle_that_failed_is_told_with_its_reason() {
        let texts = ["7", "x", "9"];
        let parsed: Vec<_> = texts.iter().map(|text| handle(text)).collect();
        assert_eq!(outcome(&texts[..1], &parsed[..1], &[true]), Ok(json!({})));

        let partly = outcome(&texts, &parsed, &[true, false]).unwrap_err();
        assert_eq!((partly.code, partly.to_string().as_str()), (6010, "(10150)delete message partially failed"));
        let list = json!([
            {"code": 4000, "message": "receiptHandle error", "receiptHandle": "x"},
            {"code": 4430, "message": "receipt handle is invalid", "receiptHandle": "9"},
        ]);
        assert_eq!(partly.fields["errorList"], list);

        let all = outcome(&texts, &parsed, &[false, false]).unwrap_err();
        assert_eq!((all.code, all.to_string().as_str()), (6020, "(10290)batch delete message failed"));
        assert_eq!(all.fields["errorList"].as_array().map(Vec::len), Some(3));
    }
}
