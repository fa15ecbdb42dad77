//! When a failed call is sent again, and after how long: arithmetic only, the caller waits.
//!
//! Reads are repeated while the cloud is slow, throttles or can't be reached. Writes are repeated only when the cloud
//! surely did not execute them: they never left, or were throttled. No write carries a token that would make
//! a repetition harmless (CVM API: `ClientToken` exists on none of them), so everything else is for the engine to look at.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

use super::classify::Effect;
use crate::cloud::{CloudError, ErrorKind, Sent};

/// How long and how often a call is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// How often a call is sent at most, the first time included.
    pub tries: usize,
    /// The first pause; it doubles from there. Each pause is lengthened by chance, to less than twice its length.
    pub first: Duration,
    /// The longest pause before it is lengthened.
    pub longest: Duration,
    /// All pauses of one call together.
    pub total: Duration,
    /// What chance begins with: the same seed gives the same pauses.
    pub seed: u64,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            tries: 5,
            first: Duration::from_millis(300),
            longest: Duration::from_secs(5),
            total: Duration::from_secs(30),
            seed: 0,
        }
    }
}

impl Retry {
    /// The same patience with a simulated cloud that runs `speed` times as fast.
    #[must_use]
    pub fn scaled(self, speed: f64) -> Self {
        let scaled = |duration: Duration| duration.div_f64(speed.max(1.0)).max(Duration::from_millis(5));
        Self { first: scaled(self.first), longest: scaled(self.longest), total: scaled(self.total), ..self }
    }

    /// The pauses of one call; `call` numbers the calls, so that they don't all pause alike.
    pub(crate) fn pauses(&self, call: u64) -> Pauses {
        let up_to = |longest| {
            ExponentialBuilder::default()
                .with_min_delay(self.first)
                .with_max_delay(longest)
                .with_max_times(self.tries.saturating_sub(1))
                .with_total_delay(Some(self.total))
                .with_jitter()
                .with_jitter_seed(self.seed.wrapping_add(call.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
                .build()
        };
        Pauses { growing: up_to(self.longest), even: up_to(self.first), left: self.total }
    }
}

/// What is left of one call's patience.
#[derive(Debug)]
pub(crate) struct Pauses {
    growing: ExponentialBackoff,
    even: ExponentialBackoff,
    left: Duration,
}

impl Pauses {
    /// How long to wait before the call is sent again; `None`: not again.
    pub(crate) fn after(&mut self, failure: &CloudError, effect: Effect) -> Option<Duration> {
        if !may_repeat(failure, effect) {
            return None;
        }
        let (growing, even) = (self.growing.next()?, self.even.next()?);
        // How long all are to hold back when the cloud throttles is known where all of them wait, and not here.
        let pause = if failure.kind == ErrorKind::Throttled { even } else { growing };
        let pause = pause.max(failure.retry_after.unwrap_or_default());
        self.left = self.left.checked_sub(pause)?;
        Some(pause)
    }
}

/// Whether sending the call again can help and can't harm.
fn may_repeat(failure: &CloudError, effect: Effect) -> bool {
    match (failure.kind, effect) {
        (ErrorKind::Throttled, _) | (ErrorKind::Server | ErrorKind::Network, Effect::Read) => true,
        (ErrorKind::Network, Effect::Write) => failure.sent == Sent::No,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(kind: ErrorKind, sent: Sent) -> CloudError {
        CloudError::new(kind, sent, "test")
    }

    #[test]
    fn a_write_is_repeated_only_if_it_was_surely_not_executed() {
        use Effect::{Read, Write};
        let table = [
            (ErrorKind::Throttled, Sent::No, Read, true),
            (ErrorKind::Throttled, Sent::No, Write, true),
            (ErrorKind::Server, Sent::No, Read, true),
            (ErrorKind::Server, Sent::Maybe, Write, false),
            (ErrorKind::Network, Sent::No, Read, true),
            (ErrorKind::Network, Sent::Maybe, Read, true),
            (ErrorKind::Network, Sent::No, Write, true),
            (ErrorKind::Network, Sent::Maybe, Write, false),
            (ErrorKind::Busy, Sent::No, Write, false),
            (ErrorKind::Power, Sent::No, Write, false),
            (ErrorKind::Auth, Sent::No, Read, false),
            (ErrorKind::Argument, Sent::No, Read, false),
            (ErrorKind::Capacity, Sent::No, Write, false),
        ];
        for (kind, sent, effect, expected) in table {
            let pause = Retry::default().pauses(1).after(&failure(kind, sent), effect);
            assert_eq!(pause.is_some(), expected, "{kind:?} {sent:?} {effect:?}");
        }
    }

    #[test]
    fn pauses_double_stay_under_twice_and_end_with_the_tries() {
        let retry = Retry::default();
        // What holds all callers back when the cloud throttles doubles where all of them wait.
        let kinds = [(ErrorKind::Network, [300, 600, 1200, 2400]), (ErrorKind::Throttled, [300; 4])];
        for (kind, all) in kinds {
            let mut pauses = retry.pauses(7);
            let failure = failure(kind, Sent::No);
            for expected in all.map(Duration::from_millis) {
                let pause = pauses.after(&failure, Effect::Read).unwrap();
                assert!((expected..expected * 2).contains(&pause), "{pause:?} for {expected:?}");
            }
            assert_eq!(pauses.after(&failure, Effect::Read), None);
        }
    }

    #[test]
    fn a_fast_simulated_cloud_is_given_shorter_pauses() {
        let fast = Retry::default().scaled(50.0);
        assert_eq!((fast.first, fast.longest), (Duration::from_millis(6), Duration::from_millis(100)));
        assert_eq!((fast.tries, fast.total), (5, Duration::from_millis(600)));
        assert_eq!(Retry::default().scaled(0.5), Retry::default(), "a slow one needs no more of it");
    }

    #[test]
    fn the_same_seed_pauses_alike_and_calls_pause_apart() {
        let first = |seed, call| {
            let retry = Retry { seed, ..Retry::default() };
            retry.pauses(call).after(&failure(ErrorKind::Throttled, Sent::No), Effect::Read)
        };
        assert_eq!(first(1, 1), first(1, 1));
        assert_ne!(first(1, 1), first(1, 2));
        assert_ne!(first(1, 1), first(2, 1));
    }

    #[test]
    fn a_wait_that_the_cloud_asks_for_is_kept_but_never_beyond_the_total() {
        let mut asked = failure(ErrorKind::Throttled, Sent::No);
        asked.retry_after = Some(Duration::from_secs(20));
        let mut pauses = Retry::default().pauses(1);
        assert_eq!(pauses.after(&asked, Effect::Read), Some(Duration::from_secs(20)));
        assert_eq!(pauses.after(&asked, Effect::Read), None, "40 s are more than the total of 30 s");
    }
}
