//! A journal on a disk that is full after a while.

use std::sync::Mutex;

use async_trait::async_trait;
use jiff::Timestamp;
use pitstop::cloud::InstanceId;
use pitstop::journal::{Claim, Lease, Memory, Record, RunId, RunSummary, Store, StoreError, Took};

/// A store whose disk is full after so many appends.
pub(crate) struct FullAfter {
    store: Memory,
    left: Mutex<usize>,
}

impl FullAfter {
    /// Full after so many appends to a run that has begun.
    pub(crate) fn appends(count: usize) -> Self {
        Self { store: Memory::default(), left: Mutex::new(count) }
    }

    /// Somebody has made room.
    pub(crate) fn make_room(&self) {
        *self.left.lock().unwrap() = usize::MAX;
    }
}

#[async_trait]
impl Store for FullAfter {
    async fn begin(
        &self,
        run: &RunSummary,
        ids: &[InstanceId],
        first: &[Record],
        lease: &Lease,
    ) -> Result<Claim, StoreError> {
        self.store.begin(run, ids, first, lease).await
    }
    async fn take(&self, run: RunId, lease: &Lease, now: Timestamp) -> Result<Claim, StoreError> {
        self.store.take(run, lease, now).await
    }
    async fn renew(&self, claim: Claim, until: Timestamp) -> Result<(), StoreError> {
        self.store.renew(claim, until).await
    }
    async fn release(&self, claim: Claim) -> Result<(), StoreError> {
        self.store.release(claim).await
    }
    async fn holder(&self, run: RunId, now: Timestamp) -> Result<Option<Lease>, StoreError> {
        self.store.holder(run, now).await
    }
    async fn held(
        &self,
        scope: &str,
        instances: &[InstanceId],
    ) -> Result<Option<(InstanceId, RunId)>, StoreError> {
        self.store.held(scope, instances).await
    }
    async fn append(&self, claim: Claim, records: &[Record], took: &[Took]) -> Result<(), StoreError> {
        let full = std::mem::replace(&mut *self.left.lock().unwrap(), 0);
        if full == 0 {
            return Err(StoreError::Write("database or disk is full".into()));
        }
        *self.left.lock().unwrap() = full - 1;
        self.store.append(claim, records, took).await
    }
    async fn finish(&self, claim: Claim, at: Timestamp) -> Result<(), StoreError> {
        self.store.finish(claim, at).await
    }
    async fn load(&self, run: RunId) -> Result<Vec<Record>, StoreError> {
        self.store.load(run).await
    }
    async fn runs(&self) -> Result<Vec<RunSummary>, StoreError> {
        self.store.runs().await
    }
    async fn history(&self, simulated: bool, each: u32) -> Result<Vec<Took>, StoreError> {
        self.store.history(simulated, each).await
    }
}
