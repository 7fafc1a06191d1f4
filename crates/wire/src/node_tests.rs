//! The frames of the node protocol as texts.

use super::*;

fn run(index: u32) -> RunId {
    RunId { job: JobId::from_number(35).unwrap(), task: 1, index, attempt: 2 }
}

fn order() -> TaskOrder {
    TaskOrder {
        job: run(0).job,
        task: 1,
        task_name: "count".to_owned(),
        instance_num: 8,
        command: "wc -w \"$INPUT\"".to_owned(),
        env: vec![("INPUT".to_owned(), "/data/é".to_owned())],
        setup: None,
        timeout_ms: 60_000,
        grace_ms: 10_000,
    }
}

fn hello() -> FromNode {
    FromNode::Hello {
        version: VERSION,
        node: NodeId::from_number(1).unwrap(),
        token: "s3cret".to_owned(),
        agent_version: "0.1.0".to_owned(),
        cpu: 2,
        mem_mb: 24_105,
        addresses: vec!["127.0.0.1".to_owned()],
        limits: "no limits".to_owned(),
        held: vec![run(0)],
    }
}

fn exited(exit: Exit) -> Report {
    Report::Exited {
        run: run(3),
        at: 1_700_000_000_123,
        exit,
        run_ms: 17,
        stdout: "aGk=".to_owned(),
        stderr: String::new(),
    }
}

/// Asserts that the frame is written as `golden` and that `golden` is read as the frame.
fn same<F: Frame + PartialEq + fmt::Debug>(frame: &F, golden: &str) {
    assert_eq!(encode(frame).unwrap(), golden);
    assert_eq!(&decode::<F>(golden).unwrap(), frame);
}

const RUN3: &str = r#"{"job":"job-0000000z","task":1,"index":3,"attempt":2}"#;

#[test]
fn what_an_agent_says() {
    same(
        &hello(),
        r#"{"type":"hello","version":1,"node":"node-00000001","token":"s3cret","agent_version":"0.1.0","cpu":2,"mem_mb":24105,"addresses":["127.0.0.1"],"limits":"no limits","held":[{"job":"job-0000000z","task":1,"index":0,"attempt":2}]}"#,
    );
    same(&FromNode::Beat, r#"{"type":"beat"}"#);
    let disks = vec![("vda".to_owned(), 5_000)];
    let sample = Sample { run: run(3), number: 0, at: 1_700_000_000_100, cpu: 9_950, mem: 12, disks, net: None };
    same(
        &FromNode::Samples { samples: vec![sample] },
        &format!(
            r#"{{"type":"samples","samples":[{{"run":{RUN3},"number":0,"at":1700000000100,"cpu":9950,"mem":12,"disks":[["vda",5000]]}}]}}"#
        ),
    );
    let reports = vec![
        Report::Started { run: run(3), at: 1_700_000_000_100 },
        exited(Exit::Code { code: 0 }),
        Report::Revoked { run: run(3) },
    ];
    same(
        &FromNode::Reports { number: 7, reports },
        &format!(
            r#"{{"type":"reports","number":7,"reports":[{{"type":"started","run":{RUN3},"at":1700000000100}},{{"type":"exited","run":{RUN3},"at":1700000000123,"exit":{{"type":"code","code":0}},"run_ms":17,"stdout":"aGk=","stderr":""}},{{"type":"revoked","run":{RUN3}}}]}}"#
        ),
    );
}

#[test]
fn how_a_run_ends() {
    for (exit, golden) in [
        (Exit::Code { code: 3 }, r#"{"type":"code","code":3}"#),
        (Exit::Signal { signal: 9 }, r#"{"type":"signal","signal":9}"#),
        (Exit::OutOfMemory { code: 137, limit_mb: 64 }, r#"{"type":"out_of_memory","code":137,"limit_mb":64}"#),
        (Exit::TimedOut, r#"{"type":"timed_out"}"#),
        (Exit::Killed, r#"{"type":"killed"}"#),
        (Exit::NotStarted { reason: "no folder".to_owned() }, r#"{"type":"not_started","reason":"no folder"}"#),
    ] {
        let text = encode(&FromNode::Reports { number: 1, reports: vec![exited(exit.clone())] }).unwrap();
        assert!(text.contains(&format!(r#""exit":{golden},"#)), "{text}");
        assert_eq!(serde_json::from_str::<Exit>(golden).unwrap(), exit);
    }
}

#[test]
fn what_the_server_says() {
    same(
        &ToNode::Welcome { version: 1, beat_ms: 1_000, sample_ms: 10_000, believed: vec![run(3)] },
        &format!(r#"{{"type":"welcome","version":1,"beat_ms":1000,"sample_ms":10000,"believed":[{RUN3}]}}"#),
    );
    same(&ToNode::Refused { reason: "unknown node".to_owned() }, r#"{"type":"refused","reason":"unknown node"}"#);
    same(
        &ToNode::Start { tasks: vec![order()], runs: vec![run(3)] },
        &format!(
            r#"{{"type":"start","tasks":[{{"job":"job-0000000z","task":1,"task_name":"count","instance_num":8,"command":"wc -w \"$INPUT\"","env":[["INPUT","/data/é"]],"timeout_ms":60000,"grace_ms":10000}}],"runs":[{RUN3}]}}"#
        ),
    );
    same(&ToNode::Kill { runs: vec![run(3)] }, &format!(r#"{{"type":"kill","runs":[{RUN3}]}}"#));
    same(&ToNode::Revoke { runs: vec![run(3)] }, &format!(r#"{{"type":"revoke","runs":[{RUN3}]}}"#));
    same(&ToNode::Ack { number: 7 }, r#"{"type":"ack","number":7}"#);
    same(&ToNode::Stop, r#"{"type":"stop"}"#);
}

#[test]
fn a_later_version_may_add_fields() {
    assert_eq!(decode::<ToNode>(r#"{"type":"ack","number":7,"since":"later"}"#).unwrap(), ToNode::Ack { number: 7 });
}

#[test]
fn a_frame_over_a_limit_is_neither_written_nor_read() {
    let reports = vec![Report::Revoked { run: run(3) }; REPORTS_PER_FRAME + 1];
    let many = FromNode::Reports { number: 1, reports };
    assert!(matches!(encode(&many), Err(FrameError::TooMany { what: "reports", .. })));
    let text = serde_json::to_string(&many).unwrap();
    assert!(matches!(decode::<FromNode>(&text), Err(FrameError::TooMany { what: "reports", .. })));

    let long = ToNode::Refused { reason: "x".repeat(FRAME_BYTES) };
    assert!(matches!(encode(&long), Err(FrameError::TooLong { .. })));
    let text = serde_json::to_string(&long).unwrap();
    assert!(matches!(decode::<ToNode>(&text), Err(FrameError::TooLong { .. })));
}

#[test]
fn the_fullest_frame_of_reports_fits() {
    let tail = "A".repeat(TAIL_BYTES.div_ceil(3) * 4);
    let exit = Exit::NotStarted { reason: "\u{1}".repeat(REASON_BYTES) };
    let run = RunId { task: u32::MAX, index: u32::MAX, attempt: u32::MAX, ..run(0) };
    let report = Report::Exited { run, at: i64::MIN, exit, run_ms: u64::MAX, stdout: tail.clone(), stderr: tail };
    let reports = vec![report; REPORTS_PER_FRAME];
    assert!(encode(&FromNode::Reports { number: u64::MAX, reports }).is_ok());
}

#[test]
fn something_else_is_malformed() {
    for text in
        ["", "[]", r#"{"type":"ack"}"#, r#"{"type":"later"}"#, r#"{"number":7}"#, r#"{"type":"kill","runs":[7]}"#]
    {
        assert!(matches!(decode::<ToNode>(text), Err(FrameError::Malformed(_))), "{text}");
    }
}

#[test]
fn debug_shows_no_secret() {
    assert!(!format!("{:?}", hello()).contains("s3cret"));
    let start = format!("{:?}", ToNode::Start { tasks: vec![order()], runs: vec![] });
    assert!(start.contains("INPUT") && !start.contains("/data/"), "{start}");
}
