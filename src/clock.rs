//! The only place that reads or waits for time.
//!
//! Everything else is handed a [`Clock`], so that the whole engine runs under virtual time in simulations.
//! [`Clock::now`] never jumps: it is the wall clock at the clock's making plus the time that has passed since, so that
//! no deadline moves when somebody sets the machine's clock. [`Clock::wall`] is what the machine's clock shows, for
//! signatures and credentials. A [`Clock::simulated`] clock follows tokio's timer: with tokio's paused time a pause of ten minutes takes none.
//! Paused time is for the in-process simulator only; over sockets it gives false time-outs.
#![expect(clippy::disallowed_methods, reason = "this module is the one that is allowed to")]

use std::time::Duration;

use jiff::Timestamp;

/// A source of wall-clock time and of pauses.
#[derive(Clone, Debug)]
pub struct Clock {
    kind: Kind,
    origin: Timestamp,
    started: tokio::time::Instant,
}

#[derive(Clone, Debug)]
enum Kind {
    System,
    Simulated,
}

impl Clock {
    /// The machine's own clock.
    pub fn system() -> Self {
        Self { kind: Kind::System, origin: Timestamp::now(), started: tokio::time::Instant::now() }
    }

    /// A clock that shows `origin` now and from here on follows tokio's timer.
    pub fn simulated(origin: Timestamp) -> Self {
        Self { kind: Kind::Simulated, origin, started: tokio::time::Instant::now() }
    }

    /// The time now; it only goes forward.
    pub fn now(&self) -> Timestamp {
        self.origin + self.started.elapsed()
    }

    /// The time that the machine's clock shows now, right or wrong.
    pub fn wall(&self) -> Timestamp {
        match self.kind {
            Kind::System => Timestamp::now(),
            Kind::Simulated => self.now(),
        }
    }

    /// Waits for `pause`.
    pub async fn sleep(&self, pause: Duration) {
        tokio::time::sleep(pause).await;
    }

    /// Waits until `when`; returns at once if that has passed.
    pub async fn sleep_until(&self, when: Timestamp) {
        let pause = when.duration_since(self.now());
        if let Ok(pause) = Duration::try_from(pause) {
            self.sleep(pause).await;
        }
    }

    /// Runs `work`, giving up after `limit`; `None` means it was given up.
    pub async fn timeout<F: Future>(&self, limit: Duration, work: F) -> Option<F::Output> {
        tokio::time::timeout(limit, work).await.ok()
    }
}

/// The time from `earlier` to `later`; zero if it is negative.
pub fn between(earlier: Timestamp, later: Timestamp) -> Duration {
    Duration::try_from(later.duration_since(earlier)).unwrap_or_default()
}
