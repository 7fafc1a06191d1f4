//! The console in a real browser: a first session by forms alone, watched as it goes on; every page held against the
//! rules of HTML and of those who cannot see it. Pictures of the pages land in `target/console`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;

use crate::support::browser::{Browser, checkers};
use crate::support::receiver::Receiver;
use crate::support::server::Server;

/// Two tasks, one behind the other, in an environment; the first takes long enough to be seen.
const JOB: &str = r#"{"JobName": "first", "Tasks": [
  {"TaskName": "count", "TaskInstanceNum": 2, "EnvId": "ENV", "Application": {"DeliveryForm": "LOCAL",
    "Command": "echo \"<b>number</b> $BATCH_TASK_INSTANCE_INDEX\"; sleep 1"}},
  {"TaskName": "sum", "EnvId": "ENV", "Application": {"DeliveryForm": "LOCAL", "Command": "echo done"}}],
  "Dependences": [{"StartTask": "count", "EndTask": "sum"}],
  "Notifications": [{"TopicName": "job-message", "EventConfigs": [{"EventName": "JobSucceed"}]}]}"#;

/// A job with more to see: it is what README's pictures show.
const PICTURED: &str = r#"{"JobName": "index the archive", "Tasks": [
  {"TaskName": "fetch", "TaskInstanceNum": 6, "EnvId": "ENV", "Application": {"DeliveryForm": "LOCAL",
    "Command": "echo fetched"}},
  {"TaskName": "count", "TaskInstanceNum": 12, "EnvId": "ENV", "Application": {"DeliveryForm": "LOCAL",
    "Command": "echo \"<b>number</b> $BATCH_TASK_INSTANCE_INDEX\"; sleep 0.2"}},
  {"TaskName": "scale", "TaskInstanceNum": 4, "EnvId": "ENV", "Application": {"DeliveryForm": "LOCAL",
    "Command": "sleep 0.1"}},
  {"TaskName": "merge", "EnvId": "ENV", "Application": {"DeliveryForm": "LOCAL", "Command": "sleep 0.3"}},
  {"TaskName": "publish", "EnvId": "ENV", "Application": {"DeliveryForm": "LOCAL", "Command": "true"}}],
  "Dependences": [{"StartTask": "fetch", "EndTask": "count"}, {"StartTask": "fetch", "EndTask": "scale"},
    {"StartTask": "count", "EndTask": "merge"}, {"StartTask": "scale", "EndTask": "merge"},
    {"StartTask": "merge", "EndTask": "publish"}],
  "Notifications": [{"TopicName": "job-message", "EventConfigs": [{"EventName": "JobRunning"},
    {"EventName": "JobSucceed"}, {"EventName": "TaskSucceed"}]}]}"#;
/// The pictures that README shows.
const SHOWN: [&str; 2] = ["job-desktop-light", "overview-desktop-light"];

/// A server, and the address that leads into its console.
fn start() -> (Server, String) {
    let server = Server::start_with("[jobs]\nretry_pause_s = 0\n");
    let opened = server.herald(&["open", "--print"]);
    let address = String::from_utf8(opened.stdout).expect("an address").trim().to_owned();
    assert!(address.starts_with(&server.endpoint()), "{address}");
    (server, address)
}

fn pictures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/console")
}

#[test]
fn a_first_session_needs_nothing_but_the_console() {
    let (server, address) = start();
    let receiver = Receiver::answering(|count| if count < 4 { 500 } else { 200 });
    let browser = Browser::start(server.folder(), false);
    let page = |path: &str| format!("{}/console/{path}", server.endpoint());
    browser.go(&address);
    assert_eq!(browser.url(), page(""));

    // The three steps: a topic, an environment that names it, a queue as its subscriber.
    browser.go(&page("topics/new"));
    browser.fill("#name", "job-message");
    browser.press("main button.main");
    browser.wait_for("h1", "job-message");
    browser.go(&page("queues/new"));
    browser.fill("#name", "inbox");
    browser.press("main button.main");
    browser.wait_for("h1", "inbox");
    browser.go(&page("topics/job-message/subscribers/new"));
    browser.fill("#name", "to-inbox");
    browser.fill("#queue", "inbox");
    browser.press("main button.main");
    browser.wait_for("#subscribers", "to-inbox");
    // One that will fail, to be seen later.
    browser.go(&page("topics/job-message/subscribers/new"));
    browser.fill("#name", "to-office");
    browser.fill("#address", &receiver.url("/events"));
    browser.fill("#strategy", "BACKOFF_RETRY");
    browser.press("main button.main");
    browser.wait_for("#subscribers", "to-office");
    browser.go(&page("environments/new"));
    browser.fill("#name", "render");
    browser.fill("#nodes", "2");
    browser.fill("#topic", "job-message");
    browser.fill("#events", "COMPUTE_NODE_RUNNING");
    browser.press("main button.main");
    browser.wait_for("#nodes-list", "RUNNING");
    let env = browser.url().rsplit('/').next().expect("its id").to_owned();

    // The message arrives.
    browser.go(&page("queues/inbox"));
    browser.wait_for("#facts", "Visible2");
    browser.press("main form[action$=receive] button");
    browser.wait_for("article pre", "\"EventName\": \"COMPUTE_NODE_RUNNING\"");
    browser.press("article button.main");
    // The page that lives may tell of it before the form's own answer has come.
    browser.wait_until_gone("article");
    browser.wait_for("#facts", "Visible1");

    // A wrong field, then a right one; the graph goes on without the page being loaded again.
    browser.go(&page("jobs/new"));
    let right = JOB.replace("ENV", &env);
    browser.fill("#job", &right.replace("\"TaskInstanceNum\": 2", "\"TaskInstanceNum\": -2"));
    browser.press("main button.main");
    browser.wait_for("#job-problem", "Job.Tasks.0.TaskInstanceNum");
    browser.fill("#job", &right);
    browser.press("main button.main");
    browser.wait_for("h1", "first");
    browser.run("window.before = true", Vec::new());
    browser.wait_for("#graph", "RUNNING");
    browser.wait_for("h1", "SUCCEED");
    browser.wait_for("#events", "JOB_SUCCEED");
    assert_eq!(browser.run("return window.before", Vec::new()), true, "the page was loaded again");

    // Its output is text.
    browser.press("#graph a[href*=count]");
    browser.press("#list a[href$='index=1']");
    browser.wait_for("#logs pre", "<b>number</b> 1");

    // What was given up is sent once more, and so is what was sent.
    browser.go(&page("topics/job-message/subscribers/to-office"));
    browser.wait_for("#list", "DEAD");
    browser.press("#list form[action$=redeliver] button");
    browser.wait_for("#facts", "1 sent, 0 failed");
    browser.go(&page("topics/job-message/subscribers/to-inbox"));
    browser.wait_for("#list", "COPIED");
    browser.press("main form[action$=rewind] button");
    browser.wait_for("#facts", "DONE: 3 sent");
    browser.go(&page("queues/inbox"));
    browser.wait_for("#facts", "Visible5");
}

/// Pages with something on them, by their names.
fn pages(server: &Server) -> Vec<(&'static str, String)> {
    let made = |args: &[&str]| {
        let output = server.herald(args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    };
    made(&["topic", "create", "job-message"]);
    made(&["queue", "create", "inbox"]);
    made(&["key", "create", "--role", "submit,read", "--topic", "job-*", "--description", "of the nightly build"]);
    made(&["sub", "create", "job-message", "to-inbox", "--queue", "inbox"]);
    made(&["sub", "create", "job-message", "to-office", "--http", "http://127.0.0.1:9/events"]);
    made(&["queue", "send", "inbox", &BASE64.encode(r#"{"a": 1}"#)]);
    let env = server.folder().join("env.json");
    fs::write(&env, r#"{"EnvName": "render", "DesiredComputeNodeCount": 2, "EnvData": {"InstanceType": "local"}}"#)
        .expect("a file of the test");
    let env = made(&["env", "create", &env.display().to_string()]);
    let job = server.folder().join("job.json");
    fs::write(&job, PICTURED.replace("ENV", &env)).expect("a file of the test");
    let job = made(&["job", "submit", "--wait", &job.display().to_string()]).lines().next().expect("its id").to_owned();
    vec![
        ("overview", String::new()),
        ("jobs", "jobs".into()),
        ("job", format!("jobs/{job}")),
        ("task", format!("jobs/{job}/task?name=count")),
        ("instance", format!("jobs/{job}/instance?name=count&index=1")),
        ("submit", "jobs/new".into()),
        ("submit-form", "jobs/new/form".into()),
        ("environments", "environments".into()),
        ("environment", format!("environments/{env}")),
        ("new-environment", "environments/new".into()),
        ("topics", "topics".into()),
        ("topic", "topics/job-message".into()),
        ("subscriber", "topics/job-message/subscribers/to-office".into()),
        ("messages", "topics/job-message/messages".into()),
        ("message", "topics/job-message/messages/1".into()),
        ("change-topic", "topics/job-message/edit".into()),
        ("change-subscriber", "topics/job-message/subscribers/to-office/edit".into()),
        ("change-queue", "queues/inbox/edit".into()),
        ("queue-messages", "queues/inbox/messages".into()),
        ("new-subscriber", "topics/job-message/subscribers/new".into()),
        ("queues", "queues".into()),
        ("queue", "queues/inbox".into()),
        ("keys", "keys".into()),
        ("new-key", "keys/new".into()),
        ("login", "login".into()),
    ]
}

#[test]
fn every_page_is_valid_and_can_be_used_by_everybody() {
    let (server, address) = start();
    let pages = pages(&server);
    let axe = fs::read_to_string(checkers().join("node_modules/axe-core/axe.min.js")).expect("axe-core");
    let sources = server.folder().join("sources");
    fs::create_dir(&sources).expect("a folder of the test");
    let mut problems = Vec::new();
    for (scheme, is_dark) in [("light", false), ("dark", true)] {
        let folder = server.folder().join(scheme);
        fs::create_dir(&folder).expect("a folder of the test");
        let browser = Browser::start(&folder, is_dark);
        if is_dark {
            let opened = server.herald(&["open", "--print"]);
            browser.go(String::from_utf8(opened.stdout).expect("an address").trim());
        } else {
            browser.go(&address);
        }
        for (name, path) in &pages {
            browser.go(&format!("{}/console/{path}", server.endpoint()));
            for (size, width) in [("desktop", 1_280), ("phone", 400)] {
                browser.draw(width, &pictures().join(format!("{name}-{size}-{scheme}.png")));
                browser.run(&axe, Vec::new());
                let found = browser.ask("const done = arguments[0]; axe.run().then((found) => done(found.violations))");
                let wide = browser.run("return document.documentElement.scrollWidth > innerWidth", Vec::new());
                let told = |text: &str| format!("{name}, {size}, {scheme}: {text}");
                problems.extend(found.as_array().into_iter().flatten().map(|it| told(&it.to_string())));
                problems.extend((wide == true).then(|| told("wider than the window")));
            }
            fs::write(sources.join(format!("{name}.html")), browser.source()).expect("a file of the test");
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    if std::env::var_os("HERALD_WRITE_DOCS").is_some() {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/console");
        fs::create_dir_all(&docs).expect("a folder for pictures");
        for name in SHOWN {
            let file = format!("{name}.png");
            fs::copy(pictures().join(&file), docs.join(&file)).expect("the picture is there");
        }
    }
    let mut validate = Command::new("node");
    validate.arg(checkers().join("node_modules/html-validate/bin/html-validate.mjs"));
    validate.args(["--preset", "recommended"]).arg(&sources).stdin(Stdio::null());
    let validated = validate.output().expect("node is where npm is");
    let told = String::from_utf8_lossy(&validated.stdout).into_owned();
    assert!(validated.status.success(), "{told}{}", String::from_utf8_lossy(&validated.stderr));
}
