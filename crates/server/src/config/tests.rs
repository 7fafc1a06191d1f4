//! The configuration: what is read, and what is refused.

use super::*;

fn error(text: &str) -> String {
    Config::parse(text).expect_err(text).to_string()
}

#[test]
fn an_empty_file_is_the_default() {
    assert_eq!(Config::parse("").unwrap(), Config::default());
    let settings = Config::default().settings();
    assert_eq!(settings.zones.first().map(String::as_str), Some("ap-guangzhou-1"));
    assert_eq!(settings.zones.len(), 9);
    let local = settings.catalogue.node_type("local").unwrap();
    assert_eq!(local.slots, local.cpu);
}

#[test]
fn the_default_file_has_every_setting_with_its_default() {
    assert_eq!(Config::parse(DEFAULT_FILE).unwrap(), Config::default());
    let mut wanted = toml::Table::try_from(Config::default()).unwrap();
    let mut found: toml::Table = DEFAULT_FILE.parse().unwrap();
    for table in [&mut wanted, &mut found] {
        // Instance types are an example.
        table["nodes"].as_table_mut().unwrap().remove("types");
    }
    assert_eq!(found, wanted);
    // What has no default stands in a comment, and can be used as it stands there.
    let all: String = DEFAULT_FILE.lines().map(|line| format!("{}\n", example(line))).collect();
    let config = Config::parse(&all).unwrap();
    assert!(config.storage.cos_root.is_some() && config.storage.s3.is_some() && config.push.proxy.is_some());
    assert!(config.audit.topic.is_some() && config.tls.is_on() && config.tls.key_file.is_some());
    assert!(config.push.ca_file.is_some() && config.storage.mounts.len() == 1 && config.nodes.types.len() == 1);
}

/// A line, without the mark of a comment where it is a setting.
fn example(line: &str) -> &str {
    let Some(rest) = line.strip_prefix("# ") else { return line };
    let is_setting = rest.split_once(" = ").is_some_and(|(key, _)| key.starts_with('"') || !key.contains(' '));
    if rest.starts_with('[') || is_setting { rest } else { line }
}

#[test]
fn each_section_is_read() {
    let text = r#"
        data = "/srv/herald"
        listen = "0.0.0.0:80"
        insecure = true
        region = "home"
        zones = ["home-a"]
        [jobs]
        retry_pause_s = 0
        [nodes]
        slots = 4
        [nodes.types.big]
        cpu = 8
        mem_gb = 16
        [messages]
        topic_owner = 1
        [push]
        allow = ["10.0.0.0/8", "fd00::/8"]
        proxy = "http://proxy:3128"
    "#;
    let config = Config::parse(text).unwrap();
    assert_eq!(config.jobs.retry_pause_s, 0);
    assert_eq!(config.push.allow.len(), 2);
    let settings = config.settings();
    assert_eq!(settings.zones, ["home-a"]);
    let big = settings.catalogue.node_type("big").unwrap();
    assert_eq!((big.cpu, big.mem_gb, big.slots), (8, 16, 1));
    assert_eq!(settings.catalogue.node_type("S5.SMALL1").unwrap().slots, 4);
}

#[test]
fn an_unknown_key_is_refused_with_its_path() {
    assert!(error("lissen = 1").starts_with("line 1 of the configuration: `lissen`: unknown field `lissen`"));
    assert!(error("[nodes]\nbeat = 1").starts_with("line 2 of the configuration: `nodes.beat`: unknown field"));
    assert!(error("[nodes.types.big]\ncpu = 1\nmem_gb = 1\ncolour = 2").contains("`nodes.types.big.colour`"));
    assert!(error("[node]\nbeat_ms = 1").contains("line 1 of the configuration: `node`"));
}

#[test]
fn a_wrong_value_is_refused_with_its_path() {
    assert!(error("[nodes]\n\nbeat_ms = \"often\"").contains("line 3 of the configuration: `nodes.beat_ms`"));
    assert!(error("listen = \"here\"").contains("`listen`"));
    assert_eq!(error("[nodes]\nslots = 0"), "nodes.slots is 0; it should be 1 to 1024");
    assert!(error("[nodes]\nsilent_ms = 3000").starts_with("nodes.silent_ms is 3000; it should be at least twice"));
    assert!(error("region = \"\"").starts_with("region is ; it should be"));
    assert!(error("[push]\nallow = [\"10.0.0.0/33\"]").contains("`push.allow`"));
    assert!(error("[nodes.types.x]\ncpu = 0\nmem_gb = 1").starts_with("nodes.types.x.cpu is 0"));
    assert!(error("listen = \"0.0.0.0:80\"").starts_with("listen is 0.0.0.0:80; it should be a loopback address"));
    assert!(error("listen = \"[2001:db8::1]:80\"").starts_with("listen is [2001:db8::1]:80; it should be"));
    for here in ["127.0.0.9:80", "[::1]:80", "[::ffff:127.0.0.1]:80"] {
        assert!(Config::parse(&format!("listen = \"{here}\"")).is_ok(), "{here}");
    }
    assert_eq!(error("[push]\nposts = 1"), "push.posts is 1; it should be 8 to 65536");
    assert!(error("[push]\nproxy = \"proxy\"").contains("`push.proxy`"));
    let proxy = error("[push]\nproxy = \"socks5://user:password@proxy\"");
    assert!(proxy.starts_with("push.proxy is socks5://proxy; it should be"), "{proxy}");
    assert!(error("[messages]\nattempts_keep_days = 0").starts_with("messages.attempts_keep_days is 0"));
    assert!(error("[messages]\nattempts_keep_messages = 0").starts_with("messages.attempts_keep_messages is 0"));
    assert!(error("a = [").contains("line 1"));
}
