//! An HTTP request as the protocols here need it: nothing decoded, since signatures cover what was sent.

/// One request, read whole.
#[derive(Clone)]
pub struct HttpRequest {
    /// `GET`, `POST`.
    pub method: String,
    /// Without the query, not decoded: `/v2/index.php`.
    pub path: String,
    /// Without the question mark, not decoded; empty when there is none.
    pub query: String,
    /// Names in lower case, values as they came. `host` must be the header as the client sent it: tccli
    /// sends and signs `http://127.0.0.1:7400` there.
    pub headers: Vec<(String, String)>,
    /// As it came. Up to [`crate::limits::READ_BODY_BYTES`] need be read: one that long is refused.
    pub body: Vec<u8>,
}

impl HttpRequest {
    /// The first header with this name (in lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}
