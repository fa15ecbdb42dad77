//! How long to wait for what, and when to look: pure functions of elapsed time and of what earlier operations took.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;

use super::typical::Typical;
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
    /// How old a decision may be when its call is sent: what had to wait longer for its turn is not sent, and looked at again.
    pub late: Duration,
    /// The first pause before a refused call is sent again; doubled each time.
    pub pause: Duration,
    /// The longest pause between two looks or two tries.
    pub longest: Duration,
    /// The shortest pause between two looks at one instance.
    pub shortest: Duration,
    /// By how much each pause between looks is shorter than the one before it, while an end is expected: less downtime
    /// for more calls.
    pub grain: Duration,
    /// How far apart the looks at many instances are: they are made together, so that all whose operation ended in
    /// between share the next calls.
    pub together: Duration,
    /// The share of the calls a second that the cloud takes which is used for looking, in percent: others look, too.
    pub looking: u8,
    /// How long operations take as far as nothing else is known.
    pub typical: Typical,
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
            late: Duration::from_secs(15),
            pause: Duration::from_secs(1),
            longest: Duration::from_secs(15),
            shortest: Duration::from_millis(125),
            grain: Duration::from_millis(23),
            together: Duration::from_millis(365),
            looking: 20,
            typical: Typical::default(),
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
            late: scaled(self.late).max(Duration::from_secs(5)),
            pause: scaled(self.pause),
            longest: scaled(self.longest).max(shortest * 4),
            shortest,
            grain: self.grain.div_f64(speed.max(1.0)),
            together: scaled(self.together),
            looking: self.looking,
            typical: self.typical.each(scaled),
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
        let a_second = ceiling.saturating_mul(u32::from(self.looking)).max(1);
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
        let half = self.pause_with(late.saturating_sub(early)) / 2;
        if elapsed < early {
            (early + half).saturating_sub(elapsed).max(self.shortest)
        } else if elapsed < late {
            self.pause_with(late.saturating_sub(elapsed))
        } else {
            elapsed.saturating_sub(late).mul_f64(0.25).max(half).clamp(self.shortest, self.longest)
        }
    }

    /// The pause before the next look if the end is expected within what is `left`, at any moment alike.
    ///
    /// The first looks are made for every operation, the last ones only for the few that take so long. So evenly spaced
    /// looks are not the best: calls and waiting together cost least when each pause is one grain shorter than the one
    /// before it, down to nothing at the end. Such pauses add up to `left` when the first is the root of 2 · left · grain.
    fn pause_with(&self, left: Duration) -> Duration {
        let pause = (2.0 * left.as_secs_f64() * self.grain.as_secs_f64()).sqrt();
        Duration::from_secs_f64(pause).clamp(self.shortest, self.longest)
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
    by_action: BTreeMap<Action, BTreeMap<String, Kept>>,
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
        self.by_action.entry(took.action).or_default().entry(took.family.clone()).or_default().add(took.took);
    }

    /// What to remember of an operation that the first look, after `elapsed`, found ended; `None` means nothing.
    ///
    /// As early as can be: were it remembered as long as it seemed, the first look would come later every time, and
    /// what is never looked for is never found to be possible.
    pub fn ended_before_the_first_look(
        &self,
        action: Action,
        family: &str,
        elapsed: Duration,
    ) -> Option<Duration> {
        match self.span(action, family) {
            None => Some(elapsed),
            Some(span) if elapsed <= span.late => Some(elapsed.min(span.early)),
            // Nobody looked when it was time.
            Some(_) => None,
        }
    }

    /// How long such an operation can be expected to take, in the middle; without enough experience what is typical.
    pub fn middle(&self, action: Action, family: &str, typical: Typical) -> Duration {
        self.span(action, family)
            .map_or_else(|| typical.of(action), |Span { early, late }| (early + late) / 2)
    }

    /// When such an operation can be expected to end; `None` without enough experience.
    pub fn span(&self, action: Action, family: &str) -> Option<Span> {
        self.by_action.get(&action)?.get(family)?.span
    }
}

/// What operations of one kind took.
#[derive(Clone, Debug, Default)]
struct Kept {
    /// The oldest first.
    durations: VecDeque<Duration>,
    span: Option<Span>,
}

impl Kept {
    fn add(&mut self, took: Duration) {
        if self.durations.len() == KEPT {
            self.durations.pop_front();
        }
        self.durations.push_back(took);
        let mut sorted: Vec<_> = self.durations.iter().copied().collect();
        sorted.sort_unstable();
        self.span = Span::of(&sorted);
    }
}

impl Span {
    /// What these durations, the shortest first, let expect.
    fn of(sorted: &[Duration]) -> Option<Self> {
        if sorted.len() < ENOUGH {
            return None;
        }
        // The shortest and longest, without the outermost twentieth of many. What is still to come lies beyond them by as
        // much as they lie apart from each other, on average; and nothing is as exact as a few equal figures look.
        let outermost = sorted.len() / 20;
        let (early, late) = (sorted[outermost], sorted[sorted.len() - 1 - outermost]);
        let apart = late.saturating_sub(early) / u32::try_from(sorted.len() - 1).unwrap_or(u32::MAX);
        let room = |end: Duration| apart.max(end.mul_f64(0.02));
        Some(Self { early: early.saturating_sub(room(early)), late: late + room(late) })
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
                8.21, 8.63, 9.03, 9.4, 9.74, 10.06, 10.36, 10.64, 10.89, 11.11, 11.32, 11.49, 11.65, 11.77,
                11.9, 12.02, 12.24, 12.45, 12.67, 12.88, 13.1, 13.38, 13.72, 14.15, 14.69, 15.36
            ]
        );
    }

    #[test]
    fn without_experience_it_looks_ever_more_slowly() {
        assert_eq!(
            looks(None, 12),
            [
                0.38, 0.75, 1.13, 1.5, 1.88, 2.25, 2.63, 3.02, 3.47, 3.99, 4.59, 5.28, 6.07, 6.98, 8.03,
                9.23, 10.62
            ]
        );
        assert!(looks(None, 600).windows(2).all(|pair| pair[1] - pair[0] <= 15.01));
    }

    /// What is learned of operations that take, one after the other, so many seconds, and are looked at accordingly.
    fn learned(experience: &mut Experience, seconds: impl Iterator<Item = f64>) -> (f64, f64) {
        let pace = Pace::default();
        for seconds in seconds {
            let (mut before, mut elapsed) = (None, Duration::ZERO);
            loop {
                let pause = pace.next_look(elapsed, experience.span(Action::Stop, "S5"));
                if (elapsed + pause).as_secs_f64() >= seconds {
                    let seen = elapsed + pause;
                    let took = match before {
                        Some(before) => Some((before + seen) / 2),
                        None => experience.ended_before_the_first_look(Action::Stop, "S5", seen),
                    };
                    if let Some(took) = took {
                        experience.add(&Took { action: Action::Stop, family: "S5".into(), took });
                    }
                    break;
                }
                elapsed += pause;
                before = Some(elapsed);
            }
        }
        let span = experience.span(Action::Stop, "S5").unwrap();
        (span.early.as_secs_f64(), span.late.as_secs_f64())
    }

    #[test]
    fn what_is_expected_stays_where_it_is_and_follows_the_cloud() {
        // Evenly over 6.4 to 9.6 s, in an order without a pattern.
        let steady =
            |from: f64| (0..1_000).map(move |number: u32| from + f64::from(number * 37 % 100) * 0.032);
        let mut experience = Experience::default();
        let (early, late) = learned(&mut experience, steady(6.4));
        assert!((6.0..6.6).contains(&early) && (9.3..10.1).contains(&late), "{early} to {late}");
        let (early, late) = learned(&mut experience, steady(4.4));
        assert!((4.0..4.6).contains(&early) && (7.3..8.1).contains(&late), "faster: {early} to {late}");
        let (early, late) = learned(&mut experience, steady(8.4));
        assert!((8.0..8.6).contains(&early) && (11.3..12.1).contains(&late), "slower: {early} to {late}");
    }

    #[test]
    fn what_nobody_looked_for_in_time_teaches_nothing() {
        let took =
            |seconds| Took { action: Action::Stop, family: "S5".into(), took: Duration::from_secs(seconds) };
        let mut experience = Experience::new(&[took(10), took(12)]);
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        let found = |experience: &Experience, elapsed| {
            experience.ended_before_the_first_look(Action::Stop, "S5", Duration::from_secs(elapsed))
        };
        assert_eq!(found(&experience, 100), seconds(100), "nothing is known yet");
        experience.add(&took(20));
        assert_eq!(found(&experience, 4), seconds(4));
        assert_eq!(found(&experience, 24), seconds(5), "the earliest");
        assert_eq!(found(&experience, 26), None, "25 s is the latest");
    }

    #[test]
    fn experience_needs_three_of_a_kind_and_keeps_the_newest() {
        let took =
            |seconds| Took { action: Action::Stop, family: "S5".into(), took: Duration::from_secs(seconds) };
        let mut experience = Experience::new(&[took(10), took(12)]);
        assert_eq!(experience.span(Action::Stop, "S5"), None);
        experience.add(&took(20));
        let span = experience.span(Action::Stop, "S5").unwrap();
        assert_eq!((span.early, span.late), (Duration::from_secs(5), Duration::from_secs(25)));
        assert_eq!(experience.span(Action::Stop, "S6"), None);
        for _ in 0..KEPT {
            experience.add(&took(5));
        }
        assert_eq!(experience.span(Action::Stop, "S5").unwrap().late, Duration::from_millis(5100));
    }

    #[test]
    fn many_are_looked_at_in_step_and_few_when_it_suits_them() {
        let pace = Pace::default();
        let origin = Timestamp::from_second(1_800_000_000).unwrap();
        let at = |millis| origin + Duration::from_millis(millis);
        let step =
            |when, now, active| between(origin, pace.in_step(at(when), at(now), origin, active)).as_millis();
        assert_eq!(step(1000, 900, FEW), 1000);
        assert_eq!(step(1000, 100, FEW + 1), 2 * 365, "the nearest before it");
        assert_eq!(step(1000, 900, FEW + 1), 3 * 365, "that one is over");
        assert_eq!(step(900, 1000, 1000), 3 * 365, "what is overdue is no exception");
    }

    #[test]
    fn looks_take_a_fifth_of_what_the_cloud_allows() {
        let pace = Pace::default();
        assert_eq!(pace.rest_after(1, 40), Duration::from_millis(125));
        assert_eq!(pace.rest_after(9, 40), Duration::from_millis(1125));
        assert_eq!(Pace { looking: 50, ..pace.clone() }.rest_after(2, 40), Duration::from_millis(100));
        assert!(
            pace.rest_after(1, u32::MAX) < Duration::from_millis(1),
            "a ceiling may be set as high as one likes"
        );
    }
}
