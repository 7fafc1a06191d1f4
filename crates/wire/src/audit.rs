//! The text of an entry of the audit trail.

use kernel::audit::Audited;
use serde::Serialize;

use crate::time::Utc;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry<'a> {
    audit_version: &'static str,
    audit_time: Utc,
    region: &'a str,
    secret_id: &'a str,
    address: &'a str,
    product: &'a str,
    action: &'a str,
    targets: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    made: Option<&'a str>,
    event_id: String,
    /// Its place in its topic: where nothing else is published there, they follow one another without a gap.
    place: u64,
}

/// The text of an entry at a place of its topic.
#[must_use]
pub fn body(audited: &Audited, place: u64, region: &str) -> String {
    let call = &audited.call;
    let entry = Entry {
        audit_version: "1.0",
        audit_time: Utc(audited.at),
        region,
        secret_id: &call.secret_id,
        address: &call.address,
        product: call.product,
        action: call.action,
        targets: &call.targets,
        made: audited.made.as_deref(),
        event_id: audited.id.to_string(),
        place,
    };
    serde_json::to_string(&entry).expect("texts and numbers can always be written")
}

#[cfg(test)]
mod tests {
    use kernel::audit::Call;
    use kernel::event::EventId;
    use kernel::time::Timestamp;
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn an_entry_tells_who_did_what() {
        let (at, mut chance) = (Timestamp(1_520_480_508_000), rand::rngs::StdRng::seed_from_u64(1));
        let id = EventId::draw(at, &mut chance);
        let call = Call {
            secret_id: "AKIDme".into(),
            address: "10.0.0.1".into(),
            product: "batch",
            action: "SubmitJob",
            targets: vec!["environment env-00000001".into()],
        };
        let text = body(&Audited { id, at, call, made: Some("job-00000001".into()) }, 3, "here");
        let wanted = format!(
            "{{\"AuditVersion\":\"1.0\",\"AuditTime\":\"2018-03-08T03:41:48Z\",\"Region\":\"here\",\"SecretId\":\"AKIDme\",\
             \"Address\":\"10.0.0.1\",\"Product\":\"batch\",\"Action\":\"SubmitJob\",\
             \"Targets\":[\"environment env-00000001\"],\"Made\":\"job-00000001\",\"EventId\":\"{id}\",\"Place\":3}}"
        );
        assert_eq!(text, wanted);
    }
}
