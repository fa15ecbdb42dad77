//! Runs side by side: in two regions, each of which has limits of its own, and in one region, which share them; and a
//! run beside other programs that use part of the limits.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use pitstop::clock::between;
use pitstop::cloud::{Change, Cloud as _, InstanceId, PowerState};
use pitstop::journal::{Memory, Store, Verdict};
use pitstop::run::Conclusion;
use pitstop::sim::{Effect, Fleet, Happening, LogEntry};
use pitstop::tencent::{Limits, Retry, Settings};
use serde_json::Value;

use crate::rig::{Ran, Rig, Scene};
use crate::sealed::{Done, Sealed};

const SOUTH: &str = "ap-guangzhou";
const EAST: &str = "ap-shanghai";
const RESIZE: &str = "ResetInstancesType";
const SECOND: Duration = Duration::from_secs(1);

/// Instances in two regions: so many of each crew.
fn fleet(crews: &[(&str, &str, usize)]) -> Fleet {
    Fleet::parse(&fleet_text(crews), "the fleet").unwrap()
}

fn fleet_text(crews: &[(&str, &str, usize)]) -> String {
    let mut text = "\
zones: [ap-guangzhou-3, ap-shanghai-2]
credentials:
  - { secret-id: AKIDSIMULATEDPITSTOPDEMO00000000000, secret-key: simulatedSecretKeyOfThePitstopDemo }
catalogue:
  - { type: S5.MEDIUM4, cpu: 2, memory: 4, price: 0.25 }
  - { type: S5.LARGE8, cpu: 4, memory: 8, price: 0.5 }
instances:
"
    .to_owned();
    for (crew, zone, size) in crews {
        for number in 0..*size {
            let (high, low) = (number / 250, number % 250);
            let third = crew.as_bytes()[0] - b'a' + 1;
            writeln!(
                text,
                "  - {{ id: ins-{crew}{number:07}, name: {crew}-{number:04}, zone: {zone}, type: S5.MEDIUM4, \
                 private-ip: 127.{third}.{high}.{low}, tags: {{ crew: {crew} }} }}"
            )
            .unwrap();
        }
    }
    text
}

fn workflow(region: &str, crew: &str) -> String {
    format!(
        "version: 1
name: crew-{crew}
target: {{ region: {region}, match: {{ tags: {{ crew: {crew} }} }} }}
changes: [resize: {{ type: S5.LARGE8 }}]
rollout: {{ at-once: 100% }}
"
    )
}

/// One of the runs side by side.
struct Side {
    crew: &'static str,
    settings: Settings,
    /// How long after the beginning it comes.
    after: Duration,
}

impl Side {
    /// Each client's pauses have chances of their own, as those of each process have.
    fn new(crew: &'static str, region: &str) -> Self {
        let seed = u64::from(crew.as_bytes()[0]);
        let retry = Retry { seed, ..Retry::default() };
        Self { crew, settings: Settings { retry, ..Settings::of_region(region) }, after: Duration::ZERO }
    }

    fn after(self, after: Duration) -> Self {
        Self { after, ..self }
    }

    async fn run(self, scene: &Scene, rig: Rig) -> Ran {
        let text = workflow(&self.settings.region, self.crew);
        let scene = scene.beside(&rig, self.settings);
        scene.clock.sleep(self.after).await;
        let chance = [self.crew.as_bytes()[0]; 10];
        // The engine's future is large.
        let ran = Box::pin(Rig { chance, ..rig }.run_in(scene, &text)).await;
        assert_eq!(ran.outcome.conclusion(), Conclusion::Well, "{}", ran.told());
        ran
    }
}

/// A run alone.
async fn alone(fleet: &Fleet, side: Side) -> Ran {
    let rig = Rig { fleet: fleet.clone(), ..Rig::default() };
    side.run(&rig.scene(), rig).await
}

/// Two runs at the same time in one process, on one account, over one store.
async fn together(fleet: &Fleet, one: Side, other: Side) -> (Ran, Ran) {
    let store: Arc<dyn Store> = Arc::new(Memory::default());
    let rig = || Rig { fleet: fleet.clone(), store: store.clone(), ..Rig::default() };
    let scene = rig().scene();
    let ran = Box::pin(futures_util::future::join(one.run(&scene, rig()), other.run(&scene, rig()))).await;
    let runs = store.runs().await.unwrap();
    assert_eq!(runs.iter().filter(|run| run.ended.is_some()).count(), 2, "{runs:?}");
    ran
}

fn log_of(ran: &Ran) -> Vec<LogEntry> {
    ran.scene.world.with_world(|world| world.log().to_vec())
}

/// From the first record to the last.
fn took(ran: &Ran) -> Duration {
    between(ran.records[0].at, ran.records.last().unwrap().at)
}

/// How many calls the cloud refused as too many.
fn throttled(log: &[LogEntry]) -> usize {
    let refused = |entry: &&LogEntry| matches!(&entry.what, Happening::Call { refused: Some(code), .. } if code == "RequestLimitExceeded");
    log.iter().filter(refused).count()
}

/// How long each instance of a crew stood stopped before its resize was accepted.
fn waits(log: &[LogEntry], crew: &str) -> Vec<(Timestamp, Duration)> {
    let mut stopped = BTreeMap::new();
    let mut waits = Vec::new();
    for entry in log {
        match &entry.what {
            Happening::Changed { id, effect: Effect::Power { to: PowerState::Stopped, .. }, .. } => {
                stopped.insert(id, entry.at);
            }
            Happening::Began { id, action, .. } if action == RESIZE && is_of(id.as_str(), crew) => {
                waits.push((entry.at, between(stopped[id], entry.at)));
            }
            _ => {}
        }
    }
    waits
}

/// The calls that name a crew's instances, by action.
fn calls_of(log: &[LogEntry], crew: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for entry in log {
        if let Happening::Call { action, ids, .. } = &entry.what
            && ids.iter().any(|id| is_of(id, crew))
        {
            *counts.entry(action.clone()).or_default() += 1;
        }
    }
    counts
}

fn is_of(id: &str, crew: &str) -> bool {
    id.starts_with(&format!("ins-{crew}"))
}

/// Every instance of the crew was resized once and runs again.
fn assert_carried_through(ran: &Ran, log: &[LogEntry], crew: &str, size: usize) {
    assert_eq!(ran.outcome.instances.len(), size);
    for (id, verdict) in &ran.outcome.instances {
        assert_eq!(verdict.as_ref(), Some(&Verdict::Done), "{id}");
        assert_eq!(
            (ran.power(id.as_str()), ran.type_of(id.as_str()).as_str()),
            (PowerState::Running, "S5.LARGE8")
        );
    }
    assert_eq!(waits(log, crew).len(), size);
}

/// How many calls may be throttled of those that two share a limit of ten a second with.
///
/// With a share of 5 a second, a run comes to 5.5 before the cloud throttles it, falls to 3.85, and is back after 4 s,
/// since 10 · (4/10)² = 1.6; in these it sends 17 calls. One is throttled then, and one more that is under way.
/// Before that, the first two bursts of each run may be of ten, throttled to the last.
fn throttled_at_most(calls: usize, runs: usize) -> usize {
    calls * 2 / 17 + runs * 20
}

/// What is left to the smaller of two runs: throttled as often as the larger, it falls from 5 to 3.5 and is back after 3.9 s.
/// That are 4.03 a second (3.5 + 1.6 / 3), less the pauses: 0.45 of 4.35 s.
const SMALLER_SHARE: f64 = 3.6;

/// Stops are sent ten in [`GROUP`] seconds until 20 resizes queue; those that are under way then are carried through, 9.6 s at
/// the longest. So long more resizes come than go, and the last one waits until all before it are sent. Before that, two bursts
/// are throttled, each of which takes its second and a pause.
fn longest_wait() -> Duration {
    let coming = 10.0 / GROUP;
    let queued = 20.0 + 9.6 * (coming - SMALLER_SHARE);
    Duration::from_secs_f64(queued / SMALLER_SHARE + 2.0 * (1.03 + 0.6))
}

/// How many seconds groups of ten are apart.
const GROUP: f64 = 1.095;

#[tokio::test(start_paused = true)]
async fn two_regions_side_by_side_take_as_long_as_each_alone() {
    let fleet = fleet(&[("a", "ap-guangzhou-3", 60), ("b", "ap-shanghai-2", 60)]);
    let sides = || (Side::new("a", SOUTH), Side::new("b", EAST));
    let (a, b) = together(&fleet, sides().0, sides().1).await;
    let log = log_of(&a);
    assert_eq!(throttled(&log), 0);
    for (ran, side) in [(&a, sides().0), (&b, sides().1)] {
        let crew = side.crew;
        assert_carried_through(ran, &log, crew, 60);
        let alone = alone(&fleet, side).await;
        let (own, of_alone) = (took(ran).as_secs_f64(), took(&alone).as_secs_f64());
        assert!((own / of_alone - 1.0).abs() < 0.03, "{crew}: {own} s, and alone {of_alone} s");
        let (mine, mut theirs) = (calls_of(&log, crew), calls_of(&alone.log, crew));
        for (action, calls) in &mine {
            // How far apart two ends are seen hangs on the time that single calls take.
            let of_alone = theirs.remove(action).unwrap_or_default();
            let exactly = ["StopInstances", "ResetInstancesType"].contains(&action.as_str());
            let most = if exactly { 0 } else { 2 + of_alone / 20 };
            assert!(calls.abs_diff(of_alone) <= most, "{crew}: {calls} {action}, and alone {of_alone}");
        }
        assert_eq!(theirs, BTreeMap::new());
    }
    // Each region's calls were sent to it, and to no other.
    for entry in &log {
        if let Happening::Call { region, ids, .. } = &entry.what {
            let crew = if region == SOUTH { "a" } else { "b" };
            assert!(ids.iter().all(|id| is_of(id, crew)), "{entry:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn regions_can_have_different_limits_in_one_process() {
    let fleet = fleet(&[("a", "ap-guangzhou-3", 40), ("b", "ap-shanghai-2", 40)]);
    let limits = Limits::default().with("ResetInstancesType", 3);
    let mut slow = Side::new("a", SOUTH);
    slow.settings.limits = limits;
    let (a, _) = together(&fleet, slow, Side::new("b", EAST)).await;
    let log = log_of(&a);
    let most = |crew| most_in_a_second(&log, crew);
    assert_eq!((most("a"), most("b"), throttled(&log)), (3, 10, 0));
}

/// The most resizes of a crew that arrived within a second.
fn most_in_a_second(log: &[LogEntry], crew: &str) -> usize {
    let resizes = log.iter().filter_map(|entry| match &entry.what {
        Happening::Call { action, ids, .. } if action == RESIZE && is_of(&ids[0], crew) => Some(entry.at),
        _ => None,
    });
    let at: Vec<Timestamp> = resizes.collect();
    let within =
        |from: &Timestamp| at.iter().filter(|to| *to >= from && between(*from, **to) < SECOND).count();
    at.iter().map(within).max().unwrap_or_default()
}

/// Two runs of so many instances each, the second so many milliseconds after the first.
async fn in_one_region(size: usize, after: u64) -> (Ran, Ran, Vec<LogEntry>) {
    let fleet = fleet(&[("a", "ap-guangzhou-3", size), ("b", "ap-guangzhou-3", size)]);
    let late = Side::new("b", SOUTH).after(Duration::from_millis(after));
    let (a, b) = together(&fleet, Side::new("a", SOUTH), late).await;
    let log = log_of(&a);
    (a, b, log)
}

#[tokio::test(start_paused = true)]
async fn two_runs_in_one_region_share_its_limits() {
    for after in [0, 500, 1700, 5000] {
        let (a, b, log) = in_one_region(200, after).await;
        for (ran, crew) in [(&a, "a"), (&b, "b")] {
            assert_carried_through(ran, &log, crew, 200);
            let longest = waits(&log, crew).into_iter().max_by_key(|(_, wait)| *wait).unwrap().1;
            assert!(longest <= longest_wait(), "{crew}: {longest:?} of {:?}, {after} ms", longest_wait());
            // The slower of the two resizes at the smaller share, stops and starts on top.
            let most = Duration::from_secs_f64(200.0 / SMALLER_SHARE) + Duration::from_secs(40);
            assert!(took(ran) <= most, "{crew}: {:?} of {most:?}, {after} ms", took(ran));
        }
        let (refused, most) = (throttled(&log), throttled_at_most(400, 2));
        assert!((1..=most).contains(&refused), "{refused} of {most}, {after} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn runs_that_share_a_limit_for_long_stop_no_more_than_they_can_resize() {
    for after in [0, 20_000] {
        let (a, b, log) = in_one_region(600, after).await;
        for (ran, crew) in [(&a, "a"), (&b, "b")] {
            assert_carried_through(ran, &log, crew, 600);
            let mut waits: Vec<_> = waits(&log, crew).into_iter().map(|(_, wait)| wait).collect();
            waits.sort_unstable();
            // Most of the time fewer queue than three quarters of the twenty at which no more are stopped; with only that rule
            // it is all of them, and the middle one waits for 5 to 6 s.
            let (middle, most) = (waits[300], Duration::from_secs_f64(15.0 / SMALLER_SHARE));
            assert!(middle <= most, "{crew}: {middle:?} of {most:?}, {after} ms");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn when_one_run_has_ended_the_other_comes_back_to_the_full_pace() {
    let fleet = fleet(&[("a", "ap-guangzhou-3", 60), ("b", "ap-guangzhou-3", 500)]);
    let (a, b) = together(&fleet, Side::new("a", SOUTH), Side::new("b", SOUTH)).await;
    let log = log_of(&a);
    assert_carried_through(&b, &log, "b", 500);
    let ended = waits(&log, "a").into_iter().map(|(at, _)| at).max().unwrap();
    assert_full_pace_from(&log, "b", ended);
}

/// Ten seconds after others have gone the pace is back; whatever is stopped then is resized after the second until its group's
/// turn, the 9.6 seconds of the longest stop, and the steps of looking.
fn assert_full_pace_from(log: &[LogEntry], crew: &str, gone: Timestamp) {
    let from = gone + Duration::from_secs(23);
    let late: Vec<_> = waits(log, crew).into_iter().filter(|(at, _)| *at >= from).collect();
    let time = between(from, late.last().unwrap().0).as_secs_f64();
    assert!(time > 10.0, "only {time} s are left to judge by");
    let pace = f64::from(u32::try_from(late.len()).unwrap()) / time;
    assert!(pace > 0.95 * 10.0 / GROUP, "{pace} a second, of {} in {time} s", late.len());
    let tail: Vec<_> = log.iter().filter(|entry| entry.at >= from).cloned().collect();
    assert_eq!(throttled(&tail), 0);
    assert!(late.iter().all(|(_, wait)| *wait < Duration::from_secs(3)), "{late:?}");
}

/// Somebody who knows no limits: so many calls of each action a second, evenly, for a while.
async fn stranger(scene: &Scene, rig: &Rig, calls: (u32, u32), lasts: Duration) {
    let ids = [InstanceId::from("ins-0strange")];
    let begin = scene.clock.now();
    let call = async |resize: bool, after: Duration| {
        scene.clock.sleep_until(begin + after).await;
        // A new client every time, so that none remembers that it was throttled.
        let retry = Retry { tries: 1, ..Retry::default() };
        let client = scene.beside(rig, Settings { retry, ..Settings::of_region(SOUTH) }).client;
        if resize {
            let change = Change::Resize { id: ids[0].clone(), to: "S5.LARGE8".into() };
            assert!(client.apply(&change, &|| Ok(())).await.is_err(), "there is no such instance");
        } else {
            let _ = client.look(&ids).await;
        }
    };
    let many = |resize: bool, rate: u32| {
        let numbers = 0..rate * u32::try_from(lasts.as_secs()).unwrap();
        futures_util::future::join_all(numbers.map(move |number| call(resize, SECOND * number / rate)))
    };
    futures_util::future::join(many(true, calls.0), many(false, calls.1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_run_makes_do_with_what_another_program_leaves_and_comes_back_afterwards() {
    let fleet = fleet(&[("a", "ap-guangzhou-3", 500)]);
    let rig = Rig { fleet: fleet.clone(), ..Rig::default() };
    let scene = rig.scene();
    let lasts = Duration::from_secs(40);
    let other = stranger(&scene, &rig, (5, 36), lasts);
    let mine = Rig { fleet, ..Rig::default() };
    let run = Side::new("a", SOUTH).run(&scene, mine);
    let (ran, ()) = Box::pin(futures_util::future::join(run, other)).await;
    let log = log_of(&ran);
    assert_carried_through(&ran, &log, "a", 500);
    let ours = |entry: &&LogEntry| matches!(&entry.what, Happening::Call { ids, .. } if ids.iter().any(|id| is_of(id, "a")));
    let ours: Vec<_> = log.iter().filter(ours).cloned().collect();
    let (refused, most) = (throttled(&ours), throttled_at_most(500, 1));
    assert!((1..=most).contains(&refused), "{refused} of {most}");
    let longest = waits(&log, "a").into_iter().map(|(_, wait)| wait).max().unwrap();
    assert!(longest <= longest_wait(), "{longest:?} of {:?}", longest_wait());
    assert_full_pace_from(&log, "a", scene.clock.now().min(log[0].at + lasts));
}

#[test]
fn two_processes_run_two_regions_at_once_over_one_journal() {
    let sealed = Sealed::new();
    let write = |name: &str, text: &str| {
        let path = sealed.home().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let crews = [("a", SOUTH, "ap-guangzhou-3"), ("b", EAST, "ap-shanghai-2")];
    let fleet = write("fleet.yaml", &fleet_text(&crews.map(|(crew, _, zone)| (crew, zone, 30))));
    let simulator = sealed.simulator(&["--speed", "20", "--fleet", &fleet]);
    let running = crews.map(|(crew, region, _)| {
        let file = write(&format!("{crew}.yaml"), &workflow(region, crew));
        let args =
            ["run", &file, "--yes", "--endpoint", &simulator.url, "--sim-speed", "20", "--output", "json"];
        sealed.command(&args).spawn().unwrap()
    });
    // Each is read to its end while the other goes on: a full pipe would hold it up.
    let ends = running.map(|child| std::thread::spawn(|| Done::from(child.wait_with_output().unwrap())));
    let done = ends.map(|end| end.join().unwrap());
    for (done, (crew, _, _)) in done.iter().zip(crews) {
        assert_eq!(done.code, 0, "{crew}: {}", done.stderr);
        assert!(!done.stderr.contains("locked"), "{}", done.stderr);
        let well = done.stdout.lines().filter(|line| line.contains(r#""verdict":"done""#)).count();
        assert_eq!(well, 30, "{crew}: {}", done.stdout);
    }

    let runs = sealed.pitstop(&["runs", "--output", "json"]);
    let runs: Vec<Value> = runs.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(runs.len(), 2, "{runs:?}");
    let time = |run: &Value, name: &str| run[name].as_str().unwrap().parse::<Timestamp>().unwrap();
    let (first, second) = (&runs[0], &runs[1]);
    assert!(time(first, "began") < time(second, "ended") && time(second, "began") < time(first, "ended"));
    for (crew, region, _) in crews {
        let run = runs.iter().find(|run| run["region"] == region).unwrap();
        assert_eq!(run["workflow"], format!("crew-{crew}"));
        let shown = sealed.pitstop(&["show", run["id"].as_str().unwrap(), "-v"]);
        assert_eq!(shown.code, 0, "{}", shown.stderr);
        assert!(shown.stdout.contains(&format!("crew-{crew} · {region}")), "{}", shown.stdout);
        let counted = |crew: &str| {
            (0..30).filter(|number| shown.stdout.contains(&format!(" {crew}-{number:04}"))).count()
        };
        let other = if crew == "a" { "b" } else { "a" };
        assert_eq!((counted(crew), counted(other)), (30, 0), "{}", shown.stdout);
    }
}
