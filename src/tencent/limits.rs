//! How many calls of each action are sent in a second: the vendor's ceilings, kept on our side.
//!
//! The ceilings hold for an account in one region: other programs share them, and settings can lower them here; another
//! region has its own, and so has the client of that region. A call over the ceiling waits for its turn, and does not fail for it unless it may not be sent any more by then.
//!
//! When the cloud throttles an action, others use part of its ceiling, and how much can only be found out: all callers hold
//! back for a moment, then calls go one by one at seven tenths of the pace, which comes back within ten seconds. So
//! several processes that know nothing of each other come to share a ceiling about evenly.
//!
//! Written here and not taken from `governor`, because a turn is *reserved*: callers get their turns in the order
//! in which they asked, each waits once, and all of it runs on [`Clock`], virtual time included. `governor` makes
//! waiting callers race for the next free cell, and can't be told that the cloud has throttled an action.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::{Clock, between};
use crate::cloud::{CloudError, Permit};

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
    /// The last turns that were taken, oldest first; as many as fit into a second.
    taken: VecDeque<Timestamp>,
    /// The turns of those who wait, by the order in which they first asked.
    waiting: BTreeMap<u64, Timestamp>,
    /// How many have asked.
    tickets: u64,
    /// When the lane was last asked.
    asked: Option<Timestamp>,
    /// The cloud has throttled the action: no turn before this.
    closed_until: Option<Timestamp>,
    /// Since then fewer calls are sent.
    eased: Option<Eased>,
    /// How often it was closed since a call last went through.
    in_vain: u32,
}

/// What became of the pace when the cloud throttled a call: somebody else uses part of the account's ceiling.
#[derive(Clone, Copy, Debug)]
struct Eased {
    since: Timestamp,
    /// Thousandths of a call in a second.
    to: u64,
}

/// A turn that was taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    ticket: u64,
    at: Timestamp,
}

/// A second, and what two calls may come closer to each other on their way: a burst that is just allowed where it is
/// sent must be so where it arrives.
const WINDOW: Duration = Duration::from_millis(1030);

/// After so many milliseconds without a throttled call the full pace is back, whatever happened before.
const RECOVERY: u64 = 10_000;

/// How often whoever waits asks whether it may still send.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// A pause doubles at most so often, while no call goes through.
const DOUBLINGS: u32 = 3;

impl Lane {
    /// Queues up, and says as who.
    fn join(&mut self, now: Timestamp, rate: u32) -> u64 {
        // After the wall clock was set back, what we remember lies in a future that may be hours away.
        if self.asked.is_some_and(|asked| now < asked) {
            let waiting = self.waiting.keys().map(|ticket| (*ticket, now)).collect();
            *self = Self { waiting, tickets: self.tickets, ..Self::default() };
        }
        self.asked = Some(now);
        self.tickets += 1;
        let turn = self.next_turn(now, rate);
        self.waiting.insert(self.tickets, turn);
        self.tickets
    }

    /// The turn behind all others: not before now, and never more than `rate` in any one second, or fewer after the
    /// cloud has throttled the action.
    fn next_turn(&self, now: Timestamp, rate: u32) -> Timestamp {
        let mut turn = self.closed_until.map_or(now, |until| until.max(now));
        let mut turns = self.waiting.values().rev().chain(self.taken.iter().rev());
        if let Some(last) = turns.clone().next() {
            let pace = self.pace(turn.max(*last), rate);
            // One by one: of bursts, the one that comes late in each of the cloud's seconds would be throttled every time, and
            // the other never.
            if pace < thousandths(rate) {
                let apart = WINDOW.as_millis() * 1_000_000 / u128::from(pace);
                turn = turn.max(*last + Duration::from_micros(u64::try_from(apart).unwrap_or(u64::MAX)));
            }
        }
        let first = turns.nth(whole(thousandths(rate)) - 1);
        first.map_or(turn, |first| turn.max(*first + WINDOW))
    }

    /// Takes the turn if it has come; else says when it will.
    fn take(&mut self, ticket: u64, now: Timestamp, rate: u32) -> Result<Turn, Timestamp> {
        match self.waiting.get(&ticket) {
            Some(at) if *at > now => return Err(*at),
            _ => self.waiting.remove(&ticket),
        };
        self.taken.push_back(now);
        if self.taken.len() > whole(thousandths(rate)) {
            self.taken.pop_front();
        }
        Ok(Turn { ticket, at: now })
    }

    /// How many thousandths of a call are sent in a second. What was given up comes back slowly at first, as the others
    /// are likely to be there still, and then ever faster.
    fn pace(&self, at: Timestamp, rate: u32) -> u64 {
        let full = thousandths(rate);
        self.eased.map_or(full, |eased| {
            let quiet = u64::try_from(between(eased.since, at).as_millis()).unwrap_or(RECOVERY).min(RECOVERY);
            let back = full.saturating_mul(quiet * quiet) / (RECOVERY * RECOVERY);
            eased.to.saturating_add(back).min(full)
        })
    }

    /// The cloud has throttled the call of this turn: nobody sends another for a while, and then fewer are sent, by three
    /// tenths. The calls of one burst that are throttled together count once.
    fn throttled(&mut self, now: Timestamp, rate: u32, turn: Turn, pause: Duration) {
        if self.eased.is_some_and(|eased| turn.at <= eased.since) {
            return;
        }
        let to = (self.pace(turn.at, rate) * 7 / 10).max(1000);
        self.eased = Some(Eased { since: now, to });
        self.closed_until = Some(now + pause * (1 << self.in_vain.min(DOUBLINGS)));
        self.in_vain += 1;
        self.line_up(now, rate);
    }

    /// Queues the throttled call up again, where it was.
    fn rejoin(&mut self, ticket: u64, now: Timestamp, rate: u32) {
        self.waiting.insert(ticket, now);
        self.line_up(now, rate);
    }

    /// Takes one who waits out of the queue; the others move up.
    fn leave(&mut self, ticket: u64, now: Timestamp, rate: u32) {
        if self.waiting.remove(&ticket).is_some() {
            self.line_up(now, rate);
        }
    }

    /// Gives all who wait their turns anew, in the order in which they first asked.
    fn line_up(&mut self, now: Timestamp, rate: u32) {
        for ticket in std::mem::take(&mut self.waiting).into_keys() {
            let turn = self.next_turn(now, rate);
            self.waiting.insert(ticket, turn);
        }
    }
}

fn thousandths(rate: u32) -> u64 {
    u64::from(rate) * 1000
}

/// So many whole calls; at least one.
fn whole(thousandths: u64) -> usize {
    usize::try_from(thousandths / 1000).unwrap_or(usize::MAX).max(1)
}

impl Pacer {
    pub(crate) fn new(limits: Limits, clock: Clock) -> Self {
        Self { limits, clock, lanes: Mutex::default() }
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// How many calls of this action are sent in a minute at present: fewer after the cloud has throttled some.
    pub(crate) fn per_minute(&self, action: &'static str) -> u32 {
        let pace = self.with_lane(action, |lane, now, rate| lane.pace(now, rate));
        u32::try_from(pace * 60 / 1000).unwrap_or(u32::MAX)
    }

    /// Waits for a turn, as long as `permit` allows it: whoever may not send any more leaves the queue at once, and takes no
    /// turn from those behind.
    pub(crate) async fn turn(&self, action: &'static str, permit: Permit<'_>) -> Result<Turn, CloudError> {
        let ticket = self.with_lane(action, Lane::join);
        self.wait(Place { pacer: self, action, ticket }, permit).await
    }

    /// The cloud has throttled the call that had this turn: nobody sends the action for `pause`, and longer if no call
    /// goes through any more.
    pub(crate) fn throttled(&self, action: &'static str, turn: Turn, pause: Duration) {
        self.with_lane(action, |lane, now, rate| lane.throttled(now, rate, turn, pause));
    }

    /// Waits for another turn for a call that was throttled; it comes before those who asked later.
    pub(crate) async fn turn_again(
        &self,
        action: &'static str,
        turn: Turn,
        permit: Permit<'_>,
    ) -> Result<Turn, CloudError> {
        let ticket = turn.ticket;
        self.with_lane(action, |lane, now, rate| lane.rejoin(ticket, now, rate));
        self.wait(Place { pacer: self, action, ticket }, permit).await
    }

    /// The cloud has answered a call, and has not throttled it.
    pub(crate) fn went_through(&self, action: &'static str) {
        self.with_lane(action, |lane, _, _| lane.in_vain = 0);
    }

    async fn wait(&self, place: Place<'_>, permit: Permit<'_>) -> Result<Turn, CloudError> {
        loop {
            permit()?;
            match self.with_lane(place.action, |lane, now, rate| lane.take(place.ticket, now, rate)) {
                Ok(turn) => return Ok(turn),
                // It may be put off meanwhile, or come nearer because somebody leaves the queue.
                Err(at) => self.clock.sleep_until(at.min(self.clock.now() + LONGEST_SLEEP)).await,
            }
        }
    }

    fn with_lane<T>(&self, action: &'static str, work: impl FnOnce(&mut Lane, Timestamp, u32) -> T) -> T {
        let rate = self.limits.per_second(action);
        // A lane is valid after every statement, so a panic elsewhere does not spoil it.
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        // Read behind the lock: to a lane, time goes on.
        let now = self.clock.now();
        work(lanes.entry(action).or_default(), now, rate)
    }
}

/// A place in the queue, which is given up when whoever waits is gone.
struct Place<'a> {
    pacer: &'a Pacer,
    action: &'static str,
    ticket: u64,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.pacer.with_lane(self.action, |lane, now, rate| lane.leave(self.ticket, now, rate));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::cloud::{ErrorKind, Sent};

    fn clock() -> Clock {
        Clock::simulated(Timestamp::from_second(1_800_000_000).unwrap())
    }

    /// When each of `calls` calls made at once gets its turn, in milliseconds.
    async fn turns(limits: Limits, calls: usize) -> Vec<u128> {
        let clock = clock();
        let pacer = Arc::new(Pacer::new(limits, clock.clone()));
        let begin = clock.now();
        let waiting = (0..calls).map(|_| async {
            pacer.turn("ResetInstancesType", &|| Ok(())).await.unwrap();
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
        let since = || crate::clock::between(begin, clock.now()).as_millis();
        let throttled = pacer.turn("StopInstances", &|| Ok(())).await.unwrap();
        let waiting = async {
            pacer.turn("StopInstances", &|| Ok(())).await.unwrap();
            since()
        };
        let closing = async {
            clock.sleep(Duration::from_millis(500)).await;
            pacer.throttled("StopInstances", throttled, Duration::from_secs(5));
            pacer.turn("StartInstances", &|| Ok(())).await.unwrap();
            let other = since();
            pacer.turn_again("StopInstances", throttled, &|| Ok(())).await.unwrap();
            (other, since())
        };
        let (waiting, (other, throttled)) = futures_util::future::join(waiting, closing).await;
        assert!(other < 510 && (5500..5510).contains(&throttled), "{other} {throttled}");
        assert!((6530..6540).contains(&waiting), "{waiting}: behind the call that had its turn before it");
    }

    fn later(begin: Timestamp, millis: u64) -> Timestamp {
        begin + Duration::from_millis(millis)
    }

    /// A lane of which a call was throttled so many milliseconds after the beginning.
    fn throttled_at(begin: Timestamp, times: &[u64]) -> Lane {
        let mut lane = Lane::default();
        for millis in times {
            let at = later(begin, *millis);
            lane.throttled(at, 10, Turn { ticket: 0, at }, Duration::from_millis(500));
        }
        lane
    }

    #[test]
    fn the_pace_falls_with_every_burst_that_is_throttled_and_never_to_nothing() {
        let begin = Timestamp::from_second(1_800_000_000).unwrap();
        let pace = |times: &[u64]| throttled_at(begin, times).eased.unwrap().to;
        assert_eq!(pace(&[0]), 7000);
        assert_eq!(pace(&[0, 0, 0]), 7000, "one burst");
        assert_eq!(pace(&[0, 1000]), 4970);
        assert_eq!(pace(&(0..20).map(|second| second * 500).collect::<Vec<_>>()), 1000);
    }

    #[test]
    fn the_pace_comes_back_slowly_then_faster_within_ten_seconds() {
        let begin = Timestamp::from_second(1_800_000_000).unwrap();
        let lane = throttled_at(begin, &[0, 1000, 2000, 3000]);
        let paces = [0, 2, 4, 6, 8, 10].map(|second| lane.pace(later(begin, 3000 + second * 1000), 10));
        assert_eq!(paces, [2554, 2954, 4154, 6154, 8954, 10_000]);
        assert_eq!(throttled_at(begin, &(0..20).collect::<Vec<_>>()).pace(later(begin, 10_019), 10), 10_000);
    }

    #[test]
    fn pauses_double_while_no_call_goes_through() {
        let begin = Timestamp::from_second(1_800_000_000).unwrap();
        let closed = |times: &[u64]| {
            let until = throttled_at(begin, times).closed_until.unwrap();
            between(later(begin, *times.last().unwrap()), until).as_millis()
        };
        assert_eq!(closed(&[0]), 500);
        assert_eq!(closed(&[0, 1000, 2500]), 2000);
        assert_eq!(closed(&[0, 1, 2, 3, 4, 5, 6]), 4000);
        let mut lane = throttled_at(begin, &[0, 1000]);
        lane.in_vain = 0;
        let at = later(begin, 3000);
        lane.throttled(at, 10, Turn { ticket: 0, at }, Duration::from_millis(500));
        assert_eq!(lane.closed_until, Some(later(begin, 3500)));
    }

    #[test]
    fn whoever_waits_keeps_its_place_when_the_lane_is_closed() {
        let begin = Timestamp::from_second(1_800_000_000).unwrap();
        let mut lane = Lane::default();
        let tickets: Vec<_> = (0..25).map(|_| lane.join(begin, 10)).collect();
        let first: Vec<_> = (0..10).map(|at| lane.take(tickets[at], begin, 10).unwrap()).collect();
        // Two of the first ten are throttled, the later one first.
        let now = later(begin, 100);
        for turn in [first[9], first[8]] {
            lane.throttled(now, 10, turn, Duration::from_millis(400));
            lane.rejoin(turn.ticket, now, 10);
        }
        let newcomer = lane.join(now, 10);
        let turns: Vec<_> = lane.waiting.iter().map(|(ticket, at)| (*ticket, *at)).collect();
        assert_eq!(turns.iter().map(|(ticket, _)| *ticket).collect::<Vec<_>>(), (9..=26).collect::<Vec<_>>());
        assert!(turns.is_sorted_by_key(|(_, at)| *at) && turns[17].0 == newcomer);
        // Ten were sent in the second before. The next follow a second after them, one by one, and ever faster.
        let after = |turn: usize| between(begin, turns[turn].1).as_millis();
        assert_eq!([0, 1, 2, 17].map(after), [1030, 1175, 1320, 3377]);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_stops_waiting_gives_its_place_up() {
        let pacer = Pacer::new(Limits::default().with("StopInstances", 1), clock());
        pacer.turn("StopInstances", &|| Ok(())).await.unwrap();
        let waiting = pacer.turn("StopInstances", &|| Ok(()));
        assert!(pacer.clock.timeout(Duration::from_millis(100), waiting).await.is_none());
        assert_eq!(pacer.with_lane("StopInstances", |lane, _, _| lane.waiting.len()), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_may_not_send_any_more_takes_no_turn_from_those_behind() {
        let clock = clock();
        let pacer = Pacer::new(Limits::default().with("StopInstances", 1), clock.clone());
        let begin = clock.now();
        let since = || between(begin, clock.now());
        let late = || CloudError::new(ErrorKind::Throttled, Sent::No, "too late");
        let permit = || if since() > Duration::from_secs(15) { Err(late()) } else { Ok(()) };
        let newcomer = async {
            clock.sleep(Duration::from_secs(16)).await;
            pacer.turn("StopInstances", &|| Ok(())).await.unwrap();
            since()
        };
        let crowd = futures_util::future::join_all((0..40).map(|_| pacer.turn("StopInstances", &permit)));
        let (crowd, newcomer) = futures_util::future::join(crowd, newcomer).await;
        assert_eq!(crowd.iter().filter(|turn| turn.is_ok()).count(), 15);
        assert!(newcomer < Duration::from_millis(16_600), "behind 25 who were too late: {newcomer:?}");
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_make_anyone_wait_for_hours() {
        let mut lane = Lane::default();
        let before = Timestamp::from_second(1_800_000_000).unwrap();
        let turn = |lane: &mut Lane, now| {
            let ticket = lane.join(now, 10);
            lane.take(ticket, now, 10)
        };
        for _ in 0..10 {
            turn(&mut lane, before).unwrap();
        }
        let waiting = lane.join(before, 10);
        let after = before - Duration::from_hours(2);
        assert_eq!(turn(&mut lane, after).unwrap().at, after);
        assert_eq!(lane.take(waiting, after, 10).unwrap().at, after);
    }
}
