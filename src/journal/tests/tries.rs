//! Writing to a store that fails for a while.

use std::sync::Mutex;

use async_trait::async_trait;

use super::*;

/// What happens to one try of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Luck {
    Well,
    /// Nothing is written.
    Fails,
    /// It is written, and an error is answered.
    WrittenAndFails,
}

/// A store whose next writes go as foreseen; those after them go well.
struct Moody {
    inner: Arc<dyn Store>,
    clock: Clock,
    foreseen: Mutex<Vec<Luck>>,
    /// When a write was tried, in milliseconds from the first try.
    tried: Mutex<Vec<Timestamp>>,
    renewed: Mutex<u32>,
}

impl Moody {
    fn new(inner: Arc<dyn Store>, clock: &Clock) -> Arc<Self> {
        Arc::new(Self {
            inner,
            clock: clock.clone(),
            foreseen: Mutex::default(),
            tried: Mutex::default(),
            renewed: Mutex::default(),
        })
    }

    fn foresee(&self, luck: &[Luck]) {
        *self.foreseen.lock().unwrap() = luck.to_vec();
        self.tried.lock().unwrap().clear();
    }

    fn luck(&self) -> Luck {
        self.tried.lock().unwrap().push(self.clock.now());
        let mut foreseen = self.foreseen.lock().unwrap();
        if foreseen.is_empty() { Luck::Well } else { foreseen.remove(0) }
    }

    /// When the tries were made, in milliseconds after the first.
    fn tries(&self) -> Vec<i64> {
        let tried = self.tried.lock().unwrap();
        tried.iter().map(|at| at.as_millisecond() - tried[0].as_millisecond()).collect()
    }
}

fn full() -> StoreError {
    StoreError::Write("database or disk is full".into())
}

#[async_trait]
impl Store for Moody {
    async fn begin(
        &self,
        run: &RunSummary,
        ids: &[InstanceId],
        first: &[Record],
        lease: &Lease,
    ) -> Result<Claim, StoreError> {
        self.inner.begin(run, ids, first, lease).await
    }
    async fn take(&self, run: RunId, lease: &Lease, now: Timestamp) -> Result<Claim, StoreError> {
        self.inner.take(run, lease, now).await
    }
    async fn renew(&self, claim: Claim, until: Timestamp) -> Result<(), StoreError> {
        *self.renewed.lock().unwrap() += 1;
        self.inner.renew(claim, until).await
    }
    async fn release(&self, claim: Claim) -> Result<(), StoreError> {
        self.inner.release(claim).await
    }
    async fn holder(&self, run: RunId, now: Timestamp) -> Result<Option<Lease>, StoreError> {
        self.inner.holder(run, now).await
    }
    async fn held(&self, scope: &str, ids: &[InstanceId]) -> Result<Option<(InstanceId, RunId)>, StoreError> {
        self.inner.held(scope, ids).await
    }
    async fn append(&self, claim: Claim, records: &[Record], took: &[Took]) -> Result<(), StoreError> {
        let luck = self.luck();
        if luck != Luck::Fails {
            self.inner.append(claim, records, took).await?;
        }
        if luck == Luck::Well { Ok(()) } else { Err(full()) }
    }
    async fn finish(&self, claim: Claim, at: Timestamp) -> Result<(), StoreError> {
        let luck = self.luck();
        if luck != Luck::Fails {
            self.inner.finish(claim, at).await?;
        }
        if luck == Luck::Well { Ok(()) } else { Err(full()) }
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

/// A journal on such a store.
async fn moody(inner: Arc<dyn Store>) -> (Arc<Moody>, Journal, Clock) {
    let clock = Clock::simulated(at(0));
    let store = Moody::new(inner, &clock);
    let place = Place::Tencent;
    let journal = Journal::begin(
        store.clone(),
        clock.clone(),
        approved(&["ins-1"]),
        place,
        "a process".into(),
        [1; 10],
    );
    (store, journal.await.unwrap(), clock)
}

fn intended() -> (Option<InstanceId>, Event) {
    (Some("ins-1".into()), Event::Intended { intent: stop(), baseline: None })
}

fn took() -> [Took; 1] {
    [Took { action: Action::Stop, family: "S5".into(), took: Duration::from_secs(8) }]
}

/// What stands in the journal, checked for gaps.
async fn names(store: &Moody, run: RunId) -> Vec<&'static str> {
    let records = store.load(run).await.unwrap();
    assert!(records.iter().map(|record| record.seq).eq(0..records.len() as u64));
    records.iter().skip(2).map(|record| record.event.name()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_write_that_fails_is_tried_again_with_growing_pauses_and_nothing_is_lost_or_doubled() {
    let (store, mut journal, _) = moody(Arc::new(Memory::default())).await;
    store.foresee(&[Luck::Fails; 6]);
    let records = journal.append_with(vec![intended()], &took()).await.unwrap();
    assert_eq!(store.tries(), [0, 50, 150, 350, 750, 1550, 3150]);
    assert_eq!(
        store.load(journal.run()).await.unwrap()[2..],
        records,
        "what stands there is what is returned"
    );
    journal.append(vec![(Some("ins-1".into()), Event::NotExecuted)]).await.unwrap();
    assert_eq!(names(&store, journal.run()).await, ["intended", "not-executed"]);
    assert_eq!(store.history(false, 9).await.unwrap(), took());
}

#[tokio::test]
async fn a_write_that_was_durable_though_an_error_was_answered_is_not_written_twice() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = Sqlite::open(&folder.path().join("pitstop.db")).await.unwrap();
    for inner in [Arc::new(Memory::default()) as Arc<dyn Store>, Arc::new(sqlite)] {
        let (store, mut journal, _) = moody(inner).await;
        store.foresee(&[Luck::Fails, Luck::WrittenAndFails]);
        journal.append_with(vec![intended(), intended()], &took()).await.unwrap();
        assert_eq!(store.tries().len(), 3);
        store.foresee(&[Luck::Well, Luck::WrittenAndFails]);
        journal.finish().await.unwrap();
        assert_eq!(names(&store, journal.run()).await, ["intended", "intended", "run-ended"]);
        assert_eq!(store.history(false, 9).await.unwrap(), took(), "it took that long once");
        assert!(store.runs().await.unwrap()[0].ended.is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_fails_for_long_is_given_up_and_the_lease_is_kept_meanwhile() {
    let (store, mut journal, clock) = moody(Arc::new(Memory::default())).await;
    // As late as a turn can begin to write before it renews.
    clock.sleep(Duration::from_secs(19)).await;
    store.foresee(&[Luck::Fails; 100]);
    let error = journal.append(vec![intended()]).await.unwrap_err();
    assert!(matches!(&error, StoreError::Write(_)), "{error}");
    assert_eq!(store.tries(), [0, 50, 150, 350, 750, 1550, 3150, 6350, 10350, 14350, 18350, 20_000]);
    assert!(*store.renewed.lock().unwrap() >= 1, "it was renewed when that was due");
    let left = store.holder(journal.run(), clock.now()).await.unwrap().unwrap().until - LEASE / 2;
    assert!(left > clock.now(), "much of the lease is left");
    store.foresee(&[]);
    journal.append(vec![intended()]).await.expect("what failed is not counted");
    assert_eq!(names(&store, journal.run()).await, ["intended"]);
}

#[tokio::test(start_paused = true)]
async fn who_has_lost_the_run_gives_up_at_once_even_between_two_tries() {
    let memory = Arc::new(Memory::default());
    let (store, mut journal, clock) = moody(memory.clone()).await;
    store.foresee(&[Luck::WrittenAndFails, Luck::Fails, Luck::Fails]);
    let theft = async {
        clock.sleep(Duration::from_millis(100)).await;
        memory.bury_holders();
        store.take(journal_run(&memory).await, &Lease::new("heir", clock.now()), clock.now()).await.unwrap();
    };
    let (late, ()) = tokio::join!(journal.append(vec![intended()]), theft);
    assert!(matches!(late, Err(StoreError::Taken(_))), "{late:?}");
    let error = journal.append(vec![intended()]).await.unwrap_err();
    assert!(matches!(error, StoreError::Taken(_)), "{error}");
    assert_eq!(names(&store, journal.run()).await, ["intended"], "only what was written before is there");
}

async fn journal_run(memory: &Memory) -> RunId {
    memory.runs().await.unwrap()[0].id
}

#[tokio::test]
async fn other_records_in_the_place_of_ours_are_damage() {
    for (store, _folder) in stores().await {
        let mut journal = begin(&store, &["ins-1"], Place::Tencent, 1).await.unwrap();
        let run = journal.run();
        journal.append(vec![intended()]).await.unwrap();
        journal.release().await.unwrap();
        let claim = store.take(run, &Lease::new("heir", at(1)), at(1)).await.unwrap();
        let ours = store.load(run).await.unwrap().pop().unwrap();
        store.append(claim, std::slice::from_ref(&ours), &[]).await.expect("the same again is no change");
        let other = Record { event: Event::NotExecuted, ..ours };
        let error = store.append(claim, &[other], &[]).await.unwrap_err();
        assert!(matches!(error, StoreError::Damaged(_)), "{error}");
        assert_eq!(store.load(run).await.unwrap().len(), 3);
    }
}
