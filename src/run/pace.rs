//! How long to wait for what, and when to look: pure functions of elapsed time and of what earlier operations took.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::between;
use crate::cloud::{Action, CloudError, ErrorKind};
use crate::journal::Took;

/// The limits of waiting. The defaults are the vendor's figures with room to spare (field values: resize 1–2 min,
/// start and password up to 6 min, soft stop given up after 5 min, visibility of an operation up to 10 s).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How long an accepted operation may stay invisible, and a call without an answer without a trace.
    pub visibility: Duration,
    /// How long after a resize the cloud may still power the instance on by itself.
    pub settle: Duration,
    /// How long a start may take.
    pub start: Duration,
    /// How long a resize may take.
    pub resize: Duration,
    /// How long a password or key change may take.
    pub change: Duration,
    /// How long to go on watching an instance whose operation hangs, or that can't be read.
    pub recovery: Duration,
    /// How old an observation may be when something is decided on it.
    pub fresh: Duration,
    /// The first pause before a refused call is sent again; doubled each time.
    pub pause: Duration,
    /// The longest pause between two looks or two tries.
    pub longest: Duration,
    /// The shortest pause between two looks at one instance.
    pub shortest: Duration,
    /// How far apart the looks at many instances are: they are made together, so that all whose operation ended in
    /// between share the next calls.
    pub together: Duration,
    /// The share of the calls a second that the cloud takes which is used for looking, in percent: others look, too.
    pub looking: u8,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            visibility: Duration::from_mins(1),
            settle: Duration::from_secs(10),
            start: Duration::from_mins(10),
            resize: Duration::from_mins(15),
            change: Duration::from_mins(10),
            recovery: Duration::from_mins(30),
            fresh: Duration::from_secs(3),
            pause: Duration::from_secs(1),
            longest: Duration::from_secs(15),
            shortest: Duration::from_millis(125),
            together: Duration::from_millis(360),
            looking: 20,
        }
    }
}

impl Pace {
    /// The same pace for a simulated cloud that runs `speed` times as fast.
    #[must_use]
    pub fn scaled(&self, speed: f64) -> Self {
        let scaled = |duration: Duration| duration.div_f64(speed.max(1.0)).max(Duration::from_millis(5));
        let shortest = scaled(self.shortest);
        Self {
            visibility: scaled(self.visibility),
            settle: scaled(self.settle),
            start: scaled(self.start),
            resize: scaled(self.resize),
            change: scaled(self.change),
            recovery: scaled(self.recovery),
            // A read over a socket takes its real time, however fast the simulated cloud is.
            fresh: scaled(self.fresh).max(Duration::from_secs(1)),
            pause: scaled(self.pause),
            longest: scaled(self.longest).max(shortest * 4),
            shortest,
            together: scaled(self.together),
            looking: self.looking,
        }
    }

    /// The moment to look at one of `active` instances that should be looked at `when`: where there are many, the
    /// nearest moment before it at which all are looked at, counted from `origin`, but not one that is over.
    pub fn in_step(&self, when: Timestamp, now: Timestamp, origin: Timestamp, active: usize) -> Timestamp {
        let step = self.together.as_nanos();
        if active <= FEW || step == 0 {
            return when;
        }
        let steps = |moment: Timestamp| between(origin, moment).as_nanos() / step;
        let number = steps(when).max(steps(now) + 1);
        u64::try_from(number * step).map_or(when, |nanos| origin + Duration::from_nanos(nanos))
    }

    /// How long after `calls` looks the next may follow, if the cloud takes `ceiling` of them in a second.
    pub fn rest_after(&self, calls: usize, ceiling: u32) -> Duration {
        let calls = u32::try_from(calls).unwrap_or(u32::MAX);
        let a_second = (ceiling * u32::from(self.looking)).max(1);
        (Duration::from_secs(100) / a_second).saturating_mul(calls)
    }

    /// How long the operation may take; a stop's limit is the workflow's.
    pub fn limit(&self, action: Action, stop: Duration) -> Duration {
        match action {
            Action::Stop => stop,
            Action::Start => self.start,
            Action::Resize => self.resize,
            Action::ResetPassword | Action::LoadSshKeys => self.change,
        }
    }

    /// For how long, from the first refusal on, the call is tried again; zero means not at all.
    pub fn patience(&self, action: Action, error: &CloudError) -> Duration {
        // Documented as "not supported", but also seen while an operation passes: worth a minute (CVM API).
        if error.code.as_deref() == Some("InvalidInstance.NotSupported") {
            return self.visibility;
        }
        match error.kind {
            // Bringing an instance back is worth patience with all that can pass.
            ErrorKind::Network
            | ErrorKind::Server
            | ErrorKind::State
            | ErrorKind::Operator
            | ErrorKind::Capacity
            | ErrorKind::Auth
            | ErrorKind::Money
                if action == Action::Start =>
            {
                self.start / 2
            }
            ErrorKind::Throttled | ErrorKind::Busy => self.resize,
            ErrorKind::Network | ErrorKind::Server | ErrorKind::Power => self.visibility * 2,
            ErrorKind::State
            | ErrorKind::Identity
            | ErrorKind::Argument
            | ErrorKind::Never
            | ErrorKind::Operator
            | ErrorKind::Capacity
            | ErrorKind::Auth
            | ErrorKind::Money => Duration::ZERO,
        }
    }

    /// The pause after the `times`th refusal in a row.
    pub fn pause_after(&self, times: u32) -> Duration {
        self.pause.saturating_mul(1 << times.saturating_sub(1).min(10)).min(self.longest)
    }

    /// When to look next at an operation that has run for `elapsed`.
    ///
    /// With experience: not before the earliest end known, then closely until the latest, then ever more slowly.
    /// Without: ever more slowly from the beginning.
    pub fn next_look(&self, elapsed: Duration, span: Option<Span>) -> Duration {
        let Some(Span { early, late }) = span else {
            return (elapsed.mul_f64(0.15)).clamp(self.shortest * 3, self.longest);
        };
        // Looks cost calls in proportion to width / pause, and downtime in proportion to the pause: over operations of
        // different widths the same cost in both is least when the pause goes with the root of the width.
        let width = late.saturating_sub(early).as_secs_f64();
        let closely = Duration::from_secs_f64(0.35 * (width * self.shortest.as_secs_f64()).sqrt())
            .clamp(self.shortest, self.longest);
        if elapsed < early {
            // Not later: what is never looked for before is never found to be possible.
            early.saturating_sub(elapsed).max(self.shortest)
        } else if elapsed < late {
            closely
        } else {
            elapsed.saturating_sub(late).mul_f64(0.25).clamp(closely, self.longest.max(closely))
        }
    }
}

/// Up to so many instances each is looked at when it suits it best: little is shared by so few.
const FEW: usize = 25;

/// When an operation can be expected to end, counted from its acceptance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Hardly ever before this.
    pub early: Duration,
    /// Hardly ever after this.
    pub late: Duration,
}

/// What operations took so far, by action and family.
#[derive(Clone, Debug, Default)]
pub struct Experience {
    by_family: BTreeMap<(Action, String), Vec<Duration>>,
}

/// How many durations of one kind are kept; the oldest go.
const KEPT: usize = 64;
/// How many durations it takes to expect anything.
const ENOUGH: usize = 3;

impl Experience {
    /// What earlier runs took; the newest come first.
    pub fn new(history: &[Took]) -> Self {
        let mut experience = Self::default();
        for took in history.iter().rev() {
            experience.add(took);
        }
        experience
    }

    /// Adds the newest duration.
    pub fn add(&mut self, took: &Took) {
        let kept = self.by_family.entry((took.action, took.family.clone())).or_default();
        if kept.len() == KEPT {
            kept.remove(0);
        }
        kept.push(took.took);
    }

    /// When such an operation can be expected to end; `None` without enough experience.
    pub fn span(&self, action: Action, family: &str) -> Option<Span> {
        let mut kept = self.by_family.get(&(action, family.to_owned()))?.clone();
        if kept.len() < ENOUGH {
            return None;
        }
        kept.sort_unstable();
        // The shortest and longest, without the outermost twentieth of many. What is still to come lies beyond them by as
        // much as they lie apart from each other, on average; and nothing is as exact as a few equal figures look.
        let outermost = kept.len() / 20;
        let (early, late) = (kept[outermost], kept[kept.len() - 1 - outermost]);
        let apart = (late - early) / u32::try_from(kept.len() - 1).unwrap_or(u32::MAX);
        let room = |end: Duration| apart.max(end.mul_f64(0.02));
        Some(Span { early: early.saturating_sub(room(early)), late: late + room(late) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The seconds at which an operation would be looked at, up to `end`.
    fn looks(span: Option<Span>, end: u64) -> Vec<f64> {
        let pace = Pace::default();
        let mut elapsed = Duration::ZERO;
        let mut looks = Vec::new();
        loop {
            elapsed += pace.next_look(elapsed, span);
            if elapsed > Duration::from_secs(end) {
                return looks;
            }
            looks.push((elapsed.as_secs_f64() * 100.0).round() / 100.0);
        }
    }

    #[test]
    fn with_experience_it_waits_then_looks_closely_then_ever_more_slowly() {
        let span = Span { early: Duration::from_secs(8), late: Duration::from_secs(12) };
        assert_eq!(
            looks(Some(span), 16),
            [
                8.0, 8.54, 9.08, 9.63, 10.17, 10.71, 11.25, 11.8, 12.34, 12.88, 13.42, 13.96, 14.51, 15.13,
                15.92
            ]
        );
    }

    #[test]
    fn without_experience_it_looks_ever_more_slowly() {
        assert_eq!(
            looks(None, 12),
            [0.45, 0.9, 1.35, 1.8, 2.25, 2.7, 3.15, 3.62, 4.17, 4.79, 5.51, 6.34, 7.29, 8.38, 9.64, 11.08]
        );
        assert!(looks(None, 600).windows(2).all(|pair| pair[1] - pair[0] <= 15.01));
    }

    #[test]
    fn experience_needs_three_of_a_kind_and_keeps_the_newest() {
        let took =
            |seconds| Took { action: Action::Stop, family: "S5".into(), took: Duration::from_secs(seconds) };
        let mut experience = Experience::new(&[took(10), took(12)]);
        assert_eq!(experience.span(Action::Stop, "S5"), None);
        experience.add(&took(20));
        let span = experience.span(Action::Stop, "S5").unwrap();
        assert_eq!((span.early, span.late), (Duration::from_secs(9), Duration::from_secs(22)));
        assert_eq!(experience.span(Action::Stop, "S6"), None);
        for _ in 0..KEPT {
            experience.add(&took(5));
        }
        assert_eq!(experience.span(Action::Stop, "S5").unwrap().late, Duration::from_millis(5150));
    }
}
