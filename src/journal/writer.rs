//! The one writer of a run's journal.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::event::{Event, Halt, Intent, Record, RunId, Verdict};
use super::store::{Claim, LEASE, Lease, Place, RunSummary, Store, StoreError, Took};
use crate::clock::{Clock, Moment, between};
use crate::cloud::{InstanceId, RequestId};
use crate::plan::ApprovedPlan;

/// The version of the events' format that this program writes.
pub const FORMAT: u32 = 3;
/// How long after a renewal of the lease the next is due.
const RENEWAL: Duration = Duration::from_secs(20);
/// How long after a renewal that failed the next is tried.
const RETRY: Duration = Duration::from_secs(5);
/// How long a store that can't be written is tried again before the run breaks off: a full disk may get room, a lock may
/// be let go. With the time that the last try takes it stays well under what is left of a lease at any moment.
const PATIENCE: Duration = Duration::from_secs(20);
/// The first pause between two tries; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// A run's journal, held by the process that carries the run out.
pub struct Journal {
    store: Arc<dyn Store>,
    clock: Clock,
    claim: Claim,
    place: Place,
    records: Vec<Record>,
    next: u64,
    /// When this process took the run, or last renewed its hold of it.
    held: Moment,
    /// How long after that the next renewal is due.
    due: Duration,
    /// Since when renewing fails.
    failing: Option<Moment>,
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
        let held = clock.moment();
        let at = clock.stamp();
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
        let records: Vec<_> = [began, Event::RunTaken { by: by.clone() }]
            .into_iter()
            .zip(0..)
            .map(|(event, seq)| Record { at, run, seq, instance: None, event })
            .collect();
        let lease = Lease::new(by, clock.wall());
        let claim = store.begin(&summary, &instances, &records, &lease).await?;
        let next = records.len() as u64;
        Ok(Self { store, clock, claim, place, records, next, held, due: RENEWAL, failing: None })
    }

    /// Takes an unfinished run in hand. From now on no other process can write to it.
    /// [`StoreError::Busy`] while another process holds it, until its lease runs out or it is known to be gone.
    pub async fn reopen(
        store: Arc<dyn Store>,
        clock: Clock,
        run: &RunSummary,
        by: String,
    ) -> Result<Self, StoreError> {
        let held = clock.moment();
        let now = clock.wall();
        let lease = Lease::new(by.clone(), now);
        let claim = store.take(run.id, &lease, now).await?;
        let (place, records) = (run.place.clone(), Vec::new());
        let mut journal =
            Self { store, clock, claim, place, records, next: 0, held, due: RENEWAL, failing: None };
        match journal.take_up(by).await {
            Ok(()) => Ok(journal),
            Err(error) => {
                // The lease would otherwise keep everybody from it for nothing.
                if let Err(error) = journal.release().await {
                    tracing::warn!(%error, "the run is not let go before its lease runs out");
                }
                Err(error)
            }
        }
    }

    async fn take_up(&mut self, by: String) -> Result<(), StoreError> {
        self.records = self.store.load(self.run()).await?;
        self.plan()?;
        self.next = self.records.last().map_or(0, |record| record.seq + 1);
        let taken = self.append(vec![(None, Event::RunTaken { by })]).await?;
        self.records.extend(taken);
        Ok(())
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

    /// The same, for an owner who goes through them: only what the plan is read from stays here.
    pub fn take_records(&mut self) -> Vec<Record> {
        let began = self.records.first().cloned();
        std::mem::replace(&mut self.records, began.into_iter().collect())
    }

    /// The plan that is carried out.
    pub fn plan(&self) -> Result<&ApprovedPlan, StoreError> {
        match self.records.first().map(|record| &record.event) {
            Some(Event::RunBegan { version, plan, .. }) if *version <= FORMAT => Ok(plan),
            Some(Event::RunBegan { .. }) => Err(StoreError::Newer(format!("the run {}", self.run()))),
            _ => Err(StoreError::Damaged(format!("the run {} does not begin with its plan", self.run()))),
        }
    }

    /// When [`Self::renew`] is due, if the machine is not suspended before.
    pub fn renewal_due(&self) -> Timestamp {
        self.clock.after(&self.held, self.due)
    }

    /// Whether [`Self::renew`] is due. Others look at the wall clock: while this machine was suspended, the lease went on.
    pub fn is_renewal_due(&self) -> bool {
        self.clock.since(&self.held) >= self.due
    }

    /// Prolongs this process's hold of the run. A store that can't be written for a while is no error before the lease
    /// has run out; [`StoreError::Taken`] says that the run is another process's now.
    pub async fn renew(&mut self) -> Result<(), StoreError> {
        let now = self.clock.moment();
        match self.store.renew(self.claim, self.clock.wall() + LEASE).await {
            Ok(()) => {
                self.held = now;
                self.due = RENEWAL;
                self.failing = None;
                Ok(())
            }
            Err(StoreError::Taken(run)) => Err(StoreError::Taken(run)),
            Err(error) => {
                // On waking from a suspension the lease has run out, and what it is written to may not be back yet. Until
                // somebody else has taken the run nothing is lost by trying again.
                let failing = *self.failing.get_or_insert(now);
                let left = LEASE.saturating_sub(self.clock.since(&self.held));
                if left.is_zero() && self.clock.since(&failing) >= PATIENCE {
                    return Err(error);
                }
                tracing::warn!(%error, ?left, "the hold of the run can't be prolonged; it is tried again");
                self.due = self.clock.since(&self.held) + RETRY;
                Ok(())
            }
        }
    }

    /// Lets the run go, so that another process can take it without waiting.
    pub async fn release(&mut self) -> Result<(), StoreError> {
        self.store.release(self.claim).await
    }

    /// Ends a run that nothing was sent for (see [`nothing_was_sent`]): what it holds is free again.
    pub async fn abandon(&mut self) -> Result<(), StoreError> {
        if !nothing_was_sent(&self.records) {
            return Err(StoreError::Write(format!("the run {} has begun, and is not given up", self.run())));
        }
        let ended: BTreeSet<_> = self
            .records
            .iter()
            .filter(|record| matches!(record.event, Event::Ended { .. }))
            .filter_map(|record| record.instance.clone())
            .collect();
        let verdict = Verdict::NotBegun { why: Halt::Abandoned };
        let given_up = Event::Ended { verdict, differences: Vec::new() };
        let instances = &self.plan()?.plan().instances;
        let open = instances.iter().map(|own| own.id.clone()).filter(|id| !ended.contains(id));
        let events = open.map(|id| (Some(id), given_up.clone())).collect();
        self.append(events).await?;
        self.finish().await.map(|_| ())
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
        let at = self.clock.stamp();
        let run = self.run();
        let records: Vec<_> = events
            .into_iter()
            .zip(self.next..)
            .map(|((instance, event), seq)| Record { at, run, seq, instance, event })
            .collect();
        // The same records each time: if a try that seemed to fail was durable after all, the next one finds that out.
        let mut tries = Tries::begin(&self.clock);
        while let Err(error) = self.store.append(self.claim, &records, took).await {
            self.before_next_try(&mut tries, error).await?;
        }
        self.next += records.len() as u64;
        Ok(records)
    }

    /// Pauses before a write is tried again; `error` itself if trying again is of no use. The lease is kept meanwhile.
    async fn before_next_try(&mut self, tries: &mut Tries, error: StoreError) -> Result<(), StoreError> {
        let StoreError::Write(_) = &error else { return Err(error) };
        let Some(pause) = tries.next_pause(&self.clock) else { return Err(error) };
        tracing::warn!(%error, ?pause, "the journal is tried again");
        self.clock.sleep(pause).await;
        if self.is_renewal_due() { self.renew().await } else { Ok(()) }
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
        let at: Timestamp = records.last().map_or_else(|| self.clock.stamp(), |record| record.at);
        let mut tries = Tries::begin(&self.clock);
        while let Err(error) = self.store.finish(self.claim, at).await {
            self.before_next_try(&mut tries, error).await?;
        }
        Ok(records)
    }
}

/// The tries of one write.
struct Tries {
    since: Timestamp,
    pause: Duration,
}

impl Tries {
    fn begin(clock: &Clock) -> Self {
        Self { since: clock.now(), pause: FIRST_PAUSE }
    }

    /// How long to pause before the next try; `None` if it has been tried for long enough.
    fn next_pause(&mut self, clock: &Clock) -> Option<Duration> {
        let left = PATIENCE.checked_sub(between(self.since, clock.now())).filter(|left| !left.is_zero())?;
        let pause = self.pause.min(left);
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Some(pause)
    }
}

/// No call of this run that changes anything was ever about to be sent.
pub fn nothing_was_sent(records: &[Record]) -> bool {
    !records
        .iter()
        .any(|record| matches!(record.event, Event::Intended { .. } | Event::KeyImportIntended { .. }))
}
