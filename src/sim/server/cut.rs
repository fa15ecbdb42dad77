//! Connections that a handler can cut, for answers that get lost; no more of them than there are seats, and none that is
//! held for ever.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::clock::Clock;

/// The knife for one connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Cut(Arc<AtomicBool>);

impl Cut {
    /// Nothing is written to the connection from here on; it breaks with the next write.
    pub(super) fn now(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn is_cut(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// How many connections there may be at a time; further ones wait to be accepted.
const SEATS: usize = 256;

/// How long a connection may be idle, and how long a request may take from its first byte to its answer.
const PATIENCE: Duration = Duration::from_mins(1);

/// A connection with its knife.
pub(super) struct Cuttable {
    stream: TcpStream,
    cut: Cut,
    clock: Clock,
    /// Ends when the other side was waited for long enough.
    patience: Pin<Box<dyn Future<Output = ()> + Send>>,
    /// No byte of the next request has come yet.
    idle: bool,
    _seat: OwnedSemaphorePermit,
}

impl Cuttable {
    fn begin_to_wait(&mut self) {
        let clock = self.clock.clone();
        self.patience = Box::pin(async move { clock.sleep(PATIENCE).await });
    }
}

/// A listener of such connections.
pub(super) struct CuttableListener {
    listener: TcpListener,
    clock: Clock,
    seats: Arc<Semaphore>,
}

impl CuttableListener {
    pub(super) fn new(listener: TcpListener, clock: Clock) -> Self {
        Self { listener, clock, seats: Arc::new(Semaphore::new(SEATS)) }
    }

    async fn seat(&self) -> OwnedSemaphorePermit {
        match Arc::clone(&self.seats).acquire_owned().await {
            Ok(seat) => seat,
            // Only a closed semaphore refuses, and this one is never closed.
            Err(_) => std::future::pending().await,
        }
    }
}

impl Listener for CuttableListener {
    type Io = Cuttable;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let seat = self.seat().await;
        let (stream, address) = Listener::accept(&mut self.listener).await;
        // Answers are small and come one at a time: waiting for more only adds latency.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "no TCP_NODELAY");
        }
        let (clock, patience) = (self.clock.clone(), Box::pin(std::future::pending()));
        let mut connection =
            Cuttable { stream, cut: Cut::default(), clock, patience, idle: true, _seat: seat };
        connection.begin_to_wait();
        (connection, address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

impl Connected<IncomingStream<'_, CuttableListener>> for Cut {
    fn connect_info(stream: IncomingStream<'_, CuttableListener>) -> Self {
        stream.io().cut.clone()
    }
}

impl AsyncRead for Cuttable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before && std::mem::take(&mut self.idle) {
            self.begin_to_wait();
        }
        if read.is_pending() && self.patience.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        read
    }
}

impl AsyncWrite for Cuttable {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.cut.is_cut() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        self.idle = true;
        self.begin_to_wait();
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    async fn listener() -> CuttableListener {
        CuttableListener::new(TcpListener::bind("127.0.0.1:0").await.unwrap(), Clock::system())
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_sends_nothing_more_is_given_up() {
        for begun in [&b""[..], b"POST / HTTP/1.1\r\n"] {
            let mut listener = listener().await;
            let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let (mut connection, _) = Listener::accept(&mut listener).await;
            client.write_all(begun).await.unwrap();
            let error = connection.read_to_end(&mut Vec::new()).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        }
    }

    #[tokio::test]
    async fn a_connection_beyond_the_last_seat_waits_for_one() {
        let mut listener = listener().await;
        listener.seats = Arc::new(Semaphore::new(1));
        let address = listener.local_addr().unwrap();
        let _clients =
            (TcpStream::connect(address).await.unwrap(), TcpStream::connect(address).await.unwrap());
        let (first, _) = Listener::accept(&mut listener).await;
        let clock = Clock::system();
        let brief = Duration::from_millis(50);
        assert!(clock.timeout(brief, Listener::accept(&mut listener)).await.is_none());
        drop(first);
        assert!(clock.timeout(PATIENCE, Listener::accept(&mut listener)).await.is_some());
    }
}
