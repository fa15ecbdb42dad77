//! What cuts a process off: a store and a transport that stop in the middle, and never go on.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use pitstop::cloud::InstanceId;
use pitstop::journal::{Claim, Lease, Record, RunId, RunSummary, Store, StoreError, Took};
use pitstop::sim::InProcess;
use pitstop::tencent::wire::{Request, Response, Transport, TransportError};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

/// Where a life of the process ends. All are counted from 1 within that life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Before the n-th append is written.
    BeforeAppend(u64),
    /// After it is written, before anything else.
    AfterAppend(u64),
    /// Before the n-th call is sent.
    BeforeCall(u64),
    /// After the n-th call was answered, before anything else.
    AfterCall(u64),
    /// Before the n-th call that changes something is sent.
    BeforeMutation(u64),
    /// After the n-th call that changes something was executed and answered, before anything else.
    AfterMutation(u64),
    /// After so long.
    At(Duration),
}

/// What happens to the n-th call that changes something, without the process ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// It never arrives.
    Before(u64),
    /// Its answer never does.
    After(u64),
}

/// One life's counters. When it blows, whoever blew it waits for ever, and the process is thrown away.
pub(crate) struct Fuse {
    cut: Option<Cut>,
    loss: Option<Loss>,
    appends: AtomicU64,
    calls: AtomicU64,
    mutations: AtomicU64,
    /// More calls or appends than this are a busy loop.
    most: u64,
    blown: CancellationToken,
}

impl Fuse {
    pub(crate) fn new(cut: Option<Cut>, loss: Option<Loss>, most: u64) -> Arc<Self> {
        let zero = || AtomicU64::new(0);
        let blown = CancellationToken::new();
        Arc::new(Self { cut, loss, appends: zero(), calls: zero(), mutations: zero(), most, blown })
    }

    pub(crate) async fn blown(&self) {
        self.blown.cancelled().await;
    }

    pub(crate) fn at(&self) -> Option<Duration> {
        if let Some(Cut::At(after)) = self.cut { Some(after) } else { None }
    }

    pub(crate) fn appends(&self) -> u64 {
        self.appends.load(Ordering::Relaxed)
    }

    pub(crate) fn mutations(&self) -> u64 {
        self.mutations.load(Ordering::Relaxed)
    }

    /// It made more calls or records than any sane run.
    pub(crate) fn ran_away(&self) -> bool {
        self.appends() > self.most || self.calls.load(Ordering::Relaxed) > self.most
    }

    async fn here(&self, cuts: &[Cut]) {
        if self.ran_away() || self.cut.is_some_and(|cut| cuts.contains(&cut)) {
            self.blow().await;
        }
    }

    async fn blow(&self) {
        self.blown.cancel();
        std::future::pending::<()>().await;
    }
}

fn next(counter: &AtomicU64) -> u64 {
    counter.fetch_add(1, Ordering::Relaxed) + 1
}

/// A store whose process can end at every append.
pub(crate) struct Cutting {
    pub(crate) inner: Arc<dyn Store>,
    pub(crate) fuse: Arc<Fuse>,
}

impl Cutting {
    async fn before(&self) -> u64 {
        let n = next(&self.fuse.appends);
        self.fuse.here(&[Cut::BeforeAppend(n)]).await;
        n
    }

    async fn after(&self, n: u64) {
        self.fuse.here(&[Cut::AfterAppend(n)]).await;
    }
}

#[async_trait]
impl Store for Cutting {
    async fn begin(
        &self,
        run: &RunSummary,
        instances: &[InstanceId],
        first: &[Record],
        lease: &Lease,
    ) -> Result<Claim, StoreError> {
        let n = self.before().await;
        let claim = self.inner.begin(run, instances, first, lease).await?;
        self.after(n).await;
        Ok(claim)
    }

    /// The process before is known to be gone: nobody waits for its lease to run out.
    async fn take(&self, run: RunId, lease: &Lease, _now: Timestamp) -> Result<Claim, StoreError> {
        self.inner.take(run, lease, Timestamp::MAX).await
    }

    async fn renew(&self, claim: Claim, until: Timestamp) -> Result<(), StoreError> {
        self.inner.renew(claim, until).await
    }

    async fn release(&self, claim: Claim) -> Result<(), StoreError> {
        self.inner.release(claim).await
    }

    async fn holder(&self, run: RunId, now: Timestamp) -> Result<Option<Lease>, StoreError> {
        self.inner.holder(run, now).await
    }

    async fn held(
        &self,
        scope: &str,
        instances: &[InstanceId],
    ) -> Result<Option<(InstanceId, RunId)>, StoreError> {
        self.inner.held(scope, instances).await
    }

    async fn append(&self, claim: Claim, records: &[Record], took: &[Took]) -> Result<(), StoreError> {
        let n = self.before().await;
        self.inner.append(claim, records, took).await?;
        self.after(n).await;
        Ok(())
    }

    async fn finish(&self, claim: Claim, at: Timestamp) -> Result<(), StoreError> {
        let n = self.before().await;
        self.inner.finish(claim, at).await?;
        self.after(n).await;
        Ok(())
    }

    async fn load(&self, run: RunId) -> Result<Vec<Record>, StoreError> {
        self.inner.load(run).await
    }

    async fn runs(&self) -> Result<Vec<RunSummary>, StoreError> {
        self.inner.runs().await
    }

    async fn history(&self, simulated: bool, each: u32) -> Result<Vec<Took>, StoreError> {
        self.inner.history(simulated, each).await
    }
}

/// A call that changes something, as it was sent.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) action: String,
    pub(crate) parameters: BTreeMap<String, Value>,
}

/// What was sent, over all lives.
#[derive(Clone, Default)]
pub(crate) struct Ledger(Arc<Mutex<Vec<Sent>>>);

impl Ledger {
    pub(crate) fn take(&self) -> Vec<Sent> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A way to the world on which the process can end. What is under way then still arrives.
pub(crate) struct Wire {
    pub(crate) world: Arc<InProcess>,
    pub(crate) fuse: Arc<Fuse>,
    pub(crate) ledger: Ledger,
}

#[async_trait]
impl Transport for Wire {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let n = next(&self.fuse.calls);
        self.fuse.here(&[Cut::BeforeCall(n)]).await;
        let action = request.header("x-tc-action").unwrap_or_default().to_owned();
        if action.starts_with("Describe") || action.starts_with("Get") || action.starts_with("Inquiry") {
            let answer = self.world.send(request).await;
            self.fuse.here(&[Cut::AfterCall(n)]).await;
            return answer;
        }
        let m = next(&self.fuse.mutations);
        self.fuse.here(&[Cut::BeforeMutation(m)]).await;
        let parameters = serde_json::from_slice(&request.body).unwrap_or_default();
        self.ledger.0.lock().unwrap_or_else(PoisonError::into_inner).push(Sent { action, parameters });
        let broken = || Err(TransportError::MaybeSent("connection reset by peer".to_owned()));
        if self.fuse.loss == Some(Loss::Before(m)) {
            return broken();
        }
        let world = Arc::clone(&self.world);
        let under_way = tokio::spawn(async move { world.send(request).await });
        let answer = under_way.await.unwrap_or_else(|_| broken());
        self.fuse.here(&[Cut::AfterCall(n), Cut::AfterMutation(m)]).await;
        if self.fuse.loss == Some(Loss::After(m)) { broken() } else { answer }
    }
}
