//! The one writer of a run's journal.

use std::sync::Arc;

use jiff::Timestamp;

use super::event::{Event, Intent, Record, RunId};
use super::store::{Claim, Place, RunSummary, Store, StoreError, Took};
use crate::clock::Clock;
use crate::cloud::{InstanceId, RequestId};
use crate::plan::ApprovedPlan;

/// The version of the events' format that this program writes.
pub const FORMAT: u32 = 1;

/// A run's journal, held by the process that carries the run out.
pub struct Journal {
    store: Arc<dyn Store>,
    clock: Clock,
    claim: Claim,
    place: Place,
    records: Vec<Record>,
    next: u64,
}

/// Proof that something stands in the journal. Only this module makes one, after the append returned.
#[derive(Debug)]
pub struct Recorded<T>(T);

impl<T> Recorded<T> {
    /// What was recorded.
    pub fn get(&self) -> &T {
        &self.0
    }
}

/// One intent of one or more instances that want the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joint {
    /// What is wanted.
    pub intent: Intent,
    /// Who wants it, each with the last operation's request as seen before.
    pub instances: Vec<(InstanceId, Option<RequestId>)>,
}

impl Journal {
    /// Writes a new run down. `chance` makes its id unlike any other; `by` says which process this is.
    pub async fn begin(
        store: Arc<dyn Store>,
        clock: Clock,
        plan: ApprovedPlan,
        place: Place,
        by: String,
        chance: [u8; 10],
    ) -> Result<Self, StoreError> {
        let at = clock.now();
        let run = RunId::new(at, chance);
        let instances: Vec<_> = plan.plan().instances.iter().map(|instance| instance.id.clone()).collect();
        let summary = RunSummary {
            id: run,
            workflow: plan.plan().workflow.clone(),
            region: plan.plan().region.clone(),
            began: at,
            ended: None,
            place: place.clone(),
        };
        let began =
            Event::RunBegan { version: FORMAT, plan: Box::new(plan), simulated: place.is_simulated() };
        let records: Vec<_> = [began, Event::RunTaken { by }]
            .into_iter()
            .zip(0..)
            .map(|(event, seq)| Record { at, run, seq, instance: None, event })
            .collect();
        let claim = store.begin(&summary, &instances, &records).await?;
        let next = records.len() as u64;
        Ok(Self { store, clock, claim, place, records, next })
    }

    /// Takes an unfinished run in hand. From now on no other process can write to it.
    pub async fn reopen(
        store: Arc<dyn Store>,
        clock: Clock,
        run: &RunSummary,
        by: String,
    ) -> Result<Self, StoreError> {
        let claim = store.take(run.id).await?;
        let records = store.load(run.id).await?;
        let next = records.last().map_or(0, |record| record.seq + 1);
        let mut journal = Self { store, clock, claim, place: run.place.clone(), records, next };
        let taken = journal.append(vec![(None, Event::RunTaken { by })]).await?;
        journal.records.extend(taken);
        Ok(journal)
    }

    /// The run.
    pub fn run(&self) -> RunId {
        self.claim.run
    }

    /// Where the run works.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// What stood in the journal when it was opened, this process's own taking included.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The plan that is carried out.
    pub fn plan(&self) -> Result<&ApprovedPlan, StoreError> {
        match self.records.first().map(|record| &record.event) {
            Some(Event::RunBegan { version, plan, .. }) if *version <= FORMAT => Ok(plan),
            Some(Event::RunBegan { version, .. }) => Err(StoreError::Read(format!(
                "the run {} was written by a newer pitstop (format {version}; this one knows {FORMAT})",
                self.run()
            ))),
            _ => Err(StoreError::Damaged(format!("the run {} does not begin with its plan", self.run()))),
        }
    }

    /// How long operations took in earlier runs on the same kind of cloud, newest first.
    pub async fn history(&self, each: u32) -> Result<Vec<Took>, StoreError> {
        self.store.history(self.place.is_simulated(), each).await
    }

    /// Appends events, all or none, and returns them as records.
    pub async fn append(
        &mut self,
        events: Vec<(Option<InstanceId>, Event)>,
    ) -> Result<Vec<Record>, StoreError> {
        self.append_with(events, &[]).await
    }

    /// Appends events together with durations for the history.
    pub async fn append_with(
        &mut self,
        events: Vec<(Option<InstanceId>, Event)>,
        took: &[Took],
    ) -> Result<Vec<Record>, StoreError> {
        let at = self.clock.now();
        let run = self.run();
        let records: Vec<_> = events
            .into_iter()
            .zip(self.next..)
            .map(|((instance, event), seq)| Record { at, run, seq, instance, event })
            .collect();
        self.store.append(self.claim, &records, took).await?;
        self.next += records.len() as u64;
        Ok(records)
    }

    /// Writes down what is about to be sent; what comes back is the permission to send it.
    pub async fn intend(
        &mut self,
        joints: Vec<Joint>,
    ) -> Result<(Vec<Recorded<Joint>>, Vec<Record>), StoreError> {
        let events = joints
            .iter()
            .flat_map(|joint| {
                joint.instances.iter().map(|(id, baseline)| {
                    let intent = joint.intent.clone();
                    (Some(id.clone()), Event::Intended { intent, baseline: baseline.clone() })
                })
            })
            .collect();
        let records = self.append(events).await?;
        Ok((joints.into_iter().map(Recorded).collect(), records))
    }

    /// Writes down one thing that is about to be done for the run as a whole.
    pub async fn recorded<T>(
        &mut self,
        event: Event,
        what: T,
    ) -> Result<(Recorded<T>, Vec<Record>), StoreError> {
        let records = self.append(vec![(None, event)]).await?;
        Ok((Recorded(what), records))
    }

    /// Marks the run as ended: every instance has its verdict.
    pub async fn finish(&mut self) -> Result<Vec<Record>, StoreError> {
        let records = self.append(vec![(None, Event::RunEnded)]).await?;
        let at: Timestamp = records.last().map_or_else(|| self.clock.now(), |record| record.at);
        self.store.finish(self.claim, at).await?;
        Ok(records)
    }
}
