//! What cuts a process off: a store and a transport that stop in the middle, and never go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use pitstop::clock::Clock;
use pitstop::cloud::InstanceId;
use pitstop::journal::{Claim, Lease, Record, RunId, RunSummary, Store, StoreError, Took};
use pitstop::sim::InProcess;
use pitstop::tencent::wire::{Request, Response, Transport, TransportError};
use tokio_util::sync::CancellationToken;

use crate::witness::Witness;

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

/// A time in which the journal's place can't be written, counted from the beginning of a life.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outage {
    pub(crate) from: Duration,
    pub(crate) until: Duration,
    /// What is written is durable all the same; only the answer is an error.
    pub(crate) durable: bool,
}

/// One life's counters. When it blows, whoever blew it waits until the process thaws; one that is dead never does.
pub(crate) struct Fuse {
    cut: Option<Cut>,
    loss: Option<Loss>,
    appends: AtomicU64,
    calls: AtomicU64,
    mutations: AtomicU64,
    /// More calls or appends than this are a busy loop.
    most: u64,
    blown: CancellationToken,
    thawed: CancellationToken,
}

impl Fuse {
    pub(crate) fn new(cut: Option<Cut>, loss: Option<Loss>, most: u64) -> Arc<Self> {
        let zero = || AtomicU64::new(0);
        let (blown, thawed) = (CancellationToken::new(), CancellationToken::new());
        Arc::new(Self { cut, loss, appends: zero(), calls: zero(), mutations: zero(), most, blown, thawed })
    }

    /// A process that hung goes on.
    pub(crate) fn thaw(&self) {
        self.thawed.cancel();
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
        self.thawed.cancelled().await;
    }
}

fn next(counter: &AtomicU64) -> u64 {
    counter.fetch_add(1, Ordering::Relaxed) + 1
}

/// A store as one life of the process meets it: it can end at every append, and the disk can be full for a while.
pub(crate) struct Cutting {
    pub(crate) inner: Arc<dyn Store>,
    pub(crate) fuse: Arc<Fuse>,
    pub(crate) witness: Arc<Witness>,
    pub(crate) life: usize,
    /// The processes before are known to be dead, so that nobody waits for a lease to run out.
    pub(crate) known_dead: bool,
    pub(crate) outage: Option<Outage>,
    pub(crate) clock: Clock,
    pub(crate) born: Timestamp,
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

    /// The outage, if there is one now.
    fn outage(&self) -> Option<Outage> {
        let age = pitstop::clock::between(self.born, self.clock.now());
        let outage = self.outage.filter(|outage| (outage.from..outage.until).contains(&age))?;
        self.witness.write_failed();
        Some(outage)
    }

    /// Writes as well as the disk allows.
    async fn write(
        &self,
        records: &[Record],
        writing: impl Future<Output = Result<(), StoreError>> + Send,
    ) -> Result<(), StoreError> {
        let outage = self.outage();
        if outage.is_none_or(|outage| outage.durable) {
            writing.await?;
            self.witness.written(self.life, records);
        }
        outage.map_or(Ok(()), |_| Err(StoreError::Write("database or disk is full".to_owned())))
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
        self.witness.taken(self.life);
        self.after(n).await;
        Ok(claim)
    }

    async fn take(&self, run: RunId, lease: &Lease, now: Timestamp) -> Result<Claim, StoreError> {
        let claim = self.inner.take(run, lease, if self.known_dead { Timestamp::MAX } else { now }).await?;
        self.witness.taken(self.life);
        Ok(claim)
    }

    async fn renew(&self, claim: Claim, until: Timestamp) -> Result<(), StoreError> {
        self.write(&[], self.inner.renew(claim, until)).await
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
        let written = self.write(records, self.inner.append(claim, records, took)).await;
        self.after(n).await;
        written
    }

    async fn finish(&self, claim: Claim, at: Timestamp) -> Result<(), StoreError> {
        let n = self.before().await;
        let written = self.write(&[], self.inner.finish(claim, at)).await;
        self.after(n).await;
        written
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

/// A way to the world on which the process can end. What is under way then still arrives.
pub(crate) struct Wire {
    pub(crate) world: Arc<InProcess>,
    pub(crate) fuse: Arc<Fuse>,
    pub(crate) witness: Arc<Witness>,
    pub(crate) life: usize,
    pub(crate) clock: Clock,
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
            if let (Ok(answer), "DescribeInstances") = (&answer, action.as_str()) {
                self.witness.reads(self.clock.now(), &answer.body);
            }
            return answer;
        }
        let m = next(&self.fuse.mutations);
        self.fuse.here(&[Cut::BeforeMutation(m)]).await;
        self.witness.sends(self.life, &action, &request.body);
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
