//! Sending what was decided: written down first, equal wishes together, and nothing that was decided too long ago.
//!
//! A call is sent only if the instance was seen, ready for it, a short while before. Between the decision and the sending
//! lie the journal's write, which may be tried for long; the client's turn under the account's ceiling, and the pauses
//! before what was throttled is sent again; and perhaps a suspension of the machine. So the age of the decision is looked
//! at twice: as the flight begins, where nothing but the journal should have taken time, against `Pace::fresh`; and by
//! the client right before each sending, against `Pace::late`. That bound is the longer one, because a call that was
//! throttled is better repeated from where it stands than looked at again at the same ceiling, over and over; and it may
//! be, because the cloud itself refuses a change on an instance that runs (`ForceStop` is never sent), so that what a late
//! call could spoil is only what somebody else did to a stopped instance within these seconds. A start has only that bound:
//! it is the way back, and comes even where every write takes seconds.

use std::sync::Arc;

use futures_util::FutureExt as _;

use super::{Cause, Engine, Landed, Next, Wishes, calls};
use crate::cloud::Action;
use crate::journal::{Intent, Joint};

impl Engine {
    /// Whether it may send this now. If not, it waits until it is called up.
    pub(super) fn may_send(&mut self, at: usize, intent: &Intent) -> bool {
        intent.action() != Action::Resize || self.queue.admits(at)
    }

    /// Whoever wants to resize, or has to be looked at for it just now, keeps its place in the queue, and nobody else.
    pub(super) fn keep_place(&mut self, at: usize, next: &Next) {
        let keeps = match next {
            Next::Act { intent, .. } => intent.action() == Action::Resize,
            Next::Look(when) => *when <= self.parts.clock.now(),
            Next::Note(_) | Next::Check(_) | Next::Hold | Next::Rest => false,
        };
        if !keeps {
            self.queue.leaves(at);
        }
    }

    /// Writes down and sends the wishes, equal ones together.
    pub(super) async fn send(&mut self, wishes: Wishes) -> Result<(), Cause> {
        let mut groups = Vec::new();
        let mut joints = Vec::new();
        for ((intent, among), wishing) in wishes {
            for group in wishing.chunks(among.max(1)) {
                let instances = group
                    .iter()
                    .map(|(at, baseline)| (self.members[*at].id.clone(), baseline.clone()))
                    .collect();
                joints.push(Joint { intent: intent.clone(), instances });
                groups.push(group.iter().map(|(at, _)| *at).collect::<Vec<_>>());
            }
        }
        if joints.is_empty() {
            return Ok(());
        }
        let (recorded, records) = self.journal.intend(joints).await?;
        self.take_over(records)?;
        let decided = self.awake;
        for (recorded, members) in recorded.into_iter().zip(groups) {
            let cloud = Arc::clone(&self.parts.cloud);
            let secrets = Arc::clone(&self.secrets);
            let resize = recorded.get().intent.action() == Action::Resize;
            let clock = self.parts.clock.clone();
            let late = self.parts.pace.late;
            let at_first = match recorded.get().intent.action() {
                Action::Start => late,
                _ => self.parts.pace.fresh,
            };
            let flight = async move {
                let permit = |most| match clock.since(&decided) {
                    age if age > most => Err(calls::too_late(age)),
                    _ => Ok(()),
                };
                let result = match permit(at_first) {
                    Ok(()) => calls::perform(cloud.as_ref(), &recorded, &secrets, &|| permit(late)).await,
                    Err(error) => Err(error),
                };
                Landed::Call { members, resize, result }
            };
            self.flights.push(flight.boxed());
        }
        Ok(())
    }
}
