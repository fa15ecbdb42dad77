//! The real process, killed and interrupted everywhere, over real sockets: what a run did is judged by the log of a
//! simulator in another process, which no crash of the runner can touch.
//!
//! Every case has a simulator, a home folder and a journal of its own, so that cases run side by side.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read as _};
use std::num::NonZero;
use std::process::Child;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::sealed::{Done, Sealed, Simulator, signal};

/// How much faster than real time.
const SPEED: &str = "50";
/// The same where connections break: a call without an answer is looked for during a minute, and at fifty times the speed
/// a machine with too much to do can keep it on its way for longer than that.
const CUT_SPEED: &str = "20";
/// Two instances that run and one that is found stopped; all three changes on each.
const WORKFLOW: &str = "
version: 1
name: everything
target: { region: ap-guangzhou, instances: [ins-0web0001, ins-0web0002, ins-0web0003] }
changes:
  - resize: { type: S5.2XLARGE16 }
  - reset-password: { user: root, password: { env: NEW_PASSWORD } }
  - load-ssh-key: { name: ops, keep-existing: true }
start: as-found
check: [tcp: { port: 22, timeout: 2m }]
rollout: { at-once: 2, max-failures: 0 }
";
const FOUND: [(&str, &str); 3] =
    [("ins-0web0001", "RUNNING"), ("ins-0web0002", "RUNNING"), ("ins-0web0003", "STOPPED")];
/// What breaks connections, before or after the call, or answers in the cloud's place. Each change is kept from the
/// cloud once at most: together with a kill that is twice in a row, and after the third time an instance is given up.
fn cuts() -> String {
    const LOST: [(&str, &str); 5] = [
        ("StopInstances", "lose-request"),
        ("AssociateInstancesKeyPairs", "bad-gateway"),
        ("ResetInstancesPassword", "lose-request"),
        ("ResetInstancesType", "bad-gateway"),
        ("StartInstances", "lose-request"),
    ];
    let mut faults: Vec<_> = ["lose-request", "lose-reply", "bad-gateway"]
        .map(|what| format!("{{ action: DescribeInstances, chance: 0.1, do: {what} }}"))
        .into();
    for (action, lost) in LOST {
        faults.push(format!("{{ action: {action}, chance: 0.4, do: lose-reply }}"));
        faults.push(format!("{{ action: {action}, chance: 0.4, times: 1, do: {lost} }}"));
    }
    format!("[{}]", faults.join(", "))
}

/// When something is done to the runner.
#[derive(Clone, Copy, Debug)]
enum Point {
    /// As soon as it has told the plan and so many records.
    Records(usize),
    /// This long after its first record.
    After(Duration),
}

/// What is done to the runner.
#[derive(Clone, Copy, Debug)]
enum Blow {
    /// SIGKILL.
    Kill(Point),
    /// SIGKILL, and SIGKILL again when the run was resumed.
    KillTwice(Point, Point),
    /// A signal that it can hear.
    Signal(&'static str, Point),
    /// SIGINT, and soon after it the second.
    InterruptTwice(Point),
}

#[derive(Clone, Copy, Debug)]
struct Case {
    number: usize,
    blow: Option<Blow>,
    /// Connections break.
    cut: bool,
}

/// A simulator and a home for one case.
struct Scene {
    sealed: Sealed,
    simulator: Simulator,
    speed: &'static str,
}

/// What a case came to.
struct Came {
    /// How many records were told before the blow, or until the end.
    records: usize,
    /// How often the runner was ended from outside.
    blows: usize,
    /// What is not as promised.
    problems: Vec<String>,
}

impl Scene {
    fn new(case: &Case) -> Self {
        let sealed = Sealed::new().with("NEW_PASSWORD", "Correct-Horse-7").with("RUST_BACKTRACE", "1");
        let at = |name: &str| sealed.home().join(name);
        std::fs::write(at("workflow.yaml"), WORKFLOW).unwrap();
        std::fs::write(at("fleet.yaml"), fleet(case.number)).unwrap();
        std::fs::write(at("faults.yaml"), if case.cut { cuts() } else { "[]".to_owned() }).unwrap();
        let (fleet, faults, number) = (at("fleet.yaml"), at("faults.yaml"), case.number.to_string());
        let (fleet, faults) = (fleet.to_str().unwrap(), faults.to_str().unwrap());
        let times = if case.cut { CUT_SPEED } else { SPEED };
        let args = ["--speed", times, "--keep-log", "--fleet", fleet, "--faults", faults, "--seed", &number];
        let simulator = sealed.simulator(&args);
        Self { sealed, simulator, speed: times }
    }

    fn run(&self) -> Child {
        let workflow = self.sealed.home().join("workflow.yaml");
        let args = ["run", workflow.to_str().unwrap(), "--yes", "--endpoint", &self.simulator.url];
        self.sealed
            .command(&[&args[..], &["--sim-speed", self.speed, "--output", "json"]].concat())
            .spawn()
            .unwrap()
    }

    /// Takes the run up again. Begins it if it was ended before it was written down, or before anything was touched:
    /// then there is nothing to take up.
    fn carry_on(&self) -> Child {
        if !self.sealed.pitstop(&["runs"]).stdout.contains("unfinished") {
            return self.run();
        }
        self.sealed.command(&["resume", "--sim-speed", self.speed, "--output", "json"]).spawn().unwrap()
    }

    /// The simulator's log.
    fn log(&self) -> Vec<Value> {
        let url = format!("{}/log", self.simulator.url);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let text = runtime.block_on(async {
            let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
            client.get(url).send().await.unwrap().text().await.unwrap()
        });
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// The demo fleet without what the workflow does not need, with guests at addresses of their own.
fn fleet(number: usize) -> String {
    let mut fleet: serde_yaml::Value = serde_yaml::from_str(include_str!("../../src/sim/demo.yaml")).unwrap();
    let mut instances = fleet["instances"].as_sequence().unwrap().clone();
    instances.retain(|instance| FOUND.iter().any(|(id, _)| instance["id"] == *id));
    for (index, instance) in instances.iter_mut().enumerate() {
        instance["private-ip"] = format!("127.{}.{}.{}", 80 + number / 250, number % 250, 1 + index).into();
    }
    fleet["instances"] = instances.into();
    for others in ["scaling-groups", "load-balancers", "repairs", "release-timers"] {
        fleet[others] = Vec::<serde_yaml::Value>::new().into();
    }
    serde_yaml::to_string(&fleet).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "the processes run in real time")]
fn pause(duration: Duration) {
    std::thread::sleep(duration);
}

/// Reads the plan and so many records; fewer if the output ends. Returns how many there were.
fn read_records(from: &mut impl BufRead, wanted: usize) -> usize {
    let mut line = String::new();
    for told in 0..=wanted {
        line.clear();
        if from.read_line(&mut line).unwrap() == 0 {
            return told.saturating_sub(1);
        }
    }
    wanted
}

/// Lets the runner come to a point, sends the signals, and waits for its end.
fn strike(mut child: Child, point: Point, signals: &[&str]) -> (Done, usize) {
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let told = match point {
        Point::Records(wanted) => read_records(&mut stdout, wanted),
        Point::After(after) => {
            let told = read_records(&mut stdout, 1);
            pause(after);
            told
        }
    };
    for (index, name) in signals.iter().enumerate() {
        if index > 0 {
            pause(Duration::from_millis(20));
        }
        signal(&child, name);
    }
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    let code = child.wait().unwrap().code().unwrap_or(KILLED);
    (Done { code, stdout: rest.clone(), stderr }, told + rest.lines().count())
}

/// What stands for the exit code of a process that was killed.
const KILLED: i32 = -1;
const FOREVER: Point = Point::Records(usize::MAX);

impl Case {
    fn carry_out(&self) -> Came {
        let scene = Scene::new(self);
        let mut came = Came { records: 0, blows: 0, problems: Vec::new() };
        let (mut done, told) = match self.blow {
            None => strike(scene.run(), FOREVER, &[]),
            Some(Blow::Kill(point)) => strike(scene.run(), point, &["KILL"]),
            Some(Blow::KillTwice(first, second)) => {
                let (first, _) = strike(scene.run(), first, &["KILL"]);
                came.blows += usize::from(first.code == KILLED);
                strike(scene.carry_on(), second, &["KILL"])
            }
            Some(Blow::Signal(name, point)) => strike(scene.run(), point, &[name]),
            Some(Blow::InterruptTwice(point)) => strike(scene.run(), point, &["INT", "INT"]),
        };
        came.records = told;
        came.blows += usize::from(matches!(done.code, KILLED | 7));
        if !self.expected().contains(&done.code) {
            came.problems.push(format!("exit code {}: {}", done.code, done.stderr));
        }
        if matches!(self.blow, Some(Blow::Signal(..))) {
            came.problems.extend(powers(&scene.log()));
        }
        // Exit 5 says that the run could not begin and nothing was sent: with connections that break, that may be.
        let mut patience = if self.cut { 8 } else { 1 };
        while done.code != 0 && patience > 0 {
            done = strike(scene.carry_on(), FOREVER, &[]).0;
            patience -= if done.code == 5 { 1 } else { patience };
        }
        if done.code != 0 {
            let whole = scene.sealed.pitstop(&["runs"]).stdout;
            let run =
                whole.lines().nth(1).and_then(|line| line.split_whitespace().next()).unwrap_or_default();
            let story = scene.sealed.pitstop(&["show", run, "--output", "json"]).stdout;
            came.problems.push(format!("exit code {}: {}\n{story}", done.code, done.stderr));
        }
        let log = scene.log();
        came.problems.extend(powers(&log));
        let most_stops =
            if matches!(self.blow, Some(Blow::Signal(..) | Blow::InterruptTwice(_))) { 2 } else { 1 };
        for (id, found) in FOUND {
            came.problems.extend(judge(&log, id, found, most_stops));
        }
        came
    }

    /// The exit codes that the blow may end in.
    fn expected(&self) -> &'static [i32] {
        match (self.blow, self.cut) {
            (None, false) => &[0],
            (None, true) => &[0, 5],
            (Some(Blow::Kill(_) | Blow::KillTwice(..)), false) => &[KILLED],
            (Some(Blow::Kill(_) | Blow::KillTwice(..)), true) => &[KILLED, 0, 5],
            // Nothing may have been left to do.
            (Some(Blow::Signal(..) | Blow::InterruptTwice(_)), _) => &[7, 0],
        }
    }
}

/// What happened to an instance by our calls, in order.
fn happenings<'a>(log: &'a [Value], id: &'a str) -> impl Iterator<Item = &'a Value> {
    log.iter().map(|entry| &entry["what"]).filter(move |what| what["id"] == id)
}

/// Who does not have the power that it was found with.
fn powers(log: &[Value]) -> Vec<String> {
    let mut powers: BTreeMap<_, _> = FOUND.into_iter().collect();
    for (id, power) in &mut powers {
        for what in happenings(log, id) {
            if let Some(to) = what["effect"]["power"]["to"].as_str() {
                *power = to;
            }
        }
    }
    let wrong = FOUND.into_iter().filter(|(id, found)| powers[id] != *found);
    wrong.map(|(id, found)| format!("{id} was {found} and is {}", powers[id])).collect()
}

/// What the promises say of one instance, held against what really happened to it.
fn judge(log: &[Value], id: &str, found: &str, most_stops: usize) -> Vec<String> {
    let (mut power, mut operating, mut problems) = (found.to_owned(), None, Vec::new());
    let (mut stops, mut booted, mut changes) = (0, 0, Vec::new());
    for what in happenings(log, id) {
        let effect = &what["effect"];
        if what["by"] != "caller" {
            problems.push(format!("{id}: somebody else did {what}"));
        }
        if what["kind"] == "began" {
            if let Some(other) = operating.replace(what["action"].to_string()) {
                problems.push(format!("{id}: {} began during {other}", what["action"]));
            }
        } else if effect["ended"].is_object() {
            operating = None;
        } else if let Some(to) = effect["power"]["to"].as_str() {
            stops += usize::from(to == "STOPPING");
            booted += usize::from(to == "STARTING" && operating.as_deref() == Some("\"ResetInstancesType\""));
            to.clone_into(&mut power);
        } else {
            let kind = effect.as_object().and_then(|effect| effect.keys().next()).cloned();
            changes.push(kind.unwrap_or_default());
            if power != "STOPPED" {
                problems.push(format!("{id}: changed while {power}: {effect}"));
            }
        }
    }
    if changes != ["keys", "password", "resized"] {
        problems.push(format!("{id}: changed {changes:?}"));
    }
    // A resize may power an instance on that was found stopped; only then is it stopped at all.
    let allowed = if found == "STOPPED" { booted..=booted } else { 1..=most_stops };
    if !allowed.contains(&stops) {
        problems.push(format!("{id}: stopped {stops} times, not {allowed:?}"));
    }
    problems
}

/// Carries the cases out side by side, and tells of all problems at once.
fn carry_out(cases: &[Case]) -> Vec<Came> {
    let next = AtomicUsize::new(0);
    let came = Mutex::new(Vec::new());
    // They wait more than they compute.
    let side_by_side = 3 * std::thread::available_parallelism().map_or(2, NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..side_by_side.min(cases.len()) {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let done = case.carry_out();
                    came.lock().unwrap().push((*case, done));
                }
            });
        }
    });
    let came = came.into_inner().unwrap();
    let told = |(case, came): &(Case, Came)| {
        let problems = came.problems.join("\n  ");
        (!problems.is_empty()).then(|| format!("{case:?}:\n  {problems}"))
    };
    let problems: Vec<_> = came.iter().filter_map(told).collect();
    assert!(problems.is_empty(), "{} of {} cases:\n{}", problems.len(), cases.len(), problems.join("\n"));
    came.into_iter().map(|(_, came)| came).collect()
}

fn cases(first: usize, cut: bool, blows: Vec<Option<Blow>>) -> Vec<Case> {
    let numbered = blows.into_iter().enumerate();
    numbered.map(|(index, blow)| Case { number: first + index, blow, cut }).collect()
}

/// The fewest records that a run of [`WORKFLOW`] makes: its intents, what came of them, and the verdicts.
const FEWEST: usize = 45;

#[test]
fn a_run_that_is_killed_anywhere_is_taken_up_and_nothing_is_done_twice() {
    let undisturbed = carry_out(&cases(0, false, vec![None]));
    assert!(undisturbed[0].records >= FEWEST, "{} records", undisturbed[0].records);
    let by_record = (0..FEWEST).map(|told| Blow::Kill(Point::Records(told)));
    let by_time = (0..10_u64).map(|tenth| Blow::Kill(Point::After(Duration::from_millis(7 + 70 * tenth))));
    let twice = (0..6).map(|n| Blow::KillTwice(Point::Records(4 + 5 * n), Point::Records(2 + n)));
    let all = cases(1, false, by_record.chain(by_time).chain(twice).map(Some).collect());
    let blows: usize = carry_out(&all).iter().map(|came| came.blows).sum();
    assert!(blows >= 50, "killed {blows} times only");
}

#[test]
fn a_run_that_is_asked_to_end_anywhere_brings_back_and_is_taken_up() {
    let points = [1, 6, 12, 18, 26, 38].map(Point::Records);
    let signals = ["TERM", "INT", "HUP"].into_iter().flat_map(|name| points.map(|at| Blow::Signal(name, at)));
    let twice = points.map(Blow::InterruptTwice);
    let all = cases(100, false, signals.chain(twice).map(Some).collect());
    let blows: usize = carry_out(&all).iter().map(|came| came.blows).sum();
    assert!(blows >= all.len() / 2, "interrupted {blows} times only");
}

#[test]
fn connections_that_break_lose_nothing_and_repeat_nothing() {
    let killed = [8, 16, 20, 24, 30, 36].map(|told| Some(Blow::Kill(Point::Records(told))));
    let all = cases(200, true, [vec![None; 6], killed.to_vec()].concat());
    carry_out(&all);
}
