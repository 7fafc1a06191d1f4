//! A receiver that does as it likes with each request: not even an answer is certain.

use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// What is done with the n-th request (from 0), on its connection.
type Deed = dyn Fn(usize, &TcpStream) + Send + Sync;

/// A listening receiver. Its threads end with the test's process.
pub(crate) struct Rogue {
    port: u16,
    arrived: Arc<Mutex<Vec<Instant>>>,
}

impl Rogue {
    /// Does `deed` with each request, then closes its connection.
    pub(crate) fn start(deed: impl Fn(usize, &TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port of this machine");
        let port = listener.local_addr().expect("a bound listener has an address").port();
        let (arrived, deed): (Arc<Mutex<Vec<Instant>>>, Arc<Deed>) = (Arc::default(), Arc::new(deed));
        let (number, seen) = (Arc::new(AtomicUsize::new(0)), arrived.clone());
        std::thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let (deed, number, seen) = (deed.clone(), number.clone(), seen.clone());
                std::thread::spawn(move || {
                    if read_request(&connection).is_some() {
                        seen.lock().expect("no thread panics with the lock").push(Instant::now());
                        deed(number.fetch_add(1, Ordering::SeqCst), &connection);
                    }
                });
            }
        });
        Self { port, arrived }
    }

    /// The address that a subscription names.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// When each request arrived.
    pub(crate) fn arrivals(&self) -> Vec<Instant> {
        self.arrived.lock().expect("no thread panics with the lock").clone()
    }
}

/// Reads a request whose body has a Content-Length.
fn read_request(connection: &TcpStream) -> Option<()> {
    let mut reader = BufReader::new(connection);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()
}
