//! `herald doctor`: whether this machine can run a server and its nodes well, and what to do where it cannot.
//!
//! Each check is a function in [`checks`] that looks and says what it found; nothing is changed, but for a file in the
//! data folder that tells how long a sync takes.

mod checks;

use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::failure::Failure;
use crate::output::Output;
use crate::table::Table;

/// Check this machine: data folder, ports, cgroups, containers, clock, disk; and say what to do
#[derive(clap::Args)]
#[command(after_help = MORE)]
pub(crate) struct Doctor {
    /// The data folder that the server has or will have
    #[arg(long, value_name = "DIR", default_value = "herald-data")]
    data: PathBuf,
    /// Where the server listens or will listen
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:7400")]
    listen: SocketAddr,
    /// Print what was found as JSON
    #[arg(long)]
    json: bool,
}

const MORE: &str = "\
Exits 1 when a check fails. What is only worth knowing is WARN.";

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Fine,
    Warn,
    Fail,
}

impl Verdict {
    fn as_str(self) -> &'static str {
        match self {
            Self::Fine => "OK",
            Self::Warn => "WARN",
            Self::Fail => "FAIL",
        }
    }
}

/// What a check found.
#[derive(Debug)]
struct Finding {
    check: &'static str,
    verdict: Verdict,
    found: String,
    /// What to do; empty where there is nothing to do.
    advice: String,
}

impl Finding {
    fn fine(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Fine, found: found.into(), advice: String::new() }
    }

    fn warn(check: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Warn, found: found.into(), advice: advice.into() }
    }

    fn fail(check: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Fail, found: found.into(), advice: advice.into() }
    }
}

impl Doctor {
    /// Checks, and prints what was found.
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let findings = vec![
            checks::data_folder(&self.data),
            checks::space(&self.data),
            checks::sync(&self.data),
            checks::port(self.listen).await,
            checks::cgroups(),
            checks::containers(),
            checks::clock(),
        ];
        let mut out = Output::standard(self.json);
        if self.json {
            out.json(&Value::Array(findings.iter().map(view).collect()))?;
        } else {
            out.table(&table(&findings))?;
        }
        out.flush()?;
        match findings.iter().filter(|finding| finding.verdict == Verdict::Fail).count() {
            0 => Ok(()),
            failed => Err(Failure::Unwell(failed)),
        }
    }
}

fn view(finding: &Finding) -> Value {
    let Finding { check, verdict, found, advice } = finding;
    json!({"Check": check, "Verdict": verdict.as_str(), "Found": found, "Advice": advice})
}

fn table(findings: &[Finding]) -> Table {
    let mut table = Table::new(&["CHECK", "VERDICT", "FOUND", "WHAT TO DO"]);
    for finding in findings {
        table.row([
            finding.check.to_owned(),
            finding.verdict.as_str().to_owned(),
            finding.found.clone(),
            finding.advice.clone(),
        ]);
    }
    table
}
