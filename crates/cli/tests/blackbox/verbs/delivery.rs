//! `herald delivery` and `herald event`.

use serde_json::{Value, json};

use super::{Client, Said};
use crate::support::receiver::Receiver;
use crate::support::server::Server;
use crate::support::wait;

/// An environment without nodes that tells topic `news` when its size changes; its id.
fn telling_env(server: &Server) -> String {
    let file = json!({"EnvName": "tells", "DesiredComputeNodeCount": 0, "EnvData": {"InstanceType": "S5.SMALL1"},
        "Notifications": [{"TopicName": "news",
            "EventConfigs": [{"EventName": "COMPUTE_ENV_CREATED"}, {"EventName": "COMPUTE_ENV_SCALED"}]}]});
    server.says_of("env create -", &file.to_string()).one_line()
}

/// A server that can make no nodes: an environment that grows only tells of it.
fn server_without_nodes() -> Server {
    Server::start_with("[nodes]\nlocal_capacity = 0\n")
}

/// Lets the environment grow, node by node, and tell of each.
fn grow(server: &Server, env: &str, nodes: std::ops::RangeInclusive<u32>) {
    for wanted in nodes {
        server.says(&format!("env scale {env} {wanted}")).assert_told("is to have");
    }
}

/// Topic `news` with queue `inbox` subscribed to it as `in-queue`.
fn news_with_inbox(server: &Server) {
    for line in ["topic create news", "queue create inbox --visibility 3600", "sub create news in-queue --queue inbox"]
    {
        server.says(line).one_line();
    }
}

/// The one line of a verification.
fn finding(said: &Said) -> Value {
    let verdict: Value = serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {}", said.all()));
    let lines = verdict["Lines"].as_array().expect("a list").clone();
    assert_eq!(lines.len(), 1, "{verdict}");
    lines[0].clone()
}

#[test]
fn every_attempt_of_a_delivery_is_seen() {
    let server = Server::start();
    // The first post fails; the strategy's next one comes a second later.
    let receiver = Receiver::answering(|number| if number == 0 { 500 } else { 200 });
    server.says("topic create news").one_line();
    let line = format!("sub create news by-post --http {} --format SIMPLIFIED", receiver.url("/"));
    server.says(&line).one_line();
    server.says("delivery list news by-post").assert_told("no deliveries");
    let id = server.says("topic publish news hello").one_line();
    let delivered = |server: &Server| {
        let shown = server.says(&format!("delivery show news by-post {id} --json")).json();
        (shown["State"] == "DELIVERED" && shown["Attempts"] == 2).then_some(shown)
    };
    let shown = wait::until("the second attempt", || delivered(&server));
    assert_eq!((&shown["AttemptSet"][0]["Status"], &shown["AttemptSet"][1]["Status"]), (&json!(500), &json!(200)));
    assert_eq!(shown["Body"], "hello");
    server.says(&format!("delivery show news by-post {id}")).assert_printed(&["DELIVERED", "ATTEMPT", "500", "200"]);
    server.says("delivery list news by-post").assert_printed(&["MESSAGE ", &id, "DELIVERED"]);
    server.says(&format!("delivery list --message {id}")).assert_printed(&["by-post", "DELIVERED"]);
    server.says("delivery list news by-post --state dead").assert_told("no deliveries");
    let failed = server.says("delivery list news by-post --attempts --outcome failed --json").json();
    assert_eq!(failed["AttemptSet"].as_array().map(Vec::len), Some(1), "{failed}");
    server
        .says("delivery list news nobody")
        .assert_failed(1, &["subscription `nobody` of topic `news` does not exist"]);
    server.says("delivery show news by-post 7").assert_failed(1, &["MsgId"]);
}

#[test]
fn what_an_environment_has_told_is_listed_with_its_deliveries() {
    let server = server_without_nodes();
    news_with_inbox(&server);
    let env = telling_env(&server);
    grow(&server, &env, 1..=3);
    let events = server.says(&format!("event list --env {env} --json")).json();
    let numbers: Vec<u64> =
        events["EventSet"].as_array().unwrap().iter().map(|one| one["Sequence"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [4, 3, 2, 1]);
    server
        .says(&format!("event list --env {env} --topic news"))
        .assert_printed(&["COMPUTE_ENV_CREATED", "COMPUTE_ENV_SCALED"]);
    let copied = wait::until("all copied", || {
        let list = server.says(&format!("delivery list --env {env} --json")).json();
        let list = list["DeliverySet"].as_array().unwrap().clone();
        list.iter().all(|one| one["State"] == "COPIED").then_some(list)
    });
    assert_eq!((copied.len(), &copied[0]["Owner"]), (4, &json!(env)));
    server.says("event list --job job-0000000z").assert_failed(1, &["job job-0000000z does not exist"]);
}

#[test]
fn received_events_are_proven_whole_or_their_gaps_named() {
    let server = server_without_nodes();
    news_with_inbox(&server);
    let env = telling_env(&server);
    grow(&server, &env, 1..=3);
    wait::until("all copied", || {
        let list = server.says("queue show inbox --json").json();
        (list["QueueDescribe"]["ActiveMsgNum"] == 4).then_some(())
    });
    let received: Vec<Value> = (0..4).map(|_| server.says("queue receive inbox --json").json()).collect();
    let file = |which: &[usize]| which.iter().map(|at| format!("{}\n", received[*at])).collect::<String>();

    let whole = finding(&server.says_of("event verify - --json", &file(&[0, 1, 2, 3, 2])));
    let right = (&json!("whole"), &json!(4), &json!(1), &json!(env));
    assert_eq!((&whole["Verdict"], &whole["Held"], &whole["Repeats"], &whole["Owner"]), right);
    let pretty = serde_json::to_string_pretty(&received[0]).unwrap();
    server.says_of("event verify -", &format!("hello\n{pretty}")).assert_printed(&["whole", &env]);

    let part = file(&[0, 3]);
    let said = server.says_of("event verify -", &part);
    assert_eq!(said.status, Some(1), "{}", said.all());
    assert!(said.err.contains(&format!("events are missing: of {env}: 2-3")), "{}", said.all());
    let said = server.says_of("event verify - --filtered", &part);
    assert!(said.printed().contains("unprovable"), "{}", said.all());
    assert_eq!(server.says_of("event verify - --filtered --strict", &part).status, Some(1));
    assert_eq!(server.says_unread("event verify -", &part).status, Some(1), "the verdict stands where nobody reads");
    let broken = format!("{}{{\"Events\":[{{\"EventName\":7}}]}}\n", file(&[0, 1, 2, 3]));
    let said = server.says_of("event verify -", &broken);
    assert!(said.printed().contains("whole") && said.err.contains("line 5 begins like an event"), "{}", said.all());
    let said = server.says_of("event verify - --strict", &broken);
    assert_eq!(said.status, Some(1), "{}", said.all());
    assert!(said.err.contains("not proven: 1 messages begin like events and are none"), "{}", said.all());
    let said = server.says_of("event verify - --strict", "hello\n");
    assert!(said.status == Some(1) && said.err.contains("there are no events"), "{}", said.all());
    // The server knows what was to come, so a gap at the end is seen too.
    let asking = "event verify - --json --topic news --subscription in-queue";
    let said = server.says_of(asking, &file(&[0, 1]));
    assert_eq!((said.status, &finding(&said)["Gaps"]), (Some(1), &json!([[3, 4]])), "{}", said.all());
    let said = server.says_of(&format!("{asking} --of {env}"), "");
    assert_eq!((said.status, &finding(&said)["Gaps"]), (Some(1), &json!([[1, 4]])), "{}", said.all());

    server.says("sub create news late --queue inbox").one_line();
    grow(&server, &env, 4..=4);
    let late = "event verify - --json --topic news --subscription late";
    let last = wait::until("the fifth", || {
        let said = server.says("queue receive inbox --json");
        (said.status == Some(0)).then(|| said.json())
    });
    let said = server.says_of(late, &last.to_string());
    assert_eq!((said.status, &finding(&said)["Verdict"]), (Some(0), &json!("whole")), "{}", said.all());
}

#[test]
fn a_queue_is_verified_and_emptied_only_when_asked() {
    let server = server_without_nodes();
    news_with_inbox(&server);
    server.says("queue create again --visibility 3600").one_line();
    server.says("sub create news twice --queue again").one_line();
    let env = telling_env(&server);
    grow(&server, &env, 1..=20);
    let counts = |queue: &str| {
        let shown = server.says(&format!("queue show {queue} --json")).json()["QueueDescribe"].clone();
        (shown["ActiveMsgNum"].as_u64().unwrap(), shown["InactiveMsgNum"].as_u64().unwrap())
    };
    for queue in ["inbox", "again"] {
        wait::until("all copied", || (counts(queue) == (21, 0)).then_some(()));
    }
    let some = server.says("event verify --queue inbox --most 3 --json --filtered");
    assert_eq!((&finding(&some)["Held"], counts("inbox")), (&json!(3), (18, 3)), "no more than it was asked for");
    let more = server.says_unread("event verify --queue inbox --most 2 --json --filtered --ack", "");
    assert_eq!((more.status, counts("inbox")), (Some(0), (16, 5)), "what nobody has read comes again");
    let more = finding(&server.says("event verify --queue inbox --most 2 --json --filtered --ack"));
    assert_eq!((&more["Held"], counts("inbox")), (&json!(2), (14, 5)));
    let left = finding(&server.says("event verify --queue inbox --json --filtered"));
    assert_eq!((&left["Held"], counts("inbox")), (&json!(14), (0, 19)));
    let taken = finding(&server.says("event verify --queue again --ack --json"));
    assert_eq!((&taken["Verdict"], &taken["Held"], counts("again")), (&json!("whole"), &json!(21), (0, 0)));
    server.says("event verify --queue nowhere").assert_failed(1, &["queue is not existed"]);
    server.says("event verify").assert_failed(2, &["--queue <NAME>"]);
}
