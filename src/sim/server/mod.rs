//! The simulated cloud over HTTP, on loopback only.
//!
//! `POST /` answers as the vendor's endpoints do, for all services. `GET /log?from=N` gives the world's log from its N-th
//! entry on, one JSON object a line, if the log is kept: it is not the vendor's, and for tests that judge a run.
//! While an instance runs and its guest has booted, the ports that it declares accept connections on its private
//! address, if that is a loopback address.

mod cut;
mod guests;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::connect_info::ConnectInfo;
use axum::extract::{DefaultBodyLimit, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::net::TcpListener;

use self::cut::{Cut, CuttableListener};
use super::front::{Delivery, Incoming, LARGEST, exchange};
use super::record::Recorder;
use super::world::World;
use crate::clock::Clock;

/// How to serve.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen: a loopback address; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where to write every exchange.
    pub recorder: Option<Recorder>,
    /// Open the ports of running guests on their private addresses.
    pub guests: bool,
    /// Keep the world's log, for `GET /log`. It grows with every call.
    pub keep_log: bool,
}

impl Options {
    /// Listens here, opens the guests' ports, records nothing and keeps no log.
    pub fn new(listen: SocketAddr) -> Self {
        Self { listen, recorder: None, guests: true, keep_log: false }
    }
}

/// Why the simulator can't serve.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Anybody on the network could reach it.
    #[error("the simulator listens on loopback addresses only, and {0} is none; use 127.0.0.1")]
    NotLoopback(SocketAddr),
    /// The address is taken or not ours.
    #[error("the simulator can't listen on {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// Serving broke off.
    #[error("the simulator stopped serving")]
    Serve(#[source] io::Error),
}

/// A simulator that listens and is about to serve.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    shared: Shared,
    guests: bool,
}

#[derive(Clone)]
struct Shared {
    world: Arc<Mutex<World>>,
    clock: Clock,
    recorder: Option<Recorder>,
}

impl Shared {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Server {
    /// Begins to listen.
    pub async fn bind(options: Options, world: World, clock: Clock) -> Result<Self, ServerError> {
        let Options { listen, recorder, guests, keep_log } = options;
        if !listen.ip().is_loopback() {
            return Err(ServerError::NotLoopback(listen));
        }
        let bind = |source| ServerError::Bind { address: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        let world = if keep_log { world } else { world.without_log() };
        let recorder = recorder.or_else(Recorder::from_environment);
        let shared = Shared { world: Arc::new(Mutex::new(world)), clock, recorder };
        Ok(Self { listener, address, shared, guests })
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` is ready; calls under way are answered first.
    pub async fn serve(self, stop: impl Future<Output = ()> + Send + 'static) -> Result<(), ServerError> {
        let Self { listener, shared, guests, .. } = self;
        let guests = guests.then(|| guests::Guests::open(shared.clone()));
        let listener = CuttableListener::new(listener, shared.clock.clone());
        let app = Router::new()
            .route("/", post(answer))
            .route("/log", get(log))
            .layer(DefaultBodyLimit::max(LARGEST))
            .with_state(shared)
            .into_make_service_with_connect_info::<Cut>();
        let served = axum::serve(listener, app).with_graceful_shutdown(stop).await;
        drop(guests);
        served.map_err(ServerError::Serve)
    }
}

struct Post<'a> {
    headers: &'a HeaderMap,
    body: &'a [u8],
}

impl Incoming for Post<'_> {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    fn body(&self) -> &[u8] {
        self.body
    }
}

async fn answer(
    State(shared): State<Shared>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let half = shared.world().latency() / 2;
    shared.clock.sleep(half).await;
    let now = shared.clock.now();
    let exchange = exchange(
        &mut shared.world(),
        now,
        &Post { headers: &headers, body: &body },
        shared.recorder.is_some(),
    );
    shared.clock.sleep(half + exchange.delay).await;
    if let (Some(recorder), Some(recording)) = (&shared.recorder, &exchange.recording) {
        recorder.write(recording);
    }
    match exchange.delivery {
        Delivery::Answer(response) => {
            let status = StatusCode::from_u16(response.status).unwrap_or(StatusCode::OK);
            let kind = if status == StatusCode::OK { "application/json" } else { "text/html" };
            let date = shared.clock.wall().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
            let headers = [(header::CONTENT_TYPE, kind.to_owned()), (header::DATE, date)];
            (status, headers, response.body).into_response()
        }
        Delivery::NoConnection | Delivery::Broken => {
            cut.now();
            StatusCode::OK.into_response()
        }
    }
}

async fn log(State(shared): State<Shared>, RawQuery(query): RawQuery) -> Response {
    let from = query.as_deref().and_then(|query| query.strip_prefix("from=")?.parse().ok()).unwrap_or(0);
    let now = shared.clock.now();
    let mut lines = Vec::new();
    {
        let mut world = shared.world();
        world.advance(now);
        for entry in world.log().iter().skip(from) {
            lines.extend(serde_json::to_vec(entry).unwrap_or_default());
            lines.push(b'\n');
        }
    }
    ([(header::CONTENT_TYPE, "application/x-ndjson")], lines).into_response()
}
