//! `herald event verify`.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use serde_json::{Value, json};
use wire::proof::{Facts, Finding, LineKey, Told, Verdict, Why};

use super::source::Heap;
use crate::client::{Client, Service};
use crate::context::Context;
use crate::failure::Failure;
use crate::listing::follow;
use crate::named::named;
use crate::reply::{items, number, text};
use crate::table::Table;

/// Prove from received messages that no event is missing, or name the gaps
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("source").required(true).args(["file", "queue"]))]
#[command(after_help = MORE)]
pub(crate) struct Verify {
    /// A file with received messages, one a line; `-` is standard input
    file: Option<PathBuf>,
    /// Take the messages from this queue instead
    #[arg(long, value_name = "NAME")]
    queue: Option<String>,
    /// Acknowledge what was taken from the queue: it forgets it
    #[arg(long, requires = "queue")]
    ack: bool,
    /// Take at most so many messages from the queue
    #[arg(long, value_name = "N", requires = "queue", default_value_t = 1_000_000)]
    most: u64,
    /// The topic that the messages are of
    #[arg(long, value_name = "NAME")]
    topic: Option<String>,
    /// The subscription that brought them: the server is asked what it was to bring
    #[arg(long, value_name = "NAME", requires = "topic", conflicts_with_all = ["filtered", "late"])]
    subscription: Option<String>,
    /// Judge this job or environment also when nothing of it was received; may be given several times
    #[arg(long = "of", value_name = "ID")]
    owners: Vec<String>,
    /// The subscription has a filter, so what is missing may be what it does not want
    #[arg(long)]
    filtered: bool,
    /// The subscription was made later than the job, so the first events may be none of its
    #[arg(long)]
    late: bool,
    /// Fail also when nothing can be proven, something is still to be delivered, or a message cannot be read
    #[arg(long)]
    strict: bool,
}

const MORE: &str = "\
A message may be an event's body, a push in any format, or what `herald queue receive --json` prints. The events of one
job (or environment) in one topic bear the numbers 1, 2, 3 ...; who holds 1 to n has missed none before it.
Exit status 1: events are missing.";

impl Verify {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let mut heap = Heap::of(self.topic.as_deref());
        if let Some(file) = &self.file {
            heap.read_file(file)?;
        }
        if let Some(queue) = &self.queue {
            heap.drain(&cx.client()?, queue, self.most).await?;
        }
        let mut keys: Vec<LineKey> = heap.proof.keys().cloned().collect();
        for owner in &self.owners {
            if keys.iter().all(|key| key.owner != *owner) {
                keys.push(LineKey { topic: self.topic.clone(), owner: owner.clone() });
            }
        }
        let subscription = match (&self.topic, &self.subscription) {
            (Some(topic), Some(name)) => Some(Subscription::ask(cx, topic, name).await?),
            _ => None,
        };
        let mut findings = Vec::new();
        for key in &keys {
            let facts = match &subscription {
                Some(subscription) if key.topic.as_ref() == self.topic.as_ref() => {
                    subscription.facts(cx, &heap, key).await?
                }
                _ => Facts { filtered: self.filtered, late: self.late, ..Facts::default() },
            };
            findings.push(heap.proof.find(key, &facts));
        }
        let told = tell(cx, &heap, &findings).and_then(|()| cx.out.flush());
        let verdict = judge(&findings, heap.broken.len(), self.strict);
        // What nobody has read must come again.
        let done = match &self.queue {
            Some(queue) if self.ack && told.is_ok() => acknowledge(cx, &mut heap, queue).await,
            _ => told,
        };
        // The verdict is the exit status also where nobody reads.
        verdict.and(done)
    }
}

async fn acknowledge(cx: &Context, heap: &mut Heap, queue: &str) -> Result<(), Failure> {
    let all = heap.acknowledge(&cx.client()?, queue).await.inspect_err(|_| {
        cx.out.say(format_args!("not all that was taken from queue {queue} is acknowledged; it comes again"));
    })?;
    if !all {
        cx.out.say(format_args!(
            "some messages were back in queue {queue} before they could be acknowledged; a longer visibility timeout \
             or --most helps"
        ));
    }
    Ok(())
}

/// What the server says of a subscription.
struct Subscription {
    topic: String,
    name: String,
    filtered: bool,
    start: u64,
}

impl Subscription {
    async fn ask(cx: &Context, topic: &str, name: &str) -> Result<Self, Failure> {
        let reply = cx.client()?.call(Service::Herald, "DescribeSubscriptionProgress", &named(topic, name)).await?;
        let filtered = reply["Filtered"].as_bool().unwrap_or(true);
        Ok(Self { topic: topic.to_owned(), name: name.to_owned(), filtered, start: number(&reply, "StartPlace") })
    }

    /// What is known of one job's or environment's events: how many there are, and what became of those that are
    /// not held.
    async fn facts(&self, cx: &Context, heap: &Heap, key: &LineKey) -> Result<Facts, Failure> {
        let Some(field) = id_field(&key.owner) else {
            return Ok(Facts { filtered: self.filtered, late: true, ..Facts::default() });
        };
        let mut params = json!({"TopicName": self.topic, "Limit": 1});
        params[field] = json!(key.owner);
        let client = cx.client()?;
        let Some(sent) = sent(&client, &params).await? else {
            return Ok(Facts { filtered: self.filtered, late: true, ..Facts::default() });
        };
        let late = number(&sent, "FirstPlace") <= self.start;
        let held = heap.proof.find(key, &Facts::default());
        if held.last == number(&sent, "Sent") && held.gaps.is_empty() {
            return Ok(Facts { filtered: self.filtered, late, ..Facts::default() });
        }
        params["SubscriptionName"] = json!(self.name);
        let list = follow(cx, "DescribeDeliveries", params, "DeliverySet", "deliveries", usize::MAX).await?;
        let told = items(&list, "DeliverySet").iter().filter_map(|one| Some((one["Sequence"].as_u64()?, told(one)?)));
        Ok(Facts { filtered: self.filtered, late, told: told.collect() })
    }
}

/// What went to the topic; `None`: the job or environment is not there any more.
async fn sent(client: &Client, params: &Value) -> Result<Option<Value>, Failure> {
    match client.call(Service::Herald, "DescribeEvents", params).await {
        Ok(reply) => Ok(Some(items(&reply, "TopicSet").first().cloned().unwrap_or_default())),
        Err(error)
            if ["ResourceNotFound.Job", "ResourceNotFound.ComputeEnv"].iter().any(|code| error.is_refusal(code)) =>
        {
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// The field that takes this id; `None`: it is of neither.
fn id_field(owner: &str) -> Option<&'static str> {
    [("job-", "JobId"), ("env-", "EnvId")].iter().find(|(prefix, _)| owner.starts_with(prefix)).map(|(_, field)| *field)
}

fn told(delivery: &Value) -> Option<Told> {
    Some(match text(delivery, "State").as_str() {
        "DELIVERED" | "COPIED" => Told::Delivered,
        "DEAD" => Told::Dead,
        "PENDING" | "RETRYING" => Told::Waiting,
        "SKIPPED" => Told::Unwanted,
        "NOT_SUBSCRIBED" => Told::Before,
        _ => return None,
    })
}

fn tell(cx: &mut Context, heap: &Heap, findings: &[Finding]) -> Result<(), Failure> {
    for (place, why) in &heap.broken {
        cx.out.say(format_args!("{place} begins like an event and is none: {why}"));
    }
    if cx.out.is_json() {
        let broken: Vec<Value> = heap.broken.iter().map(|(at, why)| json!({"Place": at, "Reason": why})).collect();
        let lines: Vec<Value> = findings.iter().map(view).collect();
        return cx.out.json(&json!({"Lines": lines, "Events": heap.events, "Others": heap.others, "Broken": broken}));
    }
    let (events, others) = (heap.events, heap.others);
    cx.out.say(format_args!("{events} events of {} jobs or environments, {others} other messages", findings.len()));
    cx.out.table(&table(findings))
}

fn view(finding: &Finding) -> Value {
    let list = |ranges: &[RangeInclusive<u64>]| -> Vec<Value> {
        ranges.iter().map(|range| json!([range.start(), range.end()])).collect()
    };
    let unprovable: Vec<Value> = finding
        .unprovable
        .iter()
        .map(|(range, why)| json!({"From": range.start(), "To": range.end(), "Why": reason(*why)}))
        .collect();
    json!({
        "Owner": finding.key.owner, "Topic": finding.key.topic, "Verdict": finding.verdict().as_str(),
        "Held": finding.held, "Last": finding.last, "Repeats": finding.repeats, "End": finding.end,
        "Gaps": list(&finding.gaps), "Dead": list(&finding.dead), "Unprovable": unprovable,
        "Waiting": list(&finding.waiting), "Conflicts": finding.conflicts,
    })
}

fn table(findings: &[Finding]) -> Table {
    let mut table = Table::new(&["OF", "TOPIC", "VERDICT", "HELD", "LAST", "REPEATS", "END", "MISSING"]);
    for finding in findings {
        table.row([
            finding.key.owner.clone(),
            finding.key.topic.clone().unwrap_or_default(),
            finding.verdict().as_str().to_owned(),
            finding.held.to_string(),
            finding.last.to_string(),
            finding.repeats.to_string(),
            finding.end.clone().unwrap_or_default(),
            missing(finding),
        ]);
    }
    table
}

/// Numbers that are missing, each with the reason, and those that two events bear.
fn missing(finding: &Finding) -> String {
    let mut parts: Vec<String> = finding.gaps.iter().map(span).collect();
    parts.extend(finding.dead.iter().map(|range| format!("{} (given up)", span(range))));
    parts.extend(finding.unprovable.iter().map(|(range, why)| format!("{} ({})", span(range), reason(*why))));
    parts.extend(finding.waiting.iter().map(|range| format!("{} (to be delivered)", span(range))));
    parts.extend(finding.conflicts.iter().map(|number| format!("{number} (of two events: of two topics?)")));
    parts.join(", ")
}

fn span(range: &RangeInclusive<u64>) -> String {
    if range.start() == range.end() { range.start().to_string() } else { format!("{}-{}", range.start(), range.end()) }
}

fn reason(why: Why) -> &'static str {
    match why {
        Why::Filtered => "may be filtered out",
        Why::Late => "may be before the subscription",
    }
}

/// Fails where events are missing; when it is strict, also where that cannot be told.
fn judge(findings: &[Finding], broken: usize, strict: bool) -> Result<(), Failure> {
    let Some(worst) = findings.iter().max_by_key(|finding| finding.verdict()) else {
        return if strict { unproven("not proven: there are no events") } else { Ok(()) };
    };
    let told = |what: &str| unproven(&format!("{what}: of {}: {}", worst.key.owner, missing(worst)));
    match worst.verdict() {
        Verdict::Gap => told("events are missing"),
        Verdict::Unprovable | Verdict::Waiting if strict => told("not proven"),
        _ if strict && broken > 0 => unproven(&format!("not proven: {broken} messages begin like events and are none")),
        _ => Ok(()),
    }
}

fn unproven(why: &str) -> Result<(), Failure> {
    Err(Failure::Unproven(why.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(gaps: &[RangeInclusive<u64>], unprovable: &[(RangeInclusive<u64>, Why)]) -> Finding {
        Finding {
            key: LineKey { topic: Some("t".into()), owner: "job-1".into() },
            held: 4,
            last: 9,
            repeats: 1,
            end: Some("JOB_SUCCEED".into()),
            gaps: gaps.to_vec(),
            dead: Vec::new(),
            unprovable: unprovable.to_vec(),
            waiting: Vec::new(),
            conflicts: Vec::new(),
        }
    }

    #[test]
    fn findings_are_told_in_a_line_each() {
        let found = [finding(&[2..=4, 6..=6], &[(1..=1, Why::Late)]), finding(&[], &[])];
        let wanted = "\
OF     TOPIC  VERDICT  HELD  LAST  REPEATS  END          MISSING
job-1  t      gap      4     9     1        JOB_SUCCEED  2-4, 6, 1 (may be before the subscription)
job-1  t      whole    4     9     1        JOB_SUCCEED
";
        assert_eq!(table(&found).render(None), wanted);
    }

    #[test]
    fn only_gaps_fail_unless_all_must_be_proven() {
        let (gap, open, whole) = (finding(&[2..=4], &[]), finding(&[], &[(1..=1, Why::Filtered)]), finding(&[], &[]));
        let said_of = |findings: &[Finding], broken, strict| {
            judge(findings, broken, strict).err().map(|failure| failure.to_string())
        };
        let said = |findings: &[Finding], strict| said_of(findings, 0, strict);
        assert_eq!(said(std::slice::from_ref(&whole), true), None);
        assert_eq!(said_of(std::slice::from_ref(&whole), 2, false), None);
        let broken = "not proven: 2 messages begin like events and are none";
        assert_eq!(said_of(std::slice::from_ref(&whole), 2, true).unwrap(), broken);
        assert_eq!((said(&[], false), said(&[], true).unwrap().as_str()), (None, "not proven: there are no events"));
        assert_eq!(said(&[open.clone(), whole], false), None);
        assert_eq!(said(&[gap, open.clone()], false).unwrap(), "events are missing: of job-1: 2-4");
        assert_eq!(said(&[open], true).unwrap(), "not proven: of job-1: 1 (may be filtered out)");
    }
}
