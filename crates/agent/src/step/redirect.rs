//! Copying standard output and standard error to where they are wanted, when a run is over.

use std::fs;
use std::path::Path;

use wire::setup::{Target, TargetFolder, file_name};

use super::StepOrder;
use super::failure::Failure;
use super::storage::Store;
use super::tree;

/// Copies both outputs to all their targets. One that fails does not keep the others back; the first failure is told.
pub(super) async fn copy_outputs(order: &StepOrder) -> Result<(), Failure> {
    let setup = order.setup();
    let mut result = Ok(());
    for (stream, file, targets) in [("stdout", &order.stdout, setup.stdout), ("stderr", &order.stderr, setup.stderr)] {
        for target in targets {
            let copied = copy(order, stream, file, &target).await;
            result = result.and(copied);
        }
    }
    result
}

async fn copy(order: &StepOrder, stream: &str, file: &Path, target: &Target) -> Result<(), Failure> {
    let name = file_name(&target.name, stream, order.run.job, &order.task.task_name, order.run.index);
    let (to, copied) = match &target.folder {
        TargetFolder::Remote(url, place) => {
            let copying = async { Store::open(place)?.put_file(file, &name).await };
            (format!("{url}{name}"), copying.await)
        }
        TargetFolder::Local(folder) => {
            let folder = order.folder.join(folder);
            let to = folder.join(&name);
            let copied = fs::create_dir_all(&folder).and_then(|()| tree::copy_file(file, &to));
            (to.display().to_string(), copied.map_err(|error| error.to_string()))
        }
    };
    copied.map_err(|why| Failure::Redirect { to, why })
}
