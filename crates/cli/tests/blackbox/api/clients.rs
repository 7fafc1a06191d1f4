//! Who calls: ourselves with requests as they are, or the official clients, unmodified.

use serde_json::Value;

use crate::support::official::{Official, TC3_POST};
use crate::support::server::Server;
use crate::support::signed::Signed;

/// Actions that today's official clients do not have any more.
const NOT_IN_CLIENTS: [&str; 1] = ["DescribeCmqDeadLetterSourceQueues"];

/// A caller of one server.
pub(super) struct Caller<'a> {
    pub(super) server: &'a Server,
    signed: Signed,
    official: Client,
}

/// An official client.
pub(super) enum Client {
    /// None: every request is ours.
    None,
    /// The Python SDK.
    Sdk(Box<Official>),
    /// `tccli`.
    Tccli,
}

impl<'a> Caller<'a> {
    /// A caller that leaves to this client what the client has an action for.
    pub(super) fn new(server: &'a Server, official: Client) -> Self {
        Self { server, signed: Signed::new(server), official }
    }

    /// Calls an action: its `Response`, or its error's code and message.
    pub(super) fn call(&mut self, product: &str, action: &str, params: &Value) -> Result<Value, (String, String)> {
        if !["batch", "tdmq"].contains(&product) || NOT_IN_CLIENTS.contains(&action) {
            return self.signed.call(product, action, params);
        }
        match &mut self.official {
            Client::None => self.signed.call(product, action, params),
            Client::Sdk(sdk) => {
                sdk.api(TC3_POST, product, action, params.clone()).map_err(|error| (error.code, error.message))
            }
            Client::Tccli => tccli(self.server, product, action, params),
        }
    }
}

/// Each parameter is an argument; what is no scalar is written as JSON.
fn tccli(server: &Server, product: &str, action: &str, params: &Value) -> Result<Value, (String, String)> {
    let mut args = vec![product.to_owned(), action.to_owned()];
    for (name, value) in params.as_object().expect("parameters") {
        args.push(format!("--{name}"));
        args.push(value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    server.tccli_or_refusal(&args.iter().map(String::as_str).collect::<Vec<_>>())
}
