//! Who may begin, and when: so many at once, canaries first, none after too many failures, and no faster than the
//! scarcest call allows.
//!
//! Pure: the engine tells what happened and what time it is. Only beginnings are held back here; an instance that was
//! begun is carried through and brought back whatever happens to the others.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;

use super::decide::Turn;
use crate::journal::Halt;
use crate::plan::Plan;

/// A second, and a little more than the client needs between bursts: what queued up for the scarce call while others were slow
/// drains as well.
const GROUP: Duration = Duration::from_millis(1095);

/// The state of the rollout.
#[derive(Debug)]
pub(super) struct Rollout {
    at_once: usize,
    max_failures: usize,
    members: Vec<Member>,
    canaries: VecDeque<usize>,
    others: VecDeque<usize>,
    canaries_open: usize,
    placed: usize,
    /// How many have begun and have their resize still before them.
    ahead: usize,
    failures: usize,
    phase: Phase,
    halt: Option<Halt>,
    groups: Option<Groups>,
}

/// What matters here of an instance.
#[derive(Debug)]
struct Member {
    canary: bool,
    /// It needs the call that takes one instance at a time.
    resizes: bool,
    /// It has begun, and that call is still to come.
    ahead: bool,
}

/// How far the rollout is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The canaries are on their way.
    Canaries,
    /// They are well, and the others wait: until then, or for a person.
    Paused(Option<Timestamp>),
    /// The others may begin.
    Others,
}

/// Groups of instances that begin together, so that they share their calls: as many in a second as resizes may be sent
/// in one, so that none waits, stopped, for the turn of its resize.
#[derive(Debug)]
struct Groups {
    size: u32,
    left: u32,
    next: Timestamp,
}

impl Rollout {
    /// The rollout of a plan, before anything is known of its instances. `resizes` in a second is what the cloud takes.
    pub(super) fn new(plan: &Plan, resizes: Option<u32>) -> Self {
        let touched = plan.instances.iter().filter(|own| !own.is_unchanged()).count();
        let members: Vec<_> = plan
            .instances
            .iter()
            .map(|own| Member { canary: own.canary, resizes: own.is_resized(), ahead: false })
            .collect();
        Self {
            at_once: plan.rollout.at_once.of(touched),
            max_failures: plan.rollout.max_failures,
            phase: if members.iter().any(|member| member.canary) { Phase::Canaries } else { Phase::Others },
            members,
            canaries: VecDeque::new(),
            others: VecDeque::new(),
            canaries_open: 0,
            placed: 0,
            ahead: 0,
            failures: 0,
            halt: None,
            groups: resizes.map(|size| Groups { size, left: 0, next: Timestamp::MIN }),
        }
    }

    /// The instance has no verdict yet. If it was begun by an earlier process it goes on at once, otherwise it queues.
    pub(super) fn line_up(&mut self, at: usize, begun: bool) -> Turn {
        let canary = self.members[at].canary;
        self.canaries_open += usize::from(canary);
        if begun {
            self.place(at);
            return Turn::Now;
        }
        if canary {
            self.canaries.push_back(at);
        } else {
            self.others.push_back(at);
        }
        Turn::Later
    }

    fn place(&mut self, at: usize) {
        self.placed += 1;
        self.members[at].ahead = self.members[at].resizes;
        self.ahead += usize::from(self.members[at].ahead);
    }

    /// The instance's resize is accepted, or does not come any more.
    pub(super) fn resized(&mut self, at: usize) {
        self.ahead -= usize::from(std::mem::take(&mut self.members[at].ahead));
    }

    /// Something went wrong with the instance.
    pub(super) fn failed(&mut self, at: usize) {
        self.failures += 1;
        if self.failures > self.max_failures {
            self.halt.get_or_insert(Halt::TooManyFailures);
        }
        if self.members[at].canary {
            self.halt.get_or_insert(Halt::CanaryFailed);
        }
    }

    /// A person does not want the others begun.
    pub(super) fn declined(&mut self) {
        self.halt.get_or_insert(Halt::Declined);
    }

    /// The others wait.
    pub(super) fn paused(&mut self, until: Option<Timestamp>) {
        self.phase = Phase::Paused(until);
    }

    /// The others wait no longer.
    pub(super) fn continued(&mut self) {
        self.phase = Phase::Others;
    }

    /// The instance needs nothing more, as things are.
    pub(super) fn rests(&mut self, at: usize, turn: Turn) {
        self.resized(at);
        if turn == Turn::Now {
            self.placed -= 1;
            self.canaries_open -= usize::from(self.members[at].canary);
        } else {
            // It would keep the place that it gets for ever.
            self.others.retain(|other| *other != at);
        }
    }

    /// The canaries are well, and there are others: it has to be decided how they go on.
    pub(super) fn is_past_canaries(&self) -> bool {
        self.phase == Phase::Canaries && self.canaries_open == 0 && self.halt.is_none()
    }

    /// How far it is.
    pub(super) fn phase(&self) -> Phase {
        self.phase
    }

    /// How many are on their way.
    pub(super) fn placed(&self) -> usize {
        self.placed
    }

    /// How many wait for the canaries.
    pub(super) fn others(&self) -> usize {
        self.others.len()
    }

    /// The instance's turn, which it may have had before.
    pub(super) fn turn(&self, turn: Turn) -> Turn {
        self.halt.map_or(turn, Turn::Halted)
    }

    /// Who begins now, and with which turn. `resizing` is how many resizes are sent and not answered yet; of those that
    /// have theirs still before them there may be `at_most`.
    pub(super) fn begin(&mut self, now: Timestamp, resizing: usize, at_most: usize) -> Vec<(usize, Turn)> {
        if let Some(halt) = self.halt {
            return self
                .canaries
                .drain(..)
                .chain(self.others.drain(..))
                .map(|at| (at, Turn::Halted(halt)))
                .collect();
        }
        let mut begun = Vec::new();
        while self.placed < self.at_once {
            let Some(at) = self.next() else { break };
            let room = at_most.saturating_sub(self.ahead);
            let held = self.members[at].resizes
                && self.groups.as_mut().is_some_and(|groups| !groups.take(now, resizing, room));
            if held {
                break;
            }
            self.queue().pop_front();
            self.place(at);
            begun.push((at, Turn::Now));
        }
        begun
    }

    /// When [`Self::begin`] may have something new to say, if nothing happens before.
    pub(super) fn due(&mut self) -> Option<Timestamp> {
        if self.halt.is_some() {
            // Whoever queues is told at once that it never begins: nothing else may be left to wake anybody.
            let queues = !self.canaries.is_empty() || !self.others.is_empty();
            return queues.then_some(Timestamp::MIN);
        }
        if let Phase::Paused(until) = self.phase {
            return until;
        }
        let waits = self.placed < self.at_once && self.next().is_some();
        waits.then(|| self.groups.as_ref().map_or(Timestamp::MIN, |groups| groups.next))
    }

    fn queue(&mut self) -> &mut VecDeque<usize> {
        if self.phase == Phase::Canaries { &mut self.canaries } else { &mut self.others }
    }

    fn next(&mut self) -> Option<usize> {
        if matches!(self.phase, Phase::Paused(_)) { None } else { self.queue().front().copied() }
    }
}

impl Groups {
    /// Takes a place in the present group; `false` if it is full.
    fn take(&mut self, now: Timestamp, resizing: usize, room: usize) -> bool {
        if now >= self.next {
            // Others use up what the cloud takes: whoever is stopped already goes first.
            let jammed = resizing >= 2 * usize::try_from(self.size).unwrap_or(usize::MAX);
            let room = u32::try_from(room).unwrap_or(u32::MAX);
            self.left = if jammed { 0 } else { self.size.min(room) };
            self.next = now + GROUP;
        }
        let free = self.left > 0;
        self.left -= u32::from(free);
        free
    }
}
