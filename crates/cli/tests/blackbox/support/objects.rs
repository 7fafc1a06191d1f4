//! A server of objects: `moto_server` from the package index, which speaks S3.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::official;

/// A running server of objects. Dropping it ends it.
pub(crate) struct Objects {
    process: Child,
    address: String,
}

impl Objects {
    /// Starts a server that has these buckets, and returns when it takes requests.
    pub(crate) fn start(folder: &Path, buckets: &[&str]) -> Self {
        let mut python = Command::new(official::python());
        python.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]);
        python.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = official::alone(&mut python, folder).spawn().expect("Python runs");
        let mut lines = BufReader::new(process.stderr.take().expect("stderr was asked to be piped")).lines();
        let address = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, address) = line.split_once("Running on http://")?;
            Some(address.trim().to_owned())
        });
        // Who does not read what it logs would hold it up.
        std::thread::spawn(move || lines.for_each(drop));
        let objects = Self { process, address: address.expect("the server of objects says where it listens") };
        for bucket in buckets {
            assert_eq!(objects.ask("PUT", &format!("/{bucket}"), b"").status, 200, "a new bucket");
        }
        objects
    }

    /// `http://ADDR:PORT`.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Puts an object, named `bucket/key`.
    pub(crate) fn put(&self, object: &str, content: &[u8]) {
        assert_eq!(self.ask("PUT", &format!("/{object}"), content).status, 200, "{object} is put");
    }

    /// Gets an object.
    pub(crate) fn get(&self, object: &str) -> Answer {
        self.ask("GET", &format!("/{object}"), b"")
    }

    fn ask(&self, method: &str, path: &str, body: &[u8]) -> Answer {
        let mut connection = TcpStream::connect(&self.address).expect("the server of objects listens");
        let length = body.len();
        // It wants to know who asks, but not to have it proved.
        let who =
            "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: {who}\r\nContent-Length: {length}\r\n\
             Connection: close\r\n\r\n",
            self.address
        );
        connection.write_all(head.as_bytes()).and_then(|()| connection.write_all(body)).expect("it takes a request");
        let mut reply = Vec::new();
        connection.read_to_end(&mut reply).expect("it answers");
        let end = reply.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("headers end");
        let head = String::from_utf8_lossy(&reply[..end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        Answer { status, head, body: reply.split_off(end + 4) }
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What the server answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}
