//! A receiver of callbacks: an HTTP server of the test's own, which outlives the server that calls it.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Instant;

use super::wait;

/// One request that arrived, in the order of arrival.
#[derive(Clone, Debug)]
pub(crate) struct Callback {
    pub(crate) method: String,
    pub(crate) path: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Callback {
    /// The value of a header, by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }
}

/// Which status the receiver answers to the n-th request (from 0).
type Status = dyn Fn(usize) -> u16 + Send + Sync;

struct Shared {
    arrived: Mutex<Vec<Callback>>,
    news: Condvar,
    status: Box<Status>,
}

/// A listening receiver. Its threads end with the test's process.
pub(crate) struct Receiver {
    shared: Arc<Shared>,
    port: u16,
}

impl Receiver {
    /// A receiver that is content with everything.
    pub(crate) fn start() -> Self {
        Self::answering(|_| 200)
    }

    /// A receiver that answers the n-th request (from 0) with `status(n)`.
    pub(crate) fn answering(status: impl Fn(usize) -> u16 + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port of this machine");
        let port = listener.local_addr().expect("a bound listener has an address").port();
        let shared = Shared { arrived: Mutex::default(), news: Condvar::new(), status: Box::new(status) };
        let shared = Arc::new(shared);
        let threads = Arc::clone(&shared);
        std::thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&threads);
                // A connection that breaks (the server was killed) ends its thread, nothing else.
                std::thread::spawn(move || serve(&connection, &shared));
            }
        });
        Self { shared, port }
    }

    /// The address that a subscription names.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// What has arrived so far.
    pub(crate) fn arrived(&self) -> Vec<Callback> {
        self.lock().clone()
    }

    /// Waits until what has arrived is enough, and returns what `enough` makes of it.
    ///
    /// # Panics
    /// After [`wait::DEADLINE`], naming what was waited for.
    pub(crate) fn wait_for<T>(&self, what: &str, mut enough: impl FnMut(&[Callback]) -> Option<T>) -> T {
        let start = Instant::now();
        let mut arrived = self.lock();
        loop {
            if let Some(seen) = enough(&arrived) {
                return seen;
            }
            let left = wait::DEADLINE.checked_sub(start.elapsed());
            let left = left.unwrap_or_else(|| panic!("{} callbacks, but not: {what}", arrived.len()));
            arrived = self.shared.news.wait_timeout(arrived, left).expect("no thread panics with the lock").0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Callback>> {
        self.shared.arrived.lock().expect("no thread panics with the lock")
    }
}

/// Answers the requests of one connection until it is closed.
fn serve(connection: &TcpStream, shared: &Shared) -> Option<()> {
    let mut reader = BufReader::new(connection);
    let mut writer = connection;
    while let Some(callback) = read_request(&mut reader) {
        let number = {
            let mut arrived = shared.arrived.lock().ok()?;
            arrived.push(callback);
            arrived.len() - 1
        };
        let status = (shared.status)(number);
        shared.news.notify_all();
        let reply = format!("HTTP/1.1 {status} Told\r\nContent-Length: 0\r\n\r\n");
        writer.write_all(reply.as_bytes()).ok()?;
    }
    Some(())
}

/// Reads a request whose body has a Content-Length; `None` at the connection's end.
fn read_request(reader: &mut impl BufRead) -> Option<Callback> {
    let first = read_line(reader)?;
    let mut words = first.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let line = read_line(reader)?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length")?.1.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Callback { method, path, headers, body: String::from_utf8(body).ok()? })
}

fn read_line(reader: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    let read = reader.read_line(&mut line).ok()?;
    (read > 0).then(|| line.trim_end().to_owned())
}
