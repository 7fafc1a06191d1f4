//! Signed requests of our own, for what the official clients have no call for: actions of Herald's own product, and
//! parameters that those clients would not send.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use wire::sign::{self, Key, Target};

use super::server::{SECRET_ID, SECRET_KEY, Server};

/// The products of API 3.0 and their versions.
const VERSIONS: [(&str, &str); 4] =
    [("batch", "2017-03-12"), ("tdmq", "2020-02-17"), ("cmq", "2019-03-04"), ("herald", "2026-11-01")];

/// A reply, or its error's code and message.
pub(crate) type Answer = Result<Value, (String, String)>;

/// A client of a server.
pub(crate) struct Signed {
    host: String,
    secret_id: String,
    secret_key: String,
    http: reqwest::Client,
    runtime: tokio::runtime::Runtime,
}

impl Signed {
    /// A client of this server.
    pub(crate) fn new(server: &Server) -> Self {
        Self::with(server, SECRET_ID, SECRET_KEY)
    }

    /// A client of this server with another key pair.
    pub(crate) fn with(server: &Server, secret_id: &str, secret_key: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().expect("an HTTP client");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (secret_id, secret_key) = (secret_id.to_owned(), secret_key.to_owned());
        Self { host: server.address().to_owned(), secret_id, secret_key, http, runtime }
    }

    /// Turns to the server at another address, as after a restart.
    pub(crate) fn turn_to(&mut self, address: &str) {
        address.clone_into(&mut self.host);
    }

    /// Calls an action of API 3.0 of a server that may be killed meanwhile; `None`: there was no answer.
    pub(crate) fn try_call(&self, product: &str, action: &str, params: &Value) -> Option<Answer> {
        let text =
            self.runtime.block_on(async { self.api3_request(product, action, params).send().await?.text().await });
        Some(answer_of(serde_json::from_str(&text.ok()?).ok()?))
    }

    /// The same for an action of CMQ v2.
    pub(crate) fn try_v2(&self, action: &str, params: &Value) -> Option<Answer> {
        let url = format!("http://{}/v2/index.php", self.host);
        let request = self.http.post(url).body(self.v2_body(action, params));
        let text = self.runtime.block_on(async { request.send().await?.text().await }).ok()?;
        Some(v2_answer_of(serde_json::from_str(&text).ok()?))
    }

    /// Calls an action with the parameters just as they are: its `Response`, or its error's code and message. For
    /// the product `v2` the parameters are the form's fields, and the reply is whole.
    pub(crate) fn call(&self, product: &str, action: &str, params: &Value) -> Answer {
        if product == "v2" { self.v2(action, params) } else { self.api3(product, action, params) }
    }

    fn api3(&self, product: &str, action: &str, params: &Value) -> Answer {
        answer_of(self.send(self.api3_request(product, action, params)))
    }

    fn api3_request(&self, product: &str, action: &str, params: &Value) -> reqwest::RequestBuilder {
        let (_, version) = VERSIONS.iter().find(|(name, _)| *name == product).expect("a known product");
        let body = params.to_string();
        let target = Target { host: &self.host, service: product, action, version, region: Some("ap-guangzhou") };
        let mut request = self.http.post(format!("http://{}/", self.host));
        for (name, value) in sign::tc3(self.key(), &target, body.as_bytes(), now()) {
            request = request.header(name, value);
        }
        request.body(body)
    }

    fn v2(&self, action: &str, params: &Value) -> Answer {
        self.send_v2(self.v2_body(action, params))
    }

    /// The body of a request of CMQ v2, signed.
    pub(crate) fn v2_body(&self, action: &str, params: &Value) -> String {
        let fields = params.as_object().expect("the fields of a form");
        let fields: Vec<(String, String)> = fields.iter().map(|(name, value)| (name.clone(), text(value))).collect();
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        sign::v2(self.key(), &self.host, "/v2/index.php", action, &fields, rand::random(), now())
    }

    /// Sends such a body as it is: the whole reply, or its error's code and message.
    pub(crate) fn send_v2(&self, body: String) -> Answer {
        let reply = self.send(self.http.post(format!("http://{}/v2/index.php", self.host)).body(body));
        v2_answer_of(reply)
    }

    fn key(&self) -> Key<'_> {
        Key { secret_id: &self.secret_id, secret_key: &self.secret_key }
    }

    fn send(&self, request: reqwest::RequestBuilder) -> Value {
        let text = self.runtime.block_on(async { request.send().await?.text().await }).expect("the server answers");
        serde_json::from_str(&text).expect("a JSON reply")
    }
}

/// A reply of CMQ v2, or its error's code and message.
fn v2_answer_of(reply: Value) -> Answer {
    if reply["code"] == 0 { Ok(reply) } else { Err((text(&reply["code"]), text(&reply["message"]))) }
}

/// A reply of API 3.0, or its error's code and message.
fn answer_of(mut reply: Value) -> Answer {
    let mut response = reply["Response"].take();
    match response.get_mut("Error").map(Value::take) {
        None => Ok(response),
        Some(error) => Err((text(&error["Code"]), text(&error["Message"]))),
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_secs()).expect("not so late")
}
