//! Requests as plain text: the line, the headers, an empty line, the body.

use wire::request::HttpRequest;

/// The request that a text shows; whatever is missing is empty.
pub(crate) fn request(text: &str) -> HttpRequest {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let mut start = lines.next().unwrap_or_default().split(' ');
    let (method, target) = (start.next().unwrap_or_default(), start.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers = lines.filter_map(|line| line.split_once(": "));
    HttpRequest {
        method: method.into(),
        path: path.into(),
        query: query.into(),
        headers: headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect(),
        body: body.as_bytes().to_vec(),
    }
}

/// A form that is posted to CMQ's path.
pub(crate) fn form(body: &str) -> HttpRequest {
    HttpRequest {
        method: "POST".into(),
        path: "/v2/index.php".into(),
        query: String::new(),
        headers: vec![("host".into(), "127.0.0.1:7400".into())],
        body: body.as_bytes().to_vec(),
    }
}
