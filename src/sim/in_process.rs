//! The simulated cloud without a socket.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::front::{Delivery, Incoming, exchange};
use super::record::Recorder;
use super::world::World;
use crate::clock::Clock;
use crate::tencent::wire::{Request, Response, Transport, TransportError};

/// Carries the client's requests to a [`World`] of its own. Clones share the world.
#[derive(Clone)]
pub struct InProcess {
    world: Arc<Mutex<World>>,
    clock: Clock,
    recorder: Option<Recorder>,
}

impl InProcess {
    /// A transport to `world`, which follows `clock`.
    pub fn new(world: World, clock: Clock) -> Self {
        Self { world: Arc::new(Mutex::new(world)), clock, recorder: Recorder::from_environment() }
    }

    /// The same, recording every exchange.
    #[must_use]
    pub fn recorded(self, recorder: Recorder) -> Self {
        Self { recorder: Some(recorder), ..self }
    }

    /// Whether the guest at this private address accepts a connection on the port now.
    pub fn accepts(&self, host: &str, port: u16) -> bool {
        let now = self.clock.now();
        self.world().accepts(now, host, port)
    }

    /// The world brought forward to now, to look at or to meddle with.
    pub fn with_world<T>(&self, work: impl FnOnce(&mut World) -> T) -> T {
        let now = self.clock.now();
        let mut world = self.world();
        world.advance(now);
        work(&mut world)
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Incoming for Request {
    fn header(&self, name: &str) -> Option<&str> {
        Request::header(self, name)
    }

    fn body(&self) -> &[u8] {
        &self.body
    }
}

#[async_trait]
impl Transport for InProcess {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let half = self.world().latency() / 2;
        self.clock.sleep(half).await;
        let now = self.clock.now();
        let exchange = exchange(&mut self.world(), now, &request, self.recorder.is_some());
        self.clock.sleep(half + exchange.delay).await;
        if let (Some(recorder), Some(recording)) = (&self.recorder, &exchange.recording) {
            recorder.write(recording);
        }
        match exchange.delivery {
            Delivery::Answer(response) => Ok(response),
            Delivery::NoConnection => Err(TransportError::NotSent("connection refused".to_owned())),
            Delivery::Broken => Err(TransportError::MaybeSent("connection reset by peer".to_owned())),
        }
    }
}
