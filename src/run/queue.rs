//! Who may send the call that takes one instance at a time: no more are in the air than the cloud takes while what was
//! seen of an instance is fresh. The others wait here, first come, first served, and are looked at again when it is their
//! turn, so that nothing is sent long after it was decided.
//!
//! Pure. Alternatives not taken: to let all wait behind the client's ceiling, where a call can neither be decided anew
//! nor give its turn to another; and to drop there what has waited for too long, for then, in a crowd, nearly all turns
//! come to calls that are too old, and nobody gets on.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// The queue.
#[derive(Debug)]
pub(super) struct Queue {
    /// How many may be in the air, at the cloud's full pace.
    most: usize,
    /// The part of it that the cloud takes of ours at present, in thousandths.
    part: usize,
    in_air: usize,
    /// Who waits, by ticket, and whether it was called up.
    waiting: BTreeMap<u64, (usize, bool)>,
    tickets: HashMap<usize, u64>,
    last: u64,
}

impl Queue {
    /// Nobody waits. `ceiling` is what the cloud takes in a second, if it is known.
    pub(super) fn new(ceiling: Option<u32>, fresh: Duration) -> Self {
        let most = |ceiling| u128::from(ceiling) * fresh.as_millis() / 1000;
        let most =
            ceiling.map_or(usize::MAX, |ceiling: u32| usize::try_from(most(ceiling)).unwrap_or(usize::MAX));
        Self {
            most: most.max(1),
            part: 1000,
            in_air: 0,
            waiting: BTreeMap::new(),
            tickets: HashMap::new(),
            last: 0,
        }
    }

    /// Whether this one may send now; if so, it counts as in the air, and if not, it waits.
    pub(super) fn admits(&mut self, at: usize) -> bool {
        let ticket = *self.tickets.entry(at).or_insert_with(|| {
            self.last += 1;
            self.last
        });
        self.waiting.insert(ticket, (at, false));
        let admitted = self.waiting.keys().take(self.room()).any(|first| *first == ticket);
        if admitted {
            self.leaves(at);
            self.in_air += 1;
        }
        admitted
    }

    /// An answer came.
    pub(super) fn landed(&mut self) {
        self.in_air = self.in_air.saturating_sub(1);
    }

    /// This one does not want to send any more, or not soon: the next one moves up.
    pub(super) fn leaves(&mut self, at: usize) {
        if let Some(ticket) = self.tickets.remove(&at) {
            self.waiting.remove(&ticket);
        }
    }

    /// Those whose turn has come, each told once. Each either is admitted next, or leaves.
    pub(super) fn call_up(&mut self) -> Vec<usize> {
        let room = self.room();
        let first = self.waiting.values_mut().take(room).filter(|(_, called)| !*called);
        first
            .map(|(at, called)| {
                *called = true;
                *at
            })
            .collect()
    }

    /// How many are in the air or wait.
    pub(super) fn crowd(&self) -> usize {
        self.in_air + self.waiting.len()
    }

    /// The cloud takes `part` thousandths of its ceiling of ours: the rest is taken by others.
    pub(super) fn keeps_to(&mut self, part: usize) {
        self.part = part;
    }

    fn room(&self) -> usize {
        (self.most.saturating_mul(self.part) / 1000).max(1).saturating_sub(self.in_air)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_who_came_first_are_called_up_first_and_newcomers_do_not_overtake_them() {
        let mut queue = Queue::new(Some(1), Duration::from_secs(2));
        assert_eq!((0..5).filter(|at| queue.admits(*at)).collect::<Vec<_>>(), [0, 1]);
        assert_eq!((queue.call_up(), queue.crowd()), (vec![], 5));
        queue.landed();
        assert_eq!((queue.call_up(), queue.call_up()), (vec![2], vec![]), "it is told once");
        assert!(!queue.admits(9), "the one that was called up is looked at meanwhile");
        assert!(queue.admits(2));
        queue.landed();
        queue.landed();
        assert_eq!(queue.call_up(), [3, 4]);
        queue.leaves(3);
        assert_eq!(queue.call_up(), [9], "who leaves makes room");
        assert!(queue.admits(9) && queue.admits(4));
        assert_eq!(queue.crowd(), 2);
    }

    #[test]
    fn without_a_known_ceiling_nobody_waits_and_with_the_lowest_one_goes_at_a_time() {
        let mut free = Queue::new(None, Duration::from_secs(3));
        assert!((0..1000).all(|at| free.admits(at)));
        let mut scarce = Queue::new(Some(1), Duration::from_millis(1));
        assert!(scarce.admits(0) && !scarce.admits(1));
    }
}
