//! A disk that is nearly full: what needs room is refused, what runs goes on, and all goes on by itself when there is
//! room again. The disk is filled with a file that takes its room at once and is never written.

use std::fs::{self, File};
use std::path::Path;

use nix::fcntl::posix_fallocate;
use nix::sys::statvfs::statvfs;
use serde_json::json;

use crate::support::field::Field;
use crate::support::wait;

const MB: u64 = 1_000_000;
/// Room above what is to stay free: what other tests write meanwhile must not matter.
const ROOM_MB: u64 = 3_000;

fn free_mb(folder: &Path) -> u64 {
    let found = statvfs(folder).expect("a folder is on some disk");
    found.blocks_available() * found.fragment_size() / MB
}

#[test]
fn what_needs_room_is_refused_until_there_is_some() {
    let folder = std::env::temp_dir();
    let keep_mb = free_mb(&folder).saturating_sub(ROOM_MB);
    assert!(keep_mb > 0, "the temporary folder's disk needs {ROOM_MB} MB of room for this");
    let mut field = Field::start(&format!("keep_free_mb = {keep_mb}\n"), 1);
    let long = field.task("long", "exec sleep 3600", 1);
    let long = field.submit(&[long], json!({"JobName": "long"}));
    field.wait_for(&long, "RUNNING");

    let filler = field.path("filler");
    let file = File::create(&filler).expect("a file of the test");
    let bytes = i64::try_from(2 * ROOM_MB * MB).expect("a file's length");
    posix_fallocate(&file, 0, bytes).expect("there is so much room");
    let mut made = 0;
    let refused = wait::until("the server to see it", || {
        made += 1;
        field.official.tdmq("CreateCmqTopic", json!({"TopicName": format!("t{made}")})).err()
    });
    assert_eq!(refused.code, "ResourceInsufficient", "{refused}");
    assert!(refused.message.contains("disk is nearly full"), "{refused}");
    // What ends while there is no room is told once there is some; what needs none is taken at any time.
    field.official.batch("TerminateJob", json!({"JobId": long})).expect("it needs no room");

    fs::remove_file(&filler).expect("it is the test's own");
    drop(file);
    field.wait_for(&long, "FAILED");
    wait::until("room to be seen again", || field.official.tdmq("CreateCmqTopic", json!({"TopicName": "after"})).ok());
}
