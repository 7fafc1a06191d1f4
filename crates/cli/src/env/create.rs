//! `herald env create`.

use std::path::PathBuf;

use crate::context::Context;
use crate::failure::Failure;
use crate::file;

const MORE: &str = r#"The file holds JSON as the API takes it, the whole request of CreateComputeEnv or just the ComputeEnv. Comments, trailing commas and snake_case keys are read too.

Example:
  {
    "EnvName": "two-nodes",
    "DesiredComputeNodeCount": 2,
    "EnvData": { "InstanceType": "local" } // this machine, an instance a core; or S5.SMALL1, one
  }"#;

/// Create an environment and print its id
#[derive(clap::Args)]
#[command(after_help = MORE)]
pub(crate) struct Create {
    /// The file; - is standard input
    file: PathBuf,
}

impl Create {
    pub(super) async fn run(self, cx: &mut Context) -> Result<(), Failure> {
        let request = file::request(&self.file, "ComputeEnv", cx.region())?;
        let reply = cx.client()?.batch("CreateComputeEnv", &request).await?;
        cx.made(&reply, "EnvId")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_can_be_read() {
        let (_, example) = MORE.split_once("Example:").unwrap();
        let env = wire::file::read(example).unwrap();
        assert_eq!(env["DesiredComputeNodeCount"], 2);
    }
}
