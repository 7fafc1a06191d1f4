//! `herald open`.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::client::{Connection, Service};
use crate::context::Context;
use crate::failure::Failure;
use crate::reply::text;

/// Print an address that leads into the web console, once and within 15 minutes, and open it in the browser
#[derive(clap::Args)]
pub(crate) struct Open {
    /// Only print it
    #[arg(long)]
    print: bool,
    #[command(flatten)]
    connection: Connection,
}

/// What opens an address in the user's browser.
const OPENER: &str = "xdg-open";

impl Open {
    /// Asks the server for the address.
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let mut cx = Context::new(self.connection);
        let client = cx.client()?;
        let reply = client.call(Service::Herald, "CreateConsoleLogin", &json!({})).await?;
        let address = address(client.endpoint(), &reply);
        if cx.out.is_json() {
            return cx.out.json(&json!({"Url": address}));
        }
        cx.out.line(&address)?;
        cx.out.flush()?;
        let shows = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
        if !self.print && shows {
            let mut opener = Command::new(OPENER);
            opener.arg(&address).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            if opener.spawn().is_err() {
                cx.out.say(format_args!("{OPENER} is not on this machine; open the address yourself"));
            }
        }
        Ok(())
    }
}

fn address(endpoint: &url::Url, reply: &Value) -> String {
    let path = text(reply, "Path");
    endpoint.join(&path).map_or(path, |url| url.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_on_the_server_that_was_asked() {
        let endpoint = "http://127.0.0.1:7400/".parse().unwrap();
        let reply = json!({"Path": "/console/enter?token=x"});
        assert_eq!(address(&endpoint, &reply), "http://127.0.0.1:7400/console/enter?token=x");
    }
}
