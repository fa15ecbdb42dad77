//! The only place that reads or waits for time.
//!
//! Everything else is handed a [`Clock`], so that the whole engine runs under virtual time in simulations.
//! [`Clock::now`] never jumps: it is the wall clock at the clock's making plus the time that has passed since, so that
//! no deadline moves when somebody sets the machine's clock. [`Clock::wall`] is what the machine's clock shows, for
//! signatures, credentials and leases.
//!
//! While the machine is suspended (a closed lid, a virtual machine that is paused or moved) the time that has passed stands
//! still, as far as it can tell, and only the wall clock tells on waking. What must not be done late asks [`Clock::since`],
//! which takes whichever of the two says more: to take somebody's setting the clock forward for a suspension makes one
//! careful for nothing, and the other way round one would send what was decided hours ago.
//!
//! A [`Clock::simulated`] clock follows tokio's timer: with tokio's paused time a pause of ten minutes takes none.
//! Paused time is for the in-process simulator only; over sockets it gives false time-outs.
#![expect(clippy::disallowed_methods, reason = "this module is the one that is allowed to")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
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
    /// A machine that is suspended by a test, for so many milliseconds in all; or somebody who never is.
    Simulated {
        suspended: Arc<AtomicU64>,
        awake: bool,
    },
}

/// One moment as both clocks show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    now: Timestamp,
    wall: Timestamp,
}

impl Moment {
    /// By [`Clock::now`].
    pub fn now(&self) -> Timestamp {
        self.now
    }
}

impl Clock {
    /// The machine's own clock.
    pub fn system() -> Self {
        Self { kind: Kind::System, origin: Timestamp::now(), started: tokio::time::Instant::now() }
    }

    /// A clock that shows `origin` now and from here on follows tokio's timer.
    pub fn simulated(origin: Timestamp) -> Self {
        let kind = Kind::Simulated { suspended: Arc::default(), awake: false };
        Self { kind, origin, started: tokio::time::Instant::now() }
    }

    /// A simulated clock's time as it goes on for all others while this machine is suspended: for a simulated world.
    /// The machine's own clock stays as it is.
    #[must_use]
    pub fn of_others(&self) -> Self {
        let kind = match &self.kind {
            Kind::System => Kind::System,
            Kind::Simulated { suspended, .. } => {
                Kind::Simulated { suspended: Arc::clone(suspended), awake: true }
            }
        };
        Self { kind, ..self.clone() }
    }

    /// Plays a suspension of a simulated machine, at once. A real one is not done anything to.
    pub fn suspend(&self, pause: Duration) {
        if let Kind::Simulated { suspended, .. } = &self.kind {
            suspended.fetch_add(u64::try_from(pause.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
        }
    }

    /// The time now; it only goes forward.
    pub fn now(&self) -> Timestamp {
        let suspended = match &self.kind {
            Kind::Simulated { suspended, awake: true } => suspended.load(Ordering::Relaxed),
            Kind::System | Kind::Simulated { .. } => 0,
        };
        self.origin + self.started.elapsed() + Duration::from_millis(suspended)
    }

    /// The time that the machine's clock shows now, right or wrong.
    pub fn wall(&self) -> Timestamp {
        match &self.kind {
            Kind::System => Timestamp::now(),
            Kind::Simulated { awake: true, .. } => self.now(),
            Kind::Simulated { suspended, awake: false } => {
                self.now() + Duration::from_millis(suspended.load(Ordering::Relaxed))
            }
        }
    }

    /// How far [`Clock::now`] has fallen behind the machine's clock, by being suspended or by somebody's setting it forward;
    /// nothing, if it is only what clocks always differ by.
    pub fn lag(&self) -> Duration {
        Some(between(self.now(), self.wall()))
            .filter(|lag| *lag >= Duration::from_secs(1))
            .unwrap_or_default()
    }

    /// The time for what is kept or told: later processes, and people, go by the machine's clock.
    pub fn stamp(&self) -> Timestamp {
        self.now() + self.lag()
    }

    /// Both at once, to ask later how long ago it was.
    pub fn moment(&self) -> Moment {
        Moment { now: self.now(), wall: self.wall() }
    }

    /// When so much time will have passed since then, if the machine is not suspended before.
    pub fn after(&self, moment: &Moment, pause: Duration) -> Timestamp {
        let due = moment.now + pause;
        due.checked_sub(self.stood_still(moment)).unwrap_or(Timestamp::MIN)
    }

    /// How long ago that was, time in which the machine was suspended included.
    pub fn since(&self, moment: &Moment) -> Duration {
        let Moment { now, wall } = self.moment();
        between(moment.now, now).max(between(moment.wall, wall))
    }

    /// For how much of the time since then the machine was suspended, or by how much its clock was set forward.
    pub fn stood_still(&self, moment: &Moment) -> Duration {
        let Moment { now, wall } = self.moment();
        between(moment.wall, wall).saturating_sub(between(moment.now, now))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_suspension_shows_on_the_wall_and_to_others_and_moves_no_deadline() {
        let clock = Clock::simulated(Timestamp::from_second(1_800_000_000).unwrap());
        let others = clock.of_others();
        let moment = clock.moment();
        clock.sleep(Duration::from_secs(3)).await;
        assert_eq!(
            (clock.since(&moment), clock.stood_still(&moment)),
            (Duration::from_secs(3), Duration::ZERO)
        );
        clock.suspend(Duration::from_hours(2));
        let (short, long) = (Duration::from_secs(3), Duration::from_secs(7203));
        assert_eq!(between(moment.now, clock.now()), short);
        assert_eq!(between(moment.wall, clock.wall()), long);
        assert_eq!((between(moment.now, others.now()), others.wall()), (long, others.now()));
        assert_eq!((clock.since(&moment), clock.stood_still(&moment)), (long, Duration::from_hours(2)));
        assert_eq!((clock.lag(), clock.stamp()), (Duration::from_hours(2), clock.wall()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_is_set_back_hides_no_time() {
        let clock = Clock::simulated(Timestamp::from_second(1_800_000_000).unwrap());
        let Moment { now, wall } = clock.moment();
        let before = Moment { now, wall: wall + Duration::from_hours(1) };
        clock.sleep(Duration::from_secs(3)).await;
        assert_eq!(
            (clock.since(&before), clock.stood_still(&before)),
            (Duration::from_secs(3), Duration::ZERO)
        );
    }
}
