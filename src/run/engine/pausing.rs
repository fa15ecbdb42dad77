//! What comes after the canaries: the others begin, or wait for a time or for a person.

use std::sync::Arc;

use futures_util::FutureExt as _;
use jiff::Timestamp;

use super::{Cause, Engine, Landed, Phase};
use crate::journal::Event;
use crate::plan::Approval;
use crate::workflow::Pause;

impl Engine {
    /// The canaries are well: the others begin, or wait as the workflow says.
    pub(super) async fn pause(&mut self) -> Result<(), Cause> {
        let until = match (self.plan.rollout.pause, self.journal.plan()?.approval()) {
            _ if self.rollout.others() == 0 => None,
            (Pause::None, _) | (Pause::Person, Approval::Flag | Approval::Program) => None,
            (Pause::Person, Approval::Person) => Some(None),
            (Pause::For(time), _) => Some(Some(self.parts.clock.now() + time)),
        };
        let Some(until) = until else {
            self.rollout.continued();
            return Ok(());
        };
        self.note_of_run(Event::Paused { until }).await?;
        self.ask_again();
        Ok(())
    }

    /// The others wait. No longer from now than the workflow says: whoever wrote down until when may have had a clock that
    /// ran ahead.
    pub(super) fn paused(&mut self, until: Option<Timestamp>) {
        let until = match self.plan.rollout.pause {
            Pause::For(time) => until.map(|until| until.min(self.parts.clock.now() + time)),
            Pause::Person | Pause::None => until,
        };
        self.rollout.paused(until);
    }

    /// Asks the person that the run waits for, if it waits for one.
    pub(super) fn ask_again(&mut self) {
        if self.rollout.phase() != Phase::Paused(None) {
            return;
        }
        let canaries =
            self.plan.instances.iter().filter(|own| own.canary).map(|own| own.id.clone()).collect::<Vec<_>>();
        let others = self.rollout.others();
        let operator = Arc::clone(&self.parts.operator);
        let flight = async move { Landed::Answer(operator.carry_on(&canaries, others).await) };
        self.flights.push(flight.boxed());
    }

    pub(super) async fn carry_on(&mut self) -> Result<(), Cause> {
        self.note_of_run(Event::Continued).await
    }
}
