//! A client that costs little: a kept connection, and requests written as they go over the wire. The machine's cores
//! are shared by the benchmark and the server, so what the client spends is missing from the figure.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection that is kept.
pub(crate) struct Connection {
    stream: TcpStream,
    host: String,
    out: Vec<u8>,
    read: Vec<u8>,
}

impl Connection {
    /// Connects to a host with its port.
    pub(crate) async fn open(host: &str) -> Self {
        let stream = TcpStream::connect(host).await.expect("it listens");
        stream.set_nodelay(true).expect("a TCP connection");
        Self { stream, host: host.to_owned(), out: Vec::new(), read: Vec::new() }
    }

    /// POSTs a form and gives the body of the reply.
    pub(crate) async fn post(&mut self, path: &str, form: &str) -> &[u8] {
        let (host, length) = (&self.host, form.len());
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {length}\r\n\r\n"
        );
        self.out.clear();
        self.out.extend_from_slice(head.as_bytes());
        self.out.extend_from_slice(form.as_bytes());
        self.stream.write_all(&self.out).await.expect("the server reads");
        self.read.clear();
        let begin = loop {
            self.fill().await;
            if let Some(end) = find(&self.read, b"\r\n\r\n") {
                break end + 4;
            }
        };
        let end = begin + content_length(&self.read[..begin]);
        while self.read.len() < end {
            self.fill().await;
        }
        &self.read[begin..end]
    }

    async fn fill(&mut self) {
        let read = self.stream.read_buf(&mut self.read).await.expect("the server answers");
        assert!(read > 0, "the server closed the connection");
    }
}

/// The strings that a JSON text has for a key. They are read as they are written: ids and handles need no escapes.
pub(crate) fn strings(json: &[u8], key: &str) -> Vec<String> {
    let key = format!("\"{key}\":\"");
    let mut rest = json;
    let mut found = Vec::new();
    while let Some(at) = find(rest, key.as_bytes()) {
        rest = &rest[at + key.len()..];
        let end = rest.iter().position(|byte| *byte == b'"').expect("the string ends");
        found.push(String::from_utf8_lossy(&rest[..end]).into_owned());
    }
    found
}

fn content_length(head: &[u8]) -> usize {
    let head = std::str::from_utf8(head).expect("a head of text");
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    let value = lines.find_map(|(name, value)| name.eq_ignore_ascii_case("content-length").then_some(value));
    value.expect("the length of the reply").trim().parse().expect("a number")
}

/// Where a text begins in another. It is looked for at each of its first bytes alone.
fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}
