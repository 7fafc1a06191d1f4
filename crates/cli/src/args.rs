//! The registry of verbs: from it come parsing, help and completions.

use std::future::Future;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::failure::Failure;
use crate::{
    agent, backup, completions, config, delivery, demo, doctor, env, event, job, key, man, node, open, queue, serve,
    step, sub, template, topic,
};

/// Runs batch jobs and tells the world what happened to them
#[derive(Parser)]
#[command(name = "herald", version, max_term_width = 100, subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Demo(demo::Demo),
    Serve(serve::Serve),
    Agent(agent::Agent),
    #[command(hide = true)]
    AgentStep(step::AgentStep),
    Job(job::Job),
    Env(env::Env),
    Node(node::Node),
    Template(template::Template),
    Topic(topic::Topic),
    Sub(sub::Sub),
    Queue(queue::Queue),
    Delivery(delivery::Delivery),
    Event(event::Event),
    Key(key::Key),
    Open(open::Open),
    Backup(backup::Backup),
    Restore(backup::Restore),
    Config(config::Config),
    Doctor(doctor::Doctor),
    Completions(completions::Completions),
    Man(man::Man),
}

impl Cli {
    /// Does what the command line asks for. The answer is the exit status.
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        if let Verb::AgentStep(verb) = self.verb {
            return Ok(verb.run());
        }
        self.verb.run().map(|()| ExitCode::SUCCESS)
    }
}

impl Verb {
    fn run(self) -> Result<(), Failure> {
        match self {
            Verb::Demo(verb) => verb.run(),
            Verb::Serve(verb) => verb.run(),
            Verb::Agent(verb) => verb.run(),
            Verb::AgentStep(_) => unreachable!("its status is its own"),
            Verb::Job(noun) => one_thread(noun.run()),
            Verb::Env(noun) => one_thread(noun.run()),
            Verb::Node(noun) => one_thread(noun.run()),
            Verb::Template(noun) => one_thread(noun.run()),
            Verb::Topic(noun) => one_thread(noun.run()),
            Verb::Sub(noun) => one_thread(noun.run()),
            Verb::Queue(noun) => one_thread(noun.run()),
            Verb::Delivery(noun) => one_thread(noun.run()),
            Verb::Event(noun) => one_thread(noun.run()),
            Verb::Key(noun) => one_thread(noun.run()),
            Verb::Open(verb) => one_thread(verb.run()),
            Verb::Backup(verb) => verb.run(),
            Verb::Restore(verb) => verb.run(),
            Verb::Config(noun) => noun.run(),
            Verb::Doctor(verb) => one_thread(verb.run()),
            Verb::Completions(verb) => verb.run(),
            Verb::Man(verb) => verb.run(),
        }
    }
}

/// Runs a client verb: one thread is enough for one request at a time.
fn one_thread(verb: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(Failure::Runtime)?.block_on(verb)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    /// All help texts, as `herald ... --help` prints them, kept in a file so that a change of them is seen. With
    /// `HERALD_BLESS` set the file is written anew.
    #[test]
    fn help_is_as_written_down() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/help.txt");
        let mut texts = String::new();
        transcribe(&["herald"], &Cli::command(), &mut texts);
        if std::env::var_os("HERALD_BLESS").is_some() {
            std::fs::write(file, &texts).unwrap();
        }
        let kept = std::fs::read_to_string(file).unwrap();
        assert!(texts == kept, "help differs from {file}; HERALD_BLESS=1 writes it anew:\n{texts}");
    }

    /// Appends what `herald ... --help` prints, for `path` and all below it.
    fn transcribe(path: &[&str], command: &clap::Command, texts: &mut String) {
        let line = path.iter().chain(&["--help"]);
        let help = Cli::command().term_width(100).try_get_matches_from(line).unwrap_err();
        texts.push_str(&format!("$ {} --help\n{help}\n", path.join(" ")));
        for verb in command.get_subcommands() {
            transcribe(&[path, &[verb.get_name()]].concat(), verb, texts);
        }
    }

    #[test]
    fn the_registry_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn wrong_usage_is_told_as_such() {
        for line in ["herald", "herald job", "herald fly", "herald job show", "herald serve --listen here"] {
            let error = Cli::try_parse_from(line.split(' ')).err().unwrap();
            assert_eq!(error.exit_code(), 2, "{line}");
        }
        for line in ["herald job list --json --endpoint http://a", "herald --version", "herald job --json list"] {
            let code = Cli::try_parse_from(line.split(' ')).map_or_else(|error| error.exit_code(), |_| 0);
            assert_eq!(code, 0, "{line}");
        }
    }
}
