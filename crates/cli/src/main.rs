//! The one binary of Herald: server, agent, demonstration and every client verb.
fn main() {}
