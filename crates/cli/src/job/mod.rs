//! `herald job`.

mod delete;
mod explain;
mod init;
mod list;
mod logs;
mod retry;
mod show;
mod submit;
mod terminate;
mod wait;

use delete::Delete;
use explain::Explain;
use init::Init;
use list::List;
use logs::Logs;
use retry::Retry;
use show::Show;
use submit::Submit;
use terminate::Terminate;
use wait::Wait;

crate::noun::noun! {
    /// Jobs: graphs of tasks that run on environments
    Job: Submit, Init, List, Show, Wait, Logs, Explain, Terminate, Retry, Delete
}
