//! A store in memory: for simulations under virtual time, and for programs that embed Pitstop without a disk.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;

use super::event::{Record, RunId};
use super::store::{Claim, Lease, RunSummary, Store, StoreError, Took};
use crate::cloud::InstanceId;

/// Journals that last as long as the process.
#[derive(Default)]
pub struct Memory(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    runs: BTreeMap<RunId, Kept>,
    holds: BTreeMap<(String, InstanceId), RunId>,
    took: Vec<(bool, Took)>,
}

struct Kept {
    summary: RunSummary,
    epoch: i64,
    /// None once it was let go.
    lease: Option<Lease>,
    records: Vec<Record>,
}

impl Kept {
    fn holder(&self, now: Timestamp) -> Option<&Lease> {
        self.lease.as_ref().filter(|lease| lease.until > now)
    }
}

impl Memory {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For simulations of a crash: every process that held a run is gone, and that is known, as it is on one machine.
    pub fn bury_holders(&self) {
        for kept in self.lock().runs.values_mut() {
            kept.lease = None;
        }
    }
}

impl Inner {
    fn claimed(&mut self, claim: Claim) -> Result<&mut Kept, StoreError> {
        let kept = self.runs.get_mut(&claim.run).ok_or(StoreError::NoRun(claim.run))?;
        if kept.epoch == claim.epoch { Ok(kept) } else { Err(StoreError::Taken(claim.run)) }
    }
}

fn other_records(run: RunId) -> StoreError {
    StoreError::Damaged(format!("other records stand where this process wants to write of the run {run}"))
}

#[async_trait]
impl Store for Memory {
    async fn begin(
        &self,
        run: &RunSummary,
        instances: &[InstanceId],
        first: &[Record],
        lease: &Lease,
    ) -> Result<Claim, StoreError> {
        let mut inner = self.lock();
        if let Some(scope) = run.place.scope(&run.region) {
            let keys: Vec<_> = instances.iter().map(|id| (scope.clone(), id.clone())).collect();
            if let Some((key, holder)) = keys.iter().find_map(|key| Some((key, inner.holds.get(key)?))) {
                let since = inner.runs.get(holder).map_or(run.began, |kept| kept.summary.began);
                return Err(StoreError::Held { instance: key.1.clone(), run: *holder, since });
            }
            inner.holds.extend(keys.into_iter().map(|key| (key, run.id)));
        }
        let lease = Some(lease.clone());
        inner.runs.insert(run.id, Kept { summary: run.clone(), epoch: 1, lease, records: first.to_vec() });
        Ok(Claim { run: run.id, epoch: 1 })
    }

    async fn take(&self, run: RunId, lease: &Lease, now: Timestamp) -> Result<Claim, StoreError> {
        let mut inner = self.lock();
        let kept = inner.runs.get_mut(&run).ok_or(StoreError::NoRun(run))?;
        if kept.summary.ended.is_some() {
            return Err(StoreError::Ended(run));
        }
        if let Some(holder) = kept.holder(now) {
            return Err(StoreError::Busy { run, lease: holder.clone() });
        }
        kept.epoch += 1;
        kept.lease = Some(lease.clone());
        Ok(Claim { run, epoch: kept.epoch })
    }

    async fn renew(&self, claim: Claim, until: Timestamp) -> Result<(), StoreError> {
        if let Some(lease) = &mut self.lock().claimed(claim)?.lease {
            lease.until = until;
        }
        Ok(())
    }

    async fn release(&self, claim: Claim) -> Result<(), StoreError> {
        self.lock().claimed(claim)?.lease = None;
        Ok(())
    }

    async fn holder(&self, run: RunId, now: Timestamp) -> Result<Option<Lease>, StoreError> {
        let inner = self.lock();
        Ok(inner.runs.get(&run).ok_or(StoreError::NoRun(run))?.holder(now).cloned())
    }

    async fn held(
        &self,
        scope: &str,
        instances: &[InstanceId],
    ) -> Result<Option<(InstanceId, RunId)>, StoreError> {
        let inner = self.lock();
        let held = |id: &InstanceId| inner.holds.get(&(scope.to_owned(), id.clone())).copied();
        Ok(instances.iter().find_map(|id| Some((id.clone(), held(id)?))))
    }

    async fn append(&self, claim: Claim, records: &[Record], took: &[Took]) -> Result<(), StoreError> {
        let mut inner = self.lock();
        let kept = inner.claimed(claim)?;
        let place = kept.summary.place.clone();
        let first = records.first().and_then(|first| usize::try_from(first.seq).ok());
        if let Some(first) = first.filter(|first| *first < kept.records.len()) {
            return if kept.records[first..] == *records { Ok(()) } else { Err(other_records(claim.run)) };
        }
        kept.records.extend_from_slice(records);
        inner.took.extend(took.iter().map(|took| (place.is_simulated(), took.clone())));
        Ok(())
    }

    async fn finish(&self, claim: Claim, at: Timestamp) -> Result<(), StoreError> {
        let mut inner = self.lock();
        let kept = inner.claimed(claim)?;
        kept.summary.ended = Some(at);
        kept.lease = None;
        inner.holds.retain(|_, holder| *holder != claim.run);
        Ok(())
    }

    async fn load(&self, run: RunId) -> Result<Vec<Record>, StoreError> {
        self.lock().runs.get(&run).map(|kept| kept.records.clone()).ok_or(StoreError::NoRun(run))
    }

    async fn runs(&self) -> Result<Vec<RunSummary>, StoreError> {
        Ok(self.lock().runs.values().rev().map(|kept| kept.summary.clone()).collect())
    }

    async fn history(&self, simulated: bool, each: u32) -> Result<Vec<Took>, StoreError> {
        let inner = self.lock();
        let mut left = BTreeMap::new();
        let newest = inner.took.iter().rev().filter(|(from, _)| *from == simulated).map(|(_, took)| took);
        Ok(newest
            .filter(|took| {
                let left = left.entry(took.action).or_insert(each);
                let kept = *left > 0;
                *left = left.saturating_sub(1);
                kept
            })
            .cloned()
            .collect())
    }
}
