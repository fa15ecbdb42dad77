//! The legality table over all pairs; every store against the same demands; the format of records.

mod files;
mod leases;
mod tries;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::clock::Clock;
use crate::cloud::{
    Action, Charging, CloudError, ErrorKind, InstanceId, InstanceType, PowerState, RequestId, Sent, StopMode,
};
use crate::plan::{Approval, ApprovedPlan, EndPower, InstancePlan, Plan};
use crate::workflow::{OnFailure, Rollout, Stop};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_000 + second).unwrap()
}

fn stop() -> Intent {
    Intent::Stop { mode: StopMode::Soft, charging: Charging::Keep }
}

fn failure() -> Failure {
    Failure::Gone
}

fn stages() -> Vec<Stage> {
    let request = RequestId::from("ours");
    vec![
        Stage::Ready,
        Stage::Intended { intent: stop(), baseline: None, at: at(0) },
        Stage::Underway { intent: stop(), baseline: None, request, at: at(0) },
        Stage::Ended { verdict: Verdict::Done },
    ]
}

fn lost() -> CloudError {
    CloudError::new(ErrorKind::Network, Sent::Maybe, "the connection broke")
}

/// One of every event that concerns an instance, and one of those that don't.
fn events() -> Vec<Event> {
    vec![
        Event::Seen { power: PowerState::Running, instance_type: InstanceType::from("S5.LARGE8") },
        Event::Intended { intent: stop(), baseline: None },
        Event::Accepted { request: RequestId::from("ours") },
        Event::Refused { error: lost(), among: 1 },
        Event::Lost { error: lost() },
        Event::NotExecuted,
        Event::Achieved { took: Duration::from_secs(8) },
        Event::Failed { failure: failure() },
        Event::CheckPassed { check: 0 },
        Event::FellBack { from: "S5.LARGE8".into(), to: "S6.LARGE8".into(), error: lost() },
        Event::RollBackBegan { to: "S5.MEDIUM4".into() },
        Event::Suspended,
        Event::Ended { verdict: Verdict::Done, differences: Vec::new() },
        Event::RunEnded,
    ]
}

#[test]
fn the_table_of_all_stages_and_events() {
    let mut table = String::new();
    for event in events() {
        let _ = write!(table, "{:15}", event.name());
        for stage in stages() {
            let state = State { stage, ledger: Ledger::default() };
            let next = state.next(&event, at(1));
            let _ = write!(table, " {:9}", next.as_ref().map_or("-", |state| state.stage.name()));
        }
        table.truncate(table.trim_end().len());
        table.push('\n');
    }
    let expected = "\
seen            ready     intended  underway  -
intended        intended  -         -         -
accepted        -         underway  -         -
refused         -         ready     -         -
lost            -         intended  -         -
not-executed    -         ready     -         -
achieved        -         ready     ready     -
failed          ready     ready     ready     -
check-passed    ready     -         -         -
fell-back       ready     -         -         -
roll-back-began ready     -         -         -
suspended       ready     -         -         -
ended           ended     -         -         -
run-ended       -         -         -         -
";
    assert_eq!(table, expected);
}

/// The state after a story.
fn told(events: &[(i64, Event)]) -> State {
    events.iter().fold(State::default(), |state, (second, event)| state.next(event, at(*second)).unwrap())
}

fn seen(power: PowerState) -> Event {
    Event::Seen { power, instance_type: InstanceType::from("S5.LARGE8") }
}

#[test]
fn the_ledger_knows_what_was_done_and_how_long_it_was_down() {
    let resize = Intent::Resize { to: InstanceType::from("S5.LARGE16") };
    let accepted = |request: &str| Event::Accepted { request: RequestId::from(request) };
    let state = told(&[
        (0, seen(PowerState::Running)),
        (1, Event::Intended { intent: stop(), baseline: Some(RequestId::from("before")) }),
        (2, accepted("first")),
        (9, seen(PowerState::Stopped)),
        (9, Event::Achieved { took: Duration::from_secs(7) }),
        (9, Event::Intended { intent: resize, baseline: Some(RequestId::from("first")) }),
        (10, accepted("second")),
        (16, Event::Achieved { took: Duration::from_secs(6) }),
        (16, Event::Intended { intent: Intent::Start, baseline: Some(RequestId::from("second")) }),
        (17, accepted("third")),
        (22, seen(PowerState::Running)),
    ]);
    let ledger = &state.ledger;
    assert_eq!(ledger.done, [Action::Resize]);
    assert_eq!((ledger.down, ledger.down_since), (Duration::from_secs(21), None));
    assert_eq!(ledger.latest, Some(RequestId::from("third")));
    for past in ["before", "first", "second"] {
        assert!(ledger.past.contains(&RequestId::from(past)), "{past}");
    }
    assert!(ledger.touched && ledger.stop_sent);
}

#[test]
fn a_call_touches_nothing_until_it_is_known_to_have_been_executed_or_never_found_out() {
    let intended = || Event::Intended { intent: stop(), baseline: None };
    let refused = told(&[(0, intended()), (1, Event::Refused { error: lost(), among: 1 })]);
    assert!(!refused.ledger.touched && !refused.ledger.stop_sent);
    let lost = told(&[(0, intended()), (1, Event::Lost { error: lost() })]);
    assert!(matches!(lost.stage, Stage::Intended { .. }) && !lost.ledger.touched);
    let gone = lost.next(&Event::NotExecuted, at(2)).unwrap();
    assert!(!gone.ledger.touched && !gone.ledger.stop_sent);
    let given_up = lost.next(&Event::Failed { failure: failure() }, at(2)).unwrap();
    assert!(given_up.ledger.touched && given_up.ledger.stop_sent);
}

fn resize_to(to: &str) -> Intent {
    Intent::Resize { to: InstanceType::from(to) }
}

/// An intent that was sent and accepted.
fn called(second: i64, intent: Intent) -> [(i64, Event); 2] {
    let request = RequestId::new(format!("{intent:?} at {second}"));
    [(second, Event::Intended { intent, baseline: None }), (second, Event::Accepted { request })]
}

/// The same, and its effect was seen.
fn made(second: i64, intent: Intent) -> Vec<(i64, Event)> {
    let end = (second + 5, Event::Achieved { took: Duration::from_secs(5) });
    called(second, intent).into_iter().chain([end]).collect()
}

#[test]
fn a_roll_back_takes_the_resize_out_of_what_was_made_and_has_a_stop_and_starts_of_its_own() {
    let check = Event::Failed { failure: Failure::Check { number: 1, message: "no answer".into() } };
    let failed_start = Event::Failed { failure: failure() };
    let mut story = [made(0, stop()), made(10, resize_to("S5.LARGE8"))].concat();
    story.extend([(20, check.clone()), (20, Event::RollBackBegan { to: "S5.MEDIUM4".into() })]);
    let begun = told(&story);
    let back = begun.ledger.roll_back.as_ref().unwrap();
    assert!(!back.stop_sent && !back.is_down && begun.ledger.stop_sent, "the first stop was another");
    assert_eq!(begun.ledger.done, [Action::Resize]);

    story.extend(made(21, stop()));
    assert!(told(&story).ledger.roll_back.unwrap().stop_sent);
    story.extend(called(30, Intent::Start));
    story.push((31, failed_start.clone()));
    let failed = told(&story).ledger;
    assert_eq!(failed.failed_starts, 1);
    let back = failed.roll_back.unwrap();
    assert_eq!(
        (back.given_up, back.failed_start),
        (None, Some(failure())),
        "a start is no part of the way back"
    );

    let mut well = story.clone();
    well.extend(made(40, resize_to("S5.MEDIUM4")));
    let ledger = told(&well).ledger;
    assert_eq!((ledger.done.as_slice(), ledger.failed_starts), (&[][..], 0));
    assert!(matches!(ledger.failure, Some(Failure::Check { .. })), "what went wrong first stays");

    story.extend(called(40, resize_to("S5.MEDIUM4")));
    story.push((41, failed_start));
    assert_eq!(told(&story).ledger.roll_back.unwrap().given_up, Some(failure()));
}

#[test]
fn a_record_is_read_from_its_text_as_it_is_deserialised() {
    let run = RunId::new(at(0), [1; 10]);
    for (event, instance) in events().into_iter().zip([None, Some("ins-1".into())].into_iter().cycle()) {
        let record = Record { at: at(7), run, seq: 3, instance, event };
        let text = serde_json::to_string(&record).unwrap();
        assert_eq!(Record::from_json(&text).unwrap(), record, "{text}");
        assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), record, "{text}");
        for broken in [&text[1..], &text[..text.len() - 1], &text.replace("\"event\":", "\"what\":")] {
            assert!(Record::from_json(broken).is_err(), "{broken}");
        }
    }
}

#[test]
fn an_instance_that_could_not_start_is_known_to_be_down() {
    let mut story = made(0, stop());
    for second in [10, 20, 30] {
        story.extend(called(second, Intent::Start));
        story.push((second + 1, Event::Failed { failure: failure() }));
    }
    story.push((40, Event::RollBackBegan { to: "S5.MEDIUM4".into() }));
    let ledger = told(&story).ledger;
    assert!(ledger.roll_back.is_some_and(|back| back.is_down));
    assert_eq!(ledger.failed_starts, 0, "they count anew");
}

#[test]
fn a_type_fallen_back_to_is_kept_and_its_refusal_is_past() {
    let story = [
        (0, Event::Intended { intent: resize_to("S5.LARGE8"), baseline: None }),
        (1, Event::Refused { error: lost(), among: 1 }),
        (1, Event::FellBack { from: "S5.LARGE8".into(), to: "S6.LARGE8".into(), error: lost() }),
    ];
    let ledger = told(&story).ledger;
    assert_eq!((ledger.fallback, ledger.refused), (Some("S6.LARGE8".into()), None));
}

#[test]
fn failures_within_failures_are_written_and_read() {
    let cause = || Box::new(Failure::Check { number: 2, message: "no answer".into() });
    let (to, second) = (InstanceType::from("S5.MEDIUM4"), Duration::from_secs);
    let over = Failure::OverBudget {
        budget: second(300),
        used: second(190),
        expected: second(150),
        left: vec![Action::Resize],
    };
    for failure in [
        Failure::RolledBack { cause: cause(), to: to.clone() },
        Failure::NotRolledBack { cause: cause(), to: to.clone(), why: None },
        Failure::NotRolledBack { cause: cause(), to, why: Some(Box::new(failure())) },
        over.clone(),
    ] {
        let verdict = Verdict::Failed { failure };
        let text = serde_json::to_string(&verdict).unwrap();
        assert_eq!(serde_json::from_str::<Verdict>(&text).unwrap(), verdict, "{text}");
    }
    let words = "the rest did not fit in the downtime budget: 190 s of 300 s were used, and about 150 s more would \
                 have been needed; left: resize";
    assert_eq!(over.to_string(), words);
}

fn approved(ids: &[&str]) -> ApprovedPlan {
    let instances = ids
        .iter()
        .map(|id| InstancePlan {
            id: InstanceId::from(*id),
            found: None,
            steps: Vec::new(),
            ends: EndPower::Running,
            refusals: Vec::new(),
            warnings: Vec::new(),
            price: None,
            canary: false,
        })
        .collect();
    let plan = Plan {
        workflow: "resize-web".into(),
        digest: "00".into(),
        region: "ap-guangzhou".into(),
        account: None,
        stop: Stop::default(),
        password: None,
        import_key: None,
        checks: Vec::new(),
        on_failure: OnFailure::Start,
        rollout: Rollout::default(),
        downtime_budget: None,
        instances,
        notes: Vec::new(),
    };
    plan.approve(Approval::Flag).unwrap()
}

async fn begin(
    store: &Arc<dyn Store>,
    ids: &[&str],
    place: Place,
    chance: u8,
) -> Result<Journal, StoreError> {
    let clock = Clock::simulated(at(0));
    Journal::begin(Arc::clone(store), clock, approved(ids), place, "a process".into(), [chance; 10]).await
}

async fn summary(store: &Arc<dyn Store>, run: RunId) -> RunSummary {
    store.runs().await.unwrap().into_iter().find(|summary| summary.id == run).unwrap()
}

async fn stores() -> Vec<(Arc<dyn Store>, Option<tempfile::TempDir>)> {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = Sqlite::open(&folder.path().join("pitstop.db")).await.unwrap();
    vec![(Arc::new(Memory::default()), None), (Arc::new(sqlite), Some(folder))]
}

#[tokio::test]
async fn what_was_written_is_read_again_in_order() {
    for (store, _folder) in stores().await {
        let mut journal = begin(&store, &["ins-1"], Place::Tencent, 1).await.unwrap();
        let mut written = journal.take_records();
        assert_eq!((journal.records().len(), journal.plan().is_ok()), (1, true), "the plan stays");
        for event in events() {
            written.extend(journal.append(vec![(Some(InstanceId::from("ins-1")), event)]).await.unwrap());
        }
        let read = store.load(journal.run()).await.unwrap();
        assert_eq!(read, written);
        let places: Vec<_> = read.iter().map(|record| record.seq).collect();
        assert_eq!(places, (0..read.len() as u64).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_run_that_was_taken_by_another_process_can_not_be_written_by_the_first() {
    for (store, _folder) in stores().await {
        let mut first = begin(&store, &["ins-1"], Place::Tencent, 1).await.unwrap();
        let summary = summary(&store, first.run()).await;
        let clock = Clock::simulated(at(61));
        let mut second =
            Journal::reopen(Arc::clone(&store), clock, &summary, "another".into()).await.unwrap();
        assert!(matches!(first.append(vec![(None, Event::RunEnded)]).await, Err(StoreError::Taken(_))));
        second.append(vec![(None, Event::RunEnded)]).await.unwrap();
        assert_eq!(second.records().iter().filter(|record| record.event.name() == "run-taken").count(), 2);
    }
}

#[tokio::test]
async fn an_unfinished_run_holds_its_instances_until_it_is_finished() {
    for (store, _folder) in stores().await {
        let mut first = begin(&store, &["ins-1", "ins-2"], Place::Tencent, 1).await.unwrap();
        match begin(&store, &["ins-2", "ins-3"], Place::Tencent, 2).await {
            Err(StoreError::Held { instance, run, since }) => {
                assert_eq!(
                    (instance.as_str(), run, since.as_second()),
                    ("ins-2", first.run(), at(0).as_second())
                );
            }
            other => panic!("{:?}", other.map(|journal| journal.run())),
        }
        begin(&store, &["ins-3"], Place::Tencent, 3).await.expect("a refused run holds nothing");
        begin(&store, &["ins-1"], Place::InProcess, 4)
            .await
            .expect("nothing is held in a cloud that is gone");
        first.finish().await.unwrap();
        begin(&store, &["ins-2"], Place::Tencent, 5).await.expect("a finished run holds nothing");
        assert!(summary(&store, first.run()).await.ended.is_some());
    }
}

#[tokio::test]
async fn durations_on_a_simulated_cloud_are_kept_apart() {
    for (store, _folder) in stores().await {
        let took =
            |seconds| Took { action: Action::Stop, family: "S5".into(), took: Duration::from_secs(seconds) };
        for (place, seconds, chance) in
            [(Place::Tencent, 40, 1), (Place::InProcess, 8, 2), (Place::Tencent, 50, 3)]
        {
            let mut journal = begin(&store, &[], place, chance).await.unwrap();
            journal.append_with(vec![(None, Event::RunEnded)], &[took(seconds)]).await.unwrap();
        }
        let mut real = store.history(false, 10).await.unwrap();
        real.sort_by_key(|took| took.took);
        assert_eq!(real, [took(40), took(50)]);
        assert_eq!(store.history(true, 10).await.unwrap(), [took(8)]);
        assert_eq!(store.history(false, 1).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_store_that_can_not_be_written_says_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let error = Sqlite::open(&folder.path().join("missing/pitstop.db")).await.err().unwrap().to_string();
    assert!(error.contains("missing/pitstop.db"), "{error}");
    let garbage = folder.path().join("garbage.db");
    std::fs::write(&garbage, "this is not a database, and long enough to be read as one".repeat(20)).unwrap();
    let error = Sqlite::open(&garbage).await.err().unwrap().to_string();
    assert!(error.contains("not a database"), "{error}");
}

#[test]
fn records_keep_their_form() {
    let run = RunId::parse("01930000-0000-7000-8000-000000000000").unwrap();
    let record = |event| Record { at: at(0), run, seq: 7, instance: Some(InstanceId::from("ins-1")), event };
    let lines: BTreeMap<_, _> = events()
        .into_iter()
        .map(|event| (event.name(), serde_json::to_string(&record(event)).unwrap()))
        .collect();
    insta::assert_snapshot!(lines.into_values().collect::<Vec<_>>().join("\n"));
}

#[test]
fn places_as_they_were_ever_written_are_read() {
    let endpoint = "internal.tencentcloudapi.com".to_owned();
    for (text, place, simulated, scope) in [
        ("\"tencent\"", Place::Tencent, false, Some("tencent/ap-x")),
        (
            r#"{"tencent-at":"internal.tencentcloudapi.com"}"#,
            Place::TencentAt(endpoint),
            false,
            Some("tencent/ap-x"),
        ),
        (
            r#"{"endpoint":"http://127.0.0.1:1"}"#,
            Place::Endpoint("http://127.0.0.1:1".to_owned()),
            true,
            Some("http://127.0.0.1:1/ap-x"),
        ),
        ("\"in-process\"", Place::InProcess, true, None),
    ] {
        assert_eq!(serde_json::from_str::<Place>(text).unwrap(), place);
        assert_eq!(serde_json::to_string(&place).unwrap(), text);
        assert_eq!((place.is_simulated(), place.scope("ap-x").as_deref()), (simulated, scope));
    }
}

#[tokio::test]
async fn a_journal_is_its_owners_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let store: Arc<dyn Store> = Arc::new(Sqlite::open(&path).await.unwrap());
    begin(&store, &["ins-1"], Place::Tencent, 1).await.unwrap();
    for name in ["journal.db", "journal.db-wal", "journal.db-shm"] {
        let mode = std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}
