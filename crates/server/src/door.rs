//! The door: connections as they come in, with TLS where there is a certificate, and never more than are allowed.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::Sleep;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;

use crate::certificate::Certificate;

/// How long a client may take for the handshake of TLS.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long a client may take nothing of what is said to it.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long the door waits after the system could not give it a connection.
const PAUSE: Duration = Duration::from_millis(500);
/// Connections whose handshake is done and that are not served yet.
const READY: usize = 64;

/// Where a connection comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer(pub(crate) SocketAddr);

impl Peer {
    /// Its address, as people know it.
    pub(crate) fn ip(self) -> std::net::IpAddr {
        self.0.ip().to_canonical()
    }
}

impl Connected<IncomingStream<'_, Door>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        Self(*stream.remote_addr())
    }
}

/// A connection that was let in. It gives its place free when it is dropped, and is cut when the other side takes
/// nothing of what is said to it for too long: who reads a stream of events so slowly resumes it by the id of the last
/// one that it has.
pub(crate) struct Connection {
    stream: Either<TcpStream, Box<TlsStream<TcpStream>>>,
    patience: Duration,
    /// Until when the other side may take something, while it takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
    _place: OwnedSemaphorePermit,
}

impl Connection {
    fn new(
        stream: Either<TcpStream, Box<TlsStream<TcpStream>>>,
        patience: Duration,
        place: OwnedSemaphorePermit,
    ) -> Self {
        Self { stream, patience, stalled: None, _place: place }
    }

    /// What became of a try to say something, unless the other side has taken nothing for too long.
    fn or_cut<T>(&mut self, cx: &mut Context<'_>, said: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if said.is_ready() {
            self.stalled = None;
            return said;
        }
        let patience = self.patience;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        match stalled.as_mut().poll(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
        }
    }
}

/// Lets connections in.
pub(crate) struct Door {
    ready: mpsc::Receiver<(Connection, SocketAddr)>,
    address: SocketAddr,
}

impl Door {
    /// Opens the door before a listener, for so many connections at once. Needs a runtime of tokio's.
    pub(crate) fn open(listener: TcpListener, most: usize, certificate: Option<&Certificate>) -> io::Result<Self> {
        Self::open_for(listener, most, certificate, PATIENCE)
    }

    fn open_for(
        listener: TcpListener,
        most: usize,
        certificate: Option<&Certificate>,
        patience: Duration,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (sender, ready) = mpsc::channel(READY);
        let acceptor = certificate.map(|certificate| TlsAcceptor::from(certificate.config.clone()));
        tokio::spawn(let_in(listener, Arc::new(Semaphore::new(most)), acceptor, patience, sender));
        Ok(Self { ready, address })
    }
}

/// Takes connections as long as somebody serves them. A slow handshake keeps nobody else waiting.
async fn let_in(
    listener: TcpListener,
    places: Arc<Semaphore>,
    acceptor: Option<TlsAcceptor>,
    patience: Duration,
    ready: mpsc::Sender<(Connection, SocketAddr)>,
) {
    loop {
        // While every place is taken, whoever comes waits before the door.
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = ready.closed() => return,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "failed to take a connection; this tries again");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        // Small frames and replies must not wait for one another.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay");
        }
        let Some(acceptor) = acceptor.clone() else {
            let connection = Connection::new(Either::Left(stream), patience, place);
            if ready.send((connection, peer)).await.is_err() {
                return;
            }
            continue;
        };
        let ready = ready.clone();
        tokio::spawn(async move {
            match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => {
                    let connection = Connection::new(Either::Right(Box::new(stream)), patience, place);
                    // A server that stops takes no more.
                    let _ = ready.send((connection, peer)).await;
                }
                Ok(Err(error)) => tracing::debug!(%error, %peer, "a handshake has failed"),
                Err(_) => tracing::debug!(%peer, "a handshake took too long"),
            }
        });
    }
}

impl Listener for Door {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        match self.ready.recv().await {
            Some(accepted) => accepted,
            // The runtime is ending.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let said = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.or_cut(cx, said)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let said = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.or_cut(cx, said)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let said = Pin::new(&mut self.stream).poll_flush(cx);
        self.or_cut(cx, said)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn no_more_are_let_in_than_there_are_places() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut door = Door::open(listener, 2, None).unwrap();
        let address = door.local_addr().unwrap();
        let mut clients = Vec::new();
        for _ in 0..3 {
            clients.push(TcpStream::connect(address).await.unwrap());
        }
        let (mut first, peer) = door.accept().await;
        assert_eq!(peer, clients[0].local_addr().unwrap());
        let (second, _) = door.accept().await;
        assert!(door.ready.try_recv().is_err(), "both places are taken");
        first.write_all(b"hello").await.unwrap();
        let mut heard = [0; 5];
        clients[0].read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"hello");
        drop(second);
        let (_third, peer) = door.accept().await;
        assert_eq!(peer, clients[2].local_addr().unwrap());
    }

    #[tokio::test]
    async fn who_takes_nothing_is_cut() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut door = Door::open_for(listener, 1, None, Duration::from_millis(50)).unwrap();
        let _idle = TcpStream::connect(door.local_addr().unwrap()).await.unwrap();
        let (mut connection, _) = door.accept().await;
        let block = vec![b'x'; 1 << 20];
        let error = loop {
            if let Err(error) = connection.write_all(&block).await {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
