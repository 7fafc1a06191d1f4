//! On whose behalf something is done: known to everything that a request leads to, for as long as it is answered.

use std::sync::Arc;

use kernel::access::Grant;
use kernel::audit::Call;
use kernel::command::Command;

/// Who calls.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The public half of its key pair.
    pub(crate) secret_id: String,
    /// Where it calls from.
    pub(crate) address: String,
    /// What it may do.
    pub(crate) grant: Arc<Grant>,
}

tokio::task_local! {
    static CALLER: Caller;
    static CALL: Arc<Call>;
}

/// Does something on behalf of a caller.
pub(crate) async fn on_behalf<T>(caller: Caller, work: impl Future<Output = T>) -> T {
    CALLER.scope(caller, work).await
}

/// Does what a caller has called for.
pub(crate) async fn calling<T>(call: Call, work: impl Future<Output = T>) -> T {
    CALL.scope(Arc::new(call), work).await
}

/// On whose behalf this is done; `None`: the server's own.
pub(crate) fn current() -> Option<Caller> {
    CALLER.try_with(Caller::clone).ok()
}

/// The command, with the call that has led to it.
pub(crate) fn named(command: Command) -> Command {
    match CALL.try_with(Arc::clone) {
        Ok(call) => Command::Called(call, Box::new(command)),
        Err(_) => command,
    }
}
