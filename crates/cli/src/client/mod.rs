//! The client of a Herald server: signed requests of API 3.0, and of CMQ v2 for the messages of queues.
//!
//! [`Connection`] is what the user gave, [`Place`] what was made of it, [`Client`] sends.

mod connection;
mod error;
mod place;
mod queue;
#[cfg(test)]
mod tests;

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};

pub(crate) use connection::Connection;
pub(crate) use error::ClientError;
pub(crate) use place::{Place, PlaceError};

/// How long the server may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// How long it may take to answer, beyond the time that it was asked to wait.
const ANSWER: Duration = Duration::from_secs(60);
/// Where CMQ v2 is called.
const V2_PATH: &str = "/v2/index.php";

/// A service of API 3.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    /// Jobs and environments.
    Batch,
    /// Topics, subscriptions and queues.
    Tdmq,
    /// What Herald has beyond Tencent's products.
    Herald,
}

impl Service {
    fn name(self) -> &'static str {
        match self {
            Self::Batch => "batch",
            Self::Tdmq => "tdmq",
            Self::Herald => "herald",
        }
    }

    fn version(self) -> &'static str {
        match self {
            Self::Batch => "2017-03-12",
            Self::Tdmq => "2020-02-17",
            Self::Herald => "2026-11-01",
        }
    }

    /// The most items that a page of its lists may hold.
    pub(crate) fn page(self) -> usize {
        match self {
            Self::Batch => 100,
            Self::Tdmq => 50,
            Self::Herald => 100,
        }
    }
}

/// A way to one server.
pub(crate) struct Client {
    http: reqwest::Client,
    place: Place,
}

impl Client {
    /// A client that has not connected yet.
    ///
    /// # Errors
    /// [`ClientError::Setup`]: the system's certificates cannot be loaded.
    pub(crate) fn new(place: Place) -> Result<Self, ClientError> {
        // Fails when another part of the program was first, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut http = reqwest::Client::builder().connect_timeout(CONNECT).redirect(reqwest::redirect::Policy::none());
        if place.is_loopback() {
            http = http.no_proxy();
        }
        if place.endpoint().scheme() == "http" {
            // Without this the system's certificates are loaded, which takes longer than a request.
            http = http.tls_certs_only([]);
        }
        if let Some(pin) = place.pin() {
            http = http.tls_backend_preconfigured(::agent::way::pinned(pin));
        }
        Ok(Self { http: http.build().map_err(ClientError::Setup)?, place })
    }

    /// The server's address.
    pub(crate) fn endpoint(&self) -> &url::Url {
        self.place.endpoint()
    }

    /// Calls an action of Batch and returns the reply's fields.
    pub(crate) async fn batch(&self, action: &'static str, params: &Value) -> Result<Value, ClientError> {
        self.call(Service::Batch, action, params).await
    }

    /// Calls an action of TDMQ and returns the reply's fields.
    pub(crate) async fn tdmq(&self, action: &'static str, params: &Value) -> Result<Value, ClientError> {
        self.call(Service::Tdmq, action, params).await
    }

    /// Calls an action of API 3.0 and returns the reply's fields.
    ///
    /// # Errors
    /// [`ClientError`]
    pub(crate) async fn call(
        &self,
        service: Service,
        action: &'static str,
        params: &Value,
    ) -> Result<Value, ClientError> {
        let body = params.to_string();
        let target = wire::sign::Target {
            host: self.place.host(),
            service: service.name(),
            action,
            version: service.version(),
            region: Some(self.place.region()),
        };
        let headers = wire::sign::tc3(self.place.key(), &target, body.as_bytes(), unix_seconds());
        let mut request = self.http.post(self.place.endpoint().clone()).timeout(ANSWER).body(body);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let mut reply = self.send(action, request).await?;
        let mut response = reply.get_mut("Response").map(Value::take).unwrap_or_default();
        match response.get_mut("Error").map(Value::take) {
            None if response.is_object() => Ok(response),
            None => Err(self.strange(action, "it has no `Response`")),
            Some(error) => Err(ClientError::Refused {
                action,
                code: error["Code"].as_str().unwrap_or_default().to_owned(),
                message: error["Message"].as_str().unwrap_or_default().to_owned(),
                request_id: response["RequestId"].as_str().unwrap_or_default().to_owned(),
            }),
        }
    }

    /// Calls an action of CMQ v2, which may wait for `wait` before it answers, and returns the reply's own fields.
    ///
    /// # Errors
    /// [`ClientError`]
    pub(crate) async fn v2(
        &self,
        action: &'static str,
        params: &[(&str, &str)],
        wait: Duration,
    ) -> Result<Value, ClientError> {
        let (key, host) = (self.place.key(), self.place.host());
        let body = wire::sign::v2(key, host, V2_PATH, action, params, nonce(), unix_seconds());
        let url = self.place.endpoint().join(V2_PATH).expect("a path can be joined to any HTTP address");
        let request = self.http.post(url).timeout(ANSWER + wait).body(body);
        let request = request.header("Content-Type", "application/x-www-form-urlencoded");
        let Value::Object(mut reply) = self.send(action, request).await? else {
            return Err(self.strange(action, "it is no object"));
        };
        let said = |reply: &Map<String, Value>, field| reply.get(field).and_then(Value::as_str).map(str::to_owned);
        match reply.get("code").and_then(Value::as_u64) {
            Some(0) => {
                for field in ["code", "message", "clientRequestId"] {
                    reply.shift_remove(field);
                }
                Ok(Value::Object(reply))
            }
            Some(code) => Err(ClientError::Refused {
                action,
                code: code.to_string(),
                message: said(&reply, "message").unwrap_or_default(),
                request_id: said(&reply, "requestId").unwrap_or_default(),
            }),
            None => Err(self.strange(action, "it has no `code`")),
        }
    }

    /// Opens a stream of events, behind the event with this id. No secret goes over the wire: a one-time address, which
    /// is asked for with a signature, leads to a session.
    ///
    /// # Errors
    /// [`ClientError`]. That the stream itself is refused, the reply tells.
    pub(crate) async fn events(&self, query: &str, last_id: Option<&str>) -> Result<reqwest::Response, ClientError> {
        let unreachable = |source| ClientError::Unreachable { endpoint: self.address(), source };
        let made = self.call(Service::Herald, "CreateConsoleLogin", &Value::Object(Map::new())).await?;
        let at = |path: &str| self.place.endpoint().join(path).expect("a path can be joined to any HTTP address");
        let path = made["Path"].as_str().unwrap_or_default();
        let entered = self.http.get(at(path)).timeout(ANSWER).send().await.map_err(unreachable)?;
        let cookie = entered.headers().get("set-cookie").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let cookie = cookie.split(';').next().unwrap_or_default();
        let mut request = self.http.get(at(&format!("/events?{query}"))).header("cookie", cookie);
        if let Some(id) = last_id {
            request = request.header("last-event-id", id);
        }
        request.send().await.map_err(unreachable)
    }

    async fn send(&self, action: &'static str, request: reqwest::RequestBuilder) -> Result<Value, ClientError> {
        let unreachable = |source| ClientError::Unreachable { endpoint: self.address(), source };
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let body = response.bytes().await.map_err(unreachable)?;
        if !status.is_success() {
            return Err(self.strange(action, &format!("its status is {status}")));
        }
        serde_json::from_slice(&body).map_err(|error| self.strange(action, &error.to_string()))
    }

    /// The server's address as a user writes it.
    fn address(&self) -> String {
        self.place.endpoint().as_str().trim_end_matches('/').to_owned()
    }

    fn strange(&self, action: &'static str, why: &str) -> ClientError {
        ClientError::Strange { action, endpoint: self.address(), why: why.to_owned() }
    }
}

fn unix_seconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// A number that is another one each time; every hasher's keys are drawn at random.
fn nonce() -> u64 {
    RandomState::new().hash_one(()) >> 1
}
