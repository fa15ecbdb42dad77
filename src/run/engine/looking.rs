//! Looking at instances: when, how many at a time, and what is taken in of the answer.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::FutureExt as _;
use jiff::Timestamp;

use super::{Blind, Cause, Engine, Landed, Observation};
use crate::cloud::{BATCH, CloudError, Instance};

impl Engine {
    pub(super) fn wake_at(&mut self, at: usize, when: Timestamp) {
        let now = self.parts.clock.now();
        let when = self.parts.pace.in_step(when, now, self.began, self.rollout.placed());
        let member = &mut self.members[at];
        if let Some(before) = member.wake.replace(when) {
            self.timers.remove(&(before, at));
        }
        self.timers.insert((when, at));
    }

    /// Reads all instances that are due, or nearly so, 100 a call.
    pub(super) fn read_due(&mut self) {
        let now = self.parts.clock.now();
        if now < self.looks_from {
            return;
        }
        let soon = now + self.parts.pace.shortest;
        let mut due = Vec::new();
        while let Some((when, at)) = self.timers.first().copied()
            && when <= soon
        {
            self.timers.pop_first();
            self.members[at].wake = None;
            if !self.members[at].looking {
                self.members[at].looking = true;
                due.push(at);
            }
        }
        if let Some(ceiling) = self.parts.cloud.ceilings().looks {
            self.looks_from = now + self.parts.pace.rest_after(due.len().div_ceil(BATCH), ceiling);
        }
        for members in due.chunks(BATCH) {
            let members = members.to_vec();
            let ids: Vec<_> = members.iter().map(|at| self.members[*at].id.clone()).collect();
            let cloud = Arc::clone(&self.parts.cloud);
            let flight = async move { Landed::Read { members, at: now, result: cloud.look(&ids).await } };
            self.flights.push(flight.boxed());
        }
    }

    /// Takes in what a read showed, and writes down what is new in it.
    pub(super) async fn take_in(
        &mut self,
        members: Vec<usize>,
        at: Timestamp,
        result: Result<Vec<Instance>, CloudError>,
    ) -> Result<(), Cause> {
        let landed = self.parts.clock.now();
        let mut notes = Vec::new();
        let mut found: HashMap<_, _> = match result {
            Ok(instances) => instances.into_iter().map(|instance| (instance.id.clone(), instance)).collect(),
            Err(error) => {
                tracing::warn!(%error, instances = members.len(), "can't look at instances");
                for member in members {
                    let own = &mut self.members[member];
                    own.looking = false;
                    let (since, reads) =
                        own.blind.as_ref().map_or((at, 0), |blind| (blind.since, blind.reads));
                    own.blind = Some(Blind { since, reads: reads.saturating_add(1), error: error.clone() });
                    self.dirty.insert(member);
                }
                return Ok(());
            }
        };
        for member in members {
            let own = &mut self.members[member];
            let instance = found.remove(&own.id);
            own.looking = false;
            own.blind = None;
            if own.is_open() {
                notes.extend(own.news(instance.as_ref()).map(|event| (member, event)));
                let before = own.seen.as_ref().and_then(|seen| seen.missing_since);
                own.looked_before = own.seen.as_ref().map(|seen| seen.at);
                let missing_since = if instance.is_none() { before.or(Some(landed)) } else { None };
                own.seen = Some(Box::new(Observation { instance, missing_since, at, landed }));
                self.dirty.insert(member);
            }
        }
        self.note(notes).await
    }
}
