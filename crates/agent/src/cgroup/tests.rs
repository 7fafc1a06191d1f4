//! Groups on fake trees, and on this machine's own.

use std::fs;
use std::path::Path;
use std::process::{Child, Command};

use super::*;

const LIMITS: NodeLimits = NodeLimits { cpu: 4, mem_mb: 8_192, pids: 4_096 };

/// No run goes on.
struct Nobody;

impl Answers for Nobody {
    fn without_leaders(&self, _: &mut Vec<i32>) {}

    fn known(&self) -> Known {
        Known::default()
    }
}

fn read(folder: &Path, file: &str) -> String {
    fs::read_to_string(folder.join(file)).unwrap_or_else(|error| panic!("{}: {error}", folder.join(file).display()))
}

/// A tree of version 2 in which the group above this process's passes controllers on.
fn fake_v2(own: &Path) -> Hierarchies {
    fs::create_dir_all(own).unwrap();
    let parent = own.parent().unwrap();
    fs::write(parent.join("cgroup.controllers"), "cpuset cpu io memory pids\n").unwrap();
    fs::write(parent.join("cgroup.subtree_control"), "cpu memory pids ").unwrap();
    fs::write(own.join("cgroup.controllers"), "").unwrap();
    fs::write(own.join("cgroup.subtree_control"), "").unwrap();
    Hierarchies { v2: Some(own.to_owned()), v1: Vec::new() }
}

#[test]
fn version_2_bounds_the_node_and_gives_each_run_its_share() {
    let tree = tempfile::tempdir().unwrap();
    let found = fake_v2(&tree.path().join("slice/session"));
    let groups = Groups::open_in(&found, "herald.7.70", Some(&LIMITS), 2);
    let node = tree.path().join("slice/herald.7.70");
    assert_eq!(groups.node(), std::slice::from_ref(&node));
    assert!(
        groups.facts().starts_with("cpu (cgroup v2), memory (cgroup v2), pids (cgroup v2); "),
        "{}",
        groups.facts()
    );
    assert_eq!(read(&node, "cpu.max"), "400000 100000");
    assert_eq!(read(&node, "memory.max"), (8_u64 << 30).to_string());
    assert_eq!(read(&node, "pids.max"), "4096");
    // In a true tree each word is taken by itself; the last one stands here.
    assert_eq!(read(&node, "cgroup.subtree_control"), "+pids");

    let run = groups.claim().unwrap().unwrap();
    let folder = node.join("run-1");
    assert_eq!(read(&folder, "cpu.max"), "200000 100000");
    assert_eq!(read(&folder, "memory.max"), (4_u64 << 30).to_string());
    assert_eq!((read(&folder, "memory.oom.group"), read(&folder, "memory.swap.max")), ("1".into(), "0".into()));
    assert_eq!(read(&folder, "pids.max"), "2048");
    assert_eq!((run.memory_limit(), run.cpu_us_per_s()), (4 << 30, Some(2_000_000)));

    fs::write(folder.join("cpu.stat"), "usage_usec 70\nuser_usec 1\n").unwrap();
    fs::write(folder.join("memory.current"), "5000\n").unwrap();
    fs::write(folder.join("memory.stat"), "anon 1\ninactive_file 1000\n").unwrap();
    assert_eq!((run.cpu_us(), run.memory_bytes()), (Some(70), Some(4_000)));
    fs::write(folder.join("memory.events"), "low 0\noom 2\noom_kill 1\n").unwrap();
    assert!(groups.settle(Some(&run), &Nobody), "memory ran out");
    let again = groups.claim().unwrap().unwrap();
    assert_eq!(again.cpu_us(), Some(0), "what an earlier run used is not this one's");
    assert!(!groups.settle(Some(&again), &Nobody), "it ran out before");
}

#[test]
fn version_2_is_told_to_pass_controllers_on() {
    let tree = tempfile::tempdir().unwrap();
    let own = tree.path().join("service");
    let found = fake_v2(&own);
    fs::write(own.join("cgroup.controllers"), "cpu memory pids\n").unwrap();
    let (base, controllers) = controllers::find(&found);
    assert_eq!(base, Some(own.clone()));
    assert_eq!(controllers.iter().map(Controller::kind).collect::<Vec<_>>(), Kind::ALL);
    assert_eq!(read(&own, "cgroup.subtree_control"), "+cpu +memory +pids ");
}

#[test]
fn version_1_bounds_in_each_hierarchy() {
    let tree = tempfile::tempdir().unwrap();
    let [cpu, memory, named] = ["cpu,cpuacct", "memory", "systemd"].map(|name| tree.path().join(name));
    [&cpu, &memory, &named].iter().for_each(|folder| fs::create_dir(folder).unwrap());
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let v1 = vec![
        (names(&["rw", "cpu", "cpuacct"]), cpu.clone()),
        (names(&["rw", "memory"]), memory.clone()),
        (names(&["rw", "name=systemd"]), named.clone()),
    ];
    let found = Hierarchies { v2: None, v1 };
    let groups = Groups::open_in(&found, "herald.7.70", Some(&LIMITS), 4);
    let expected = "cpu (cgroup v1), memory (cgroup v1), pids (NOT LIMITED HERE); ";
    assert!(groups.facts().starts_with(expected), "{}", groups.facts());
    assert_eq!(groups.node()[0], named.join("herald.7.70"), "processes are tracked there");
    assert_eq!(read(&cpu.join("herald.7.70"), "cpu.cfs_quota_us"), "400000");
    groups.claim().unwrap().unwrap();
    assert_eq!(read(&cpu.join("herald.7.70/run-1"), "cpu.cfs_quota_us"), "100000");
    let memory = memory.join("herald.7.70/run-1");
    assert_eq!(read(&memory, "memory.limit_in_bytes"), (2_u64 << 30).to_string());
    assert_eq!(read(&memory, "memory.memsw.limit_in_bytes"), (2_u64 << 30).to_string());
}

#[test]
fn without_groups_that_is_said() {
    let none = Hierarchies::default();
    let groups = Groups::open_in(&none, "herald.7.70", Some(&LIMITS), 1);
    assert!(groups.facts().starts_with("the instance type's limits do not hold; no cgroup"), "{}", groups.facts());
    assert_eq!((groups.claim().unwrap(), groups.node().len()), (None, 0));
    let groups = Groups::open_in(&none, "herald.7.70", None, 1);
    assert!(groups.facts().starts_with("no limits; no cgroup"), "{}", groups.facts());
    assert!(!groups.settle(None, &Nobody));
}

/// A process that waits, in this group.
fn waiting_in(group: &Path) -> Child {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "echo 0 > \"$0\" && exec sleep 3600"]).arg(group.join(PROCS));
    let child = command.spawn().unwrap();
    while !processes_of(group).contains(&i32::try_from(child.id()).unwrap()) {
        std::thread::yield_now();
    }
    child
}

fn processes_of(group: &Path) -> Vec<i32> {
    kill::processes(group).unwrap()
}

/// A folder below one that this process may make groups in.
fn group_below(parent: &Path, name: &str) -> PathBuf {
    let group = parent.join(format!("herald-test-{name}-{}", std::process::id()));
    fs::create_dir(&group).unwrap();
    group
}

#[test]
fn a_group_is_killed_as_a_whole_in_either_version() {
    let found = Hierarchies::find().unwrap();
    let parents = found.v2.iter().map(PathBuf::as_path).chain(found.v1_with("pids"));
    for (number, parent) in parents.enumerate() {
        let group = group_below(parent, &format!("kill-{number}"));
        let inner = group.join("inner");
        fs::create_dir(&inner).unwrap();
        let mut children = [waiting_in(&group), waiting_in(&inner)];
        assert_eq!(end_node(std::slice::from_ref(&group), KILLED_GONE).unwrap(), 2);
        children.iter_mut().for_each(|child| assert!(!child.wait().unwrap().success()));
        assert!(!group.exists());
        assert_eq!(end_node(&[group], KILLED_GONE).unwrap(), 0, "a group that is not there has nothing");
    }
}

#[test]
fn groups_of_agents_that_are_gone_are_removed() {
    let parent = tempfile::tempdir().unwrap();
    let me = procfs_started();
    let names = ["herald.999999999.5".to_owned(), format!("herald.{}.{me}", std::process::id()), "other".to_owned()];
    names.iter().for_each(|name| fs::create_dir_all(parent.path().join(name).join("run-1")).unwrap());
    kill::remove_abandoned([parent.path()].into_iter());
    let left: Vec<bool> = names.iter().map(|name| parent.path().join(name).exists()).collect();
    assert_eq!(left, [false, true, true]);
}

fn procfs_started() -> u64 {
    crate::procfs::process(i32::try_from(std::process::id()).unwrap()).unwrap().unwrap().started
}
