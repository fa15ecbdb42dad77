//! How many calls of each action are sent in a second: the vendor's ceilings, kept on our side.
//!
//! The ceilings hold for the whole account, so other programs share them, and settings can lower them here.
//! A call over the ceiling waits for its turn; it never fails for it.
//!
//! Written here and not taken from `governor`, because a turn is *reserved*: callers get their turns in the order
//! in which they asked, each waits once, and all of it runs on [`Clock`], virtual time included. `governor` makes
//! waiting callers race for the next free cell, and can't be told that the cloud has throttled an action.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::{Clock, between};

/// The ceilings, in calls per second and action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    own: BTreeMap<String, u32>,
    highest: Option<u32>,
}

impl Limits {
    /// The vendor's ceilings (the API pages of each action), lowered to at most `highest` calls per second.
    pub fn at_most(highest: u32) -> Self {
        Self { own: BTreeMap::new(), highest: Some(highest.max(1)) }
    }

    /// Sets one action's ceiling; zero counts as one.
    #[must_use]
    pub fn with(mut self, action: impl Into<String>, per_second: u32) -> Self {
        self.own.insert(action.into(), per_second.max(1));
        self
    }

    /// How many calls of this action are sent in a second.
    pub fn per_second(&self, action: &str) -> u32 {
        let set = self.own.get(action).copied();
        let rate = set.unwrap_or_else(|| documented(action));
        self.highest.map_or(rate, |highest| rate.min(highest))
    }
}

impl Default for Limits {
    /// The vendor's ceilings as documented.
    fn default() -> Self {
        Self { own: BTreeMap::new(), highest: None }
    }
}

/// The vendor's ceiling; 10 for what is not documented.
fn documented(action: &str) -> u32 {
    match action {
        "DescribeInstances"
        | "DescribeInstancesStatus"
        | "DescribeInstanceTypeConfigs"
        | "DescribeZoneInstanceConfigInfos" => 40,
        "DescribeInstancesModification"
        | "DescribeLBListeners"
        | "DescribeTargetHealth"
        | "DescribeAutoScalingInstances"
        | "GetCallerIdentity"
        | "AssumeRole"
        | "AssumeRoleWithWebIdentity" => 20,
        _ => 10,
    }
}

/// Hands out turns.
#[derive(Debug)]
pub(crate) struct Pacer {
    limits: Limits,
    clock: Clock,
    lanes: Mutex<HashMap<&'static str, Lane>>,
}

/// One action's turns.
#[derive(Debug, Default)]
struct Lane {
    /// The last turns handed out, oldest first; as many as fit into a second.
    turns: VecDeque<Timestamp>,
    /// When the lane was last asked.
    asked: Option<Timestamp>,
    /// The cloud has throttled the action: no turn before this.
    closed_until: Option<Timestamp>,
}

/// A second, and what two calls may come closer to each other on their way: a burst that is just allowed where it is
/// sent must be so where it arrives.
const WINDOW: Duration = Duration::from_millis(1030);

impl Lane {
    /// Reserves the next turn: not before now, and never more than `rate` in any one second; fewer after the cloud
    /// has throttled the action, since somebody else uses part of the account's ceiling: by three tenths, and one more each second.
    fn reserve(&mut self, now: Timestamp, rate: u32) -> Timestamp {
        // After the wall clock was set back, what we remember lies in a future that may be hours away.
        if self.asked.is_some_and(|asked| now < asked) {
            *self = Self::default();
        }
        self.asked = Some(now);
        let mut turn = self.closed_until.map_or(now, |until| until.max(now));
        let eased = self.closed_until.map_or(rate, |until| {
            let last = self.turns.back().map_or(turn, |last| turn.max(*last));
            let seconds = u32::try_from(between(until, last).as_secs()).unwrap_or(u32::MAX);
            (rate.saturating_mul(7) / 10).saturating_add(seconds).min(rate)
        });
        let count = |rate| usize::try_from(rate).unwrap_or(usize::MAX).max(1);
        if let Some(first) = self.turns.len().checked_sub(count(eased)) {
            turn = turn.max(self.turns[first] + WINDOW);
        }
        self.turns.push_back(turn);
        if self.turns.len() > count(rate) {
            self.turns.pop_front();
        }
        turn
    }
}

impl Pacer {
    pub(crate) fn new(limits: Limits, clock: Clock) -> Self {
        Self { limits, clock, lanes: Mutex::default() }
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Waits for a turn.
    pub(crate) async fn turn(&self, action: &'static str) {
        loop {
            let turn = self.with_lane(action, Lane::reserve);
            self.clock.sleep_until(turn).await;
            // The cloud may have throttled the action while this call waited: queue up again behind that.
            let closed =
                self.with_lane(action, |lane, now, _| lane.closed_until.is_some_and(|until| now < until));
            if !closed {
                return;
            }
        }
    }

    /// The cloud has throttled this action: nobody sends it for `pause`.
    pub(crate) fn close(&self, action: &'static str, pause: Duration) {
        self.with_lane(action, |lane, now, _| {
            lane.closed_until = lane.closed_until.max(Some(now + pause));
        });
    }

    fn with_lane<T>(&self, action: &'static str, work: impl FnOnce(&mut Lane, Timestamp, u32) -> T) -> T {
        let now = self.clock.now();
        let rate = self.limits.per_second(action);
        // A lane is valid after every statement, so a panic elsewhere does not spoil it.
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        work(lanes.entry(action).or_default(), now, rate)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn clock() -> Clock {
        Clock::simulated(Timestamp::from_second(1_800_000_000).unwrap())
    }

    /// When each of `calls` calls made at once gets its turn, in milliseconds.
    async fn turns(limits: Limits, calls: usize) -> Vec<u128> {
        let clock = clock();
        let pacer = Arc::new(Pacer::new(limits, clock.clone()));
        let begin = clock.now();
        let waiting = (0..calls).map(|_| async {
            pacer.turn("ResetInstancesType").await;
            crate::clock::between(begin, clock.now()).as_millis()
        });
        futures_util::future::join_all(waiting).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_goes_at_once_and_the_rest_in_order_one_second_later() {
        let turns = turns(Limits::default(), 25).await;
        assert!(turns[..10].iter().all(|at| *at == 0), "{turns:?}");
        assert!(turns[10..20].iter().all(|at| (1030..1040).contains(at)), "{turns:?}");
        assert!(turns[20..].iter().all(|at| (2060..2070).contains(at)), "{turns:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn settings_lower_the_ceiling() {
        let turns = turns(Limits::default().with("ResetInstancesType", 2), 4).await;
        assert!(turns[1] == 0 && turns[2] >= 1000, "{turns:?}");
        assert_eq!(Limits::at_most(5).per_second("DescribeInstances"), 5);
        assert_eq!(Limits::at_most(50).per_second("StopInstances"), 10);
        assert_eq!(Limits::default().with("StopInstances", 0).per_second("StopInstances"), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_throttled_action_is_closed_for_all_who_wait_and_for_no_other_action() {
        let clock = clock();
        let pacer = Pacer::new(Limits::default().with("StopInstances", 1), clock.clone());
        let begin = clock.now();
        let since = || crate::clock::between(begin, clock.now()).as_secs();
        pacer.turn("StopInstances").await;
        let waiting = async {
            pacer.turn("StopInstances").await;
            since()
        };
        let closing = async {
            clock.sleep(Duration::from_millis(500)).await;
            pacer.close("StopInstances", Duration::from_secs(5));
            pacer.turn("StartInstances").await;
            since()
        };
        assert_eq!(futures_util::future::join(waiting, closing).await, (5, 0));
    }

    #[test]
    fn after_a_throttled_call_the_pace_comes_back_by_and_by() {
        let begin = Timestamp::from_second(1_800_000_000).unwrap();
        let mut lane = Lane { closed_until: Some(begin + Duration::from_secs(1)), ..Lane::default() };
        let turns: Vec<_> =
            (0..60).map(|_| between(begin, lane.reserve(begin, 10)).as_millis() / 1030).collect();
        let in_second = |second| turns.iter().filter(|turn| **turn == second).count();
        assert_eq!((0..8).map(in_second).collect::<Vec<_>>(), [7, 8, 9, 10, 10, 10, 6, 0]);
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_make_anyone_wait_for_hours() {
        let mut lane = Lane::default();
        let before = Timestamp::from_second(1_800_000_000).unwrap();
        for _ in 0..10 {
            lane.reserve(before, 10);
        }
        let after = before - Duration::from_hours(2);
        assert_eq!(lane.reserve(after, 10), after);
    }
}
