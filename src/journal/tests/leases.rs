//! Who may write: leases, and what becomes of a process that lost its run.

use super::*;
use crate::journal::store::LEASE;

fn second(journal: &Journal, place: Place) -> RunSummary {
    RunSummary {
        id: journal.run(),
        workflow: "resize-web".into(),
        region: "ap-guangzhou".into(),
        began: at(0),
        ended: None,
        place,
    }
}

async fn reopen(store: &Arc<dyn Store>, run: &RunSummary, when: i64) -> Result<Journal, StoreError> {
    Journal::reopen(Arc::clone(store), Clock::simulated(at(when)), run, format!("process of {when}")).await
}

#[tokio::test]
async fn a_run_is_held_until_its_lease_runs_out_and_no_longer() {
    for (store, _folder) in stores().await {
        let first = begin(&store, &["ins-1"], Place::Tencent, 1).await.unwrap();
        let run = second(&first, Place::Tencent);
        match reopen(&store, &run, 59).await {
            Err(StoreError::Busy { run, lease }) => {
                assert_eq!((run, lease.by.as_str()), (first.run(), "a process"));
                assert_eq!(lease.until.as_second(), (at(0) + LEASE).as_second());
            }
            other => panic!("{:?}", other.map(|journal| journal.run())),
        }
        assert_eq!(store.load(run.id).await.unwrap().len(), 2, "who is refused leaves no trace");
        assert!(store.holder(run.id, at(59)).await.unwrap().is_some());
        assert_eq!(store.holder(run.id, at(61)).await.unwrap(), None);
        reopen(&store, &run, 61).await.expect("the lease has run out");
        assert_eq!(store.holder(run.id, at(62)).await.unwrap().unwrap().by, "process of 61");
    }
}

#[tokio::test]
async fn a_renewed_lease_holds_on_and_a_released_one_lets_go_at_once() {
    for (store, _folder) in stores().await {
        let mut first = begin(&store, &["ins-1"], Place::Tencent, 1).await.unwrap();
        let run = second(&first, Place::Tencent);
        drop(reopen(&store, &run, 61).await.unwrap());
        assert!(matches!(reopen(&store, &run, 100).await, Err(StoreError::Busy { .. })));
        assert!(matches!(first.renew().await, Err(StoreError::Taken(_))), "it lost the run");
        let mut third = reopen(&store, &run, 130).await.unwrap();
        assert_eq!(third.renewal_due().as_second(), at(150).as_second());
        third.release().await.unwrap();
        assert_eq!(store.holder(run.id, at(131)).await.unwrap(), None);
        let mut fourth = reopen(&store, &run, 132).await.expect("it was let go");
        assert!(matches!(third.release().await, Err(StoreError::Taken(_))));
        assert!(store.holder(run.id, at(133)).await.unwrap().is_some(), "a loser's release changes nothing");
        fourth.finish().await.unwrap();
        assert!(matches!(reopen(&store, &run, 500).await, Err(StoreError::Ended(_))));
    }
}

#[tokio::test(start_paused = true)]
async fn renewals_keep_a_run_for_as_long_as_its_process_lives() {
    let store: Arc<dyn Store> = Arc::new(Memory::default());
    let mut journal = begin(&store, &["ins-1"], Place::Tencent, 1).await.unwrap();
    let clock = Clock::simulated(at(0));
    for _ in 0..10 {
        clock.sleep_until(journal.renewal_due()).await;
        assert!(store.holder(journal.run(), clock.now() + Duration::from_secs(30)).await.unwrap().is_some());
        journal.renew().await.unwrap();
    }
    assert_eq!(clock.now(), at(200));
}

/// A store whose renewals fail.
struct Unwell(Memory);

#[async_trait::async_trait]
impl Store for Unwell {
    async fn begin(
        &self,
        run: &RunSummary,
        ids: &[InstanceId],
        first: &[Record],
        lease: &Lease,
    ) -> Result<Claim, StoreError> {
        self.0.begin(run, ids, first, lease).await
    }
    async fn take(&self, run: RunId, lease: &Lease, now: Timestamp) -> Result<Claim, StoreError> {
        self.0.take(run, lease, now).await
    }
    async fn renew(&self, _: Claim, _: Timestamp) -> Result<(), StoreError> {
        Err(StoreError::Write("disk full".into()))
    }
    async fn release(&self, claim: Claim) -> Result<(), StoreError> {
        self.0.release(claim).await
    }
    async fn holder(&self, run: RunId, now: Timestamp) -> Result<Option<Lease>, StoreError> {
        self.0.holder(run, now).await
    }
    async fn held(&self, scope: &str, ids: &[InstanceId]) -> Result<Option<(InstanceId, RunId)>, StoreError> {
        self.0.held(scope, ids).await
    }
    async fn append(&self, claim: Claim, records: &[Record], took: &[Took]) -> Result<(), StoreError> {
        self.0.append(claim, records, took).await
    }
    async fn finish(&self, claim: Claim, at: Timestamp) -> Result<(), StoreError> {
        self.0.finish(claim, at).await
    }
    async fn load(&self, run: RunId) -> Result<Vec<Record>, StoreError> {
        self.0.load(run).await
    }
    async fn runs(&self) -> Result<Vec<RunSummary>, StoreError> {
        self.0.runs().await
    }
    async fn history(&self, simulated: bool, each: u32) -> Result<Vec<Took>, StoreError> {
        self.0.history(simulated, each).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_fails_is_tried_again_until_the_lease_is_over() {
    let store: Arc<dyn Store> = Arc::new(Unwell(Memory::default()));
    let mut journal = begin(&store, &["ins-1"], Place::Tencent, 1).await.unwrap();
    let clock = Clock::simulated(at(0));
    let mut tries = Vec::new();
    let ended = loop {
        clock.sleep_until(journal.renewal_due()).await;
        tries.push(clock.now().as_second() - at(0).as_second());
        if let Err(error) = journal.renew().await {
            break error;
        }
    };
    assert!(matches!(ended, StoreError::Write(_)), "{ended}");
    assert_eq!(tries, [20, 25, 30, 35, 40, 45, 50, 55, 60]);
}

#[tokio::test]
async fn instances_that_are_held_are_found_before_a_run_begins() {
    for (store, _folder) in stores().await {
        let mut first = begin(&store, &["ins-1", "ins-2"], Place::Tencent, 1).await.unwrap();
        let scope = Place::Tencent.scope("ap-guangzhou").unwrap();
        let ids = ["ins-3", "ins-2"].map(InstanceId::from);
        assert_eq!(store.held(&scope, &ids).await.unwrap(), Some(("ins-2".into(), first.run())));
        assert_eq!(store.held(&scope, &ids[..1]).await.unwrap(), None);
        assert_eq!(store.held("tencent/ap-beijing", &ids).await.unwrap(), None);
        first.release().await.unwrap();
        assert!(store.held(&scope, &ids).await.unwrap().is_some(), "it is unfinished still");
        first.finish().await.unwrap();
        assert_eq!(store.held(&scope, &ids).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_run_that_sent_nothing_can_be_given_up_and_one_that_did_can_not() {
    for (store, _folder) in stores().await {
        let mut idle = begin(&store, &["ins-1", "ins-2"], Place::Tencent, 1).await.unwrap();
        idle.abandon().await.unwrap();
        let records = store.load(idle.run()).await.unwrap();
        let mut states = BTreeMap::new();
        for record in &records {
            if let Some(id) = &record.instance {
                let state: &mut State = states.entry(id.clone()).or_default();
                *state = state.next(&record.event, record.at).unwrap();
            }
        }
        let given_up = Verdict::NotBegun { why: Halt::Abandoned };
        assert_eq!(states.len(), 2);
        assert!(states.values().all(|state| state.verdict() == Some(&given_up)));
        assert!(summary(&store, idle.run()).await.ended.is_some());

        let mut busy = begin(&store, &["ins-1"], Place::Tencent, 2).await.expect("nothing is held any more");
        let intended = Event::Intended { intent: stop(), baseline: None };
        busy.append(vec![(Some("ins-1".into()), intended)]).await.unwrap();
        let run = second(&busy, Place::Tencent);
        busy.release().await.unwrap();
        let mut busy = reopen(&store, &run, 5).await.unwrap();
        busy.abandon().await.unwrap_err();
        assert!(summary(&store, busy.run()).await.ended.is_none());
    }
}

#[tokio::test]
async fn on_one_machine_a_dead_process_is_told_from_a_living_one_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pitstop.db");
    let open = async || Arc::new(Sqlite::open(&path).await.unwrap());
    let (first, other): (Arc<dyn Store>, Arc<dyn Store>) = (open().await, open().await);
    let journal = begin(&first, &["ins-1"], Place::Tencent, 1).await.unwrap();
    let run = second(&journal, Place::Tencent);
    assert!(matches!(reopen(&other, &run, 5).await, Err(StoreError::Busy { .. })), "it lives");
    // What is open is closed by the kernel when a process dies.
    drop((journal, first));
    assert_eq!(other.holder(run.id, at(5)).await.unwrap(), None);
    let mut journal = reopen(&other, &run, 5).await.expect("it is dead");
    let third: Arc<dyn Store> = open().await;
    assert!(matches!(reopen(&third, &run, 6).await, Err(StoreError::Busy { .. })), "the heir lives");
    journal.finish().await.unwrap();
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!left.iter().any(|path| path.extension().is_some_and(|kind| kind == "lock")), "{left:?}");
}

#[tokio::test]
async fn without_its_lock_a_holder_is_believed_until_its_lease_runs_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pitstop.db");
    let store: Arc<dyn Store> = Arc::new(Sqlite::open(&path).await.unwrap());
    let journal = begin(&store, &["ins-1"], Place::Tencent, 1).await.unwrap();
    let run = second(&journal, Place::Tencent);
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|kind| kind == "lock") {
            std::fs::remove_file(path).unwrap();
        }
    }
    assert!(matches!(reopen(&store, &run, 5).await, Err(StoreError::Busy { .. })));
    reopen(&store, &run, 61).await.unwrap();
}
