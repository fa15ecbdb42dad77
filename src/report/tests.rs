//! What is read, to the letter: boards, lines, tables and verdicts of a made-up run.

mod chinese;
mod fleet;

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::*;
use crate::cloud::{Action, Charging, InstanceId, InstanceType};
use crate::cloud::{CloudError, ErrorKind, KeyId, PowerState, Price, RequestId, Sent, StopMode};
use crate::journal::{Event, Failure, Intent, Order, Record, RunId, Verdict};
use crate::plan::{Approval, EndPower, Found, InstancePlan, Plan, PriceChange, Refusal, Step, Tags, Warning};
use crate::workflow::{OnFailure, Rollout, Stop};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_763_900_000 + second).unwrap()
}

fn run() -> RunId {
    RunId::new(at(0), [7; 10])
}

fn found(name: &str, power: PowerState) -> Found {
    Found {
        name: name.to_owned(),
        zone: "ap-guangzhou-3".to_owned(),
        power,
        instance_type: "S5.MEDIUM4".into(),
        cpu: 2,
        memory_gib: 4,
        keys: vec![],
        private_ips: vec![],
        public_ips: vec![],
        disks: vec![],
        security_groups: vec![],
        windows: false,
        os: String::new(),
        uncharged: false,
        tags: Tags::default(),
    }
}

fn resize() -> Step {
    Step::Resize {
        from: "S5.MEDIUM4".into(),
        to: "S5.LARGE8".into(),
        cpu: 4,
        memory_gib: 8,
        fallbacks: Vec::new(),
    }
}

fn instance(id: &str, name: &str) -> InstancePlan {
    InstancePlan {
        id: id.into(),
        found: Some(found(name, PowerState::Running)),
        steps: vec![resize()],
        ends: EndPower::Running,
        refusals: vec![],
        warnings: vec![],
        price: None,
        canary: false,
    }
}

fn plan(instances: Vec<InstancePlan>) -> Plan {
    Plan {
        workflow: "resize-web".to_owned(),
        digest: "d".to_owned(),
        region: "ap-guangzhou".to_owned(),
        account: None,
        stop: Stop::default(),
        password: None,
        import_key: None,
        checks: vec![],
        on_failure: OnFailure::default(),
        rollout: Rollout::default(),
        downtime_budget: None,
        instances,
        notes: vec![],
    }
}

/// A run, told event by event.
struct Teller {
    records: Vec<Record>,
}

impl Teller {
    fn new(plan: Plan) -> Self {
        let approved = plan.approve(Approval::Person).unwrap();
        let mut teller = Self { records: vec![] };
        teller.tell(0, None, Event::RunBegan { version: 1, plan: Box::new(approved), simulated: false });
        teller.tell(0, None, Event::RunTaken { by: "process 1 on ops".to_owned() });
        teller
    }

    fn tell(&mut self, second: i64, instance: Option<&str>, event: Event) -> &mut Self {
        let seq = self.records.len() as u64;
        let instance = instance.map(InstanceId::from);
        self.records.push(Record { at: at(second), run: run(), seq, instance, event });
        self
    }

    fn story(&self) -> Story {
        Story::replay(&self.records).unwrap()
    }
}

fn seen(power: PowerState) -> Event {
    Event::Seen { power, instance_type: InstanceType::from("S5.MEDIUM4") }
}

fn intended(intent: Intent) -> Event {
    Event::Intended { intent, baseline: None }
}

fn stop() -> Intent {
    Intent::Stop { mode: StopMode::Soft, charging: Charging::Keep }
}

fn to_large() -> Intent {
    Intent::Resize { to: "S5.LARGE8".into() }
}

fn accepted(request: &str) -> Event {
    Event::Accepted { request: RequestId::from(request) }
}

fn achieved() -> Event {
    Event::Achieved { took: Duration::from_millis(8340) }
}

fn sold_out() -> CloudError {
    CloudError {
        code: Some("ResourcesSoldOut".to_owned()),
        request: Some("req-refused".into()),
        ..CloudError::new(ErrorKind::Capacity, Sent::No, "none left.")
    }
}

fn ended(verdict: Verdict) -> Event {
    Event::Ended { verdict, differences: vec![] }
}

/// Three instances in the middle of a run: one done, one being resized, one waiting.
fn midway() -> Teller {
    let instances = vec![
        instance("ins-1", "web-1"),
        instance("ins-2", "网站服务器-2"),
        instance("ins-3", "a-name-that-is-rather-long-for-a-board"),
    ];
    let mut teller = Teller::new(plan(instances));
    teller.tell(1, Some("ins-1"), seen(PowerState::Running));
    teller.tell(2, Some("ins-1"), intended(stop()));
    teller.tell(3, Some("ins-1"), accepted("req-1"));
    teller.tell(11, Some("ins-1"), seen(PowerState::Stopped));
    teller.tell(11, Some("ins-1"), achieved());
    teller.tell(12, Some("ins-1"), intended(to_large()));
    teller.tell(12, Some("ins-1"), accepted("req-2"));
    teller.tell(20, Some("ins-1"), achieved());
    teller.tell(21, Some("ins-1"), intended(Intent::Start));
    teller.tell(21, Some("ins-1"), accepted("req-3"));
    teller.tell(27, Some("ins-1"), seen(PowerState::Running));
    teller.tell(27, Some("ins-1"), achieved());
    teller.tell(27, Some("ins-1"), ended(Verdict::Done));
    teller.tell(27, Some("ins-2"), seen(PowerState::Running));
    teller.tell(28, Some("ins-2"), intended(stop()));
    teller.tell(28, Some("ins-2"), accepted("req-4"));
    teller.tell(40, Some("ins-2"), seen(PowerState::Stopped));
    teller.tell(40, Some("ins-2"), achieved());
    teller.tell(41, Some("ins-2"), intended(to_large()));
    teller.tell(41, Some("ins-2"), accepted("req-5"));
    teller
}

fn board_lines(story: &Story, second: i64, look: Look, height: usize) -> Vec<String> {
    Board { story, expected: &Expected::default(), events: &[] }.lines(at(second), look, height)
}

fn board_text(story: &Story, second: i64, width: usize, height: usize) -> String {
    board_lines(story, second, Look::plain(width), height).join("\n")
}

#[test]
fn the_board_has_a_line_for_each_instance_and_a_summary() {
    let story = midway().story();
    insta::assert_snapshot!("board_at_80", board_text(&story, 107, 80, 10));
    insta::assert_snapshot!("board_at_60", board_text(&story, 107, 60, 10));
    for width in [40, 60, 80, 120] {
        for line in board_lines(&story, 107, Look::plain(width), 10) {
            assert!(layout::width(&line) <= width, "{width}: {line}");
        }
    }
}

#[test]
fn colour_adds_nothing_but_colour() {
    let story = midway().story();
    let coloured = board_lines(&story, 107, Look { colour: true, ..Look::plain(80) }, 10).join("\n");
    assert!(coloured.contains("\u{1b}["));
    assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), board_text(&story, 107, 80, 10));
}

#[test]
fn every_phase_has_its_words() {
    let words = |tell: &[Event]| {
        let mut teller = Teller::new(plan(vec![instance("ins-1", "web-1")]));
        for (second, event) in (1..).zip(tell) {
            teller.tell(second, Some("ins-1"), event.clone());
        }
        let story = teller.story();
        story.phase(&story.rows()[0]).words()
    };
    let stopped =
        [seen(PowerState::Running), intended(stop()), accepted("r1"), seen(PowerState::Stopped), achieved()];
    let after = |more: &[Event]| words(&[&stopped, more].concat());
    assert_eq!(words(&[]), "waiting its turn");
    assert_eq!(words(&stopped[..2]), "stopping");
    assert_eq!(words(&stopped[..3]), "stopping");
    assert_eq!(after(&[]), "stopped");
    let keys = Intent::LoadSshKeys { keys: vec![KeyId::from("skey-1")] };
    assert_eq!(after(&[intended(keys)]), "loading SSH key");
    assert_eq!(after(&[intended(Intent::ResetPassword { user: "root".to_owned() })]), "resetting password");
    assert_eq!(after(&[intended(to_large())]), "resizing");
    let lost = Event::Lost { error: CloudError::new(ErrorKind::Network, Sent::Maybe, "reset") };
    assert_eq!(after(&[intended(to_large()), lost]), "resizing: no answer came, looking");
    let refused = Event::Refused { error: sold_out(), among: 1 };
    assert_eq!(
        after(&[intended(to_large()), refused.clone()]),
        "resize was refused, trying again: ResourcesSoldOut: none left."
    );
    let failed = Event::Failed { failure: Failure::Refused { action: Action::Resize, error: sold_out() } };
    assert_eq!(after(&[intended(to_large()), refused, failed]), "bringing back");
    assert_eq!(after(&[intended(Intent::Start)]), "starting");
    let back = [intended(Intent::Start), accepted("r2"), seen(PowerState::Running), achieved()];
    assert_eq!(after(&[&back[..], &[Event::Suspended]].concat()), "brought back, not finished");
    assert_eq!(after(&[&back[..], &[ended(Verdict::Done)]].concat()), "done");
}

#[test]
fn time_down_ends_when_it_runs_again() {
    let story = midway().story();
    assert_eq!(story.rows()[0].down(at(1000)), Duration::from_secs(25));
    assert_eq!(story.rows()[1].down(at(100)), Duration::from_secs(72));
    assert_eq!(story.rows()[2].down(at(100)), Duration::ZERO);
}

fn told(records: &[Record]) -> Vec<String> {
    let mut story = Story::begin(&records[0]).unwrap();
    let mut lines = Vec::new();
    for record in &records[1..] {
        lines.extend(line(&story, record, &TimeZone::UTC));
        story.fold(record).unwrap();
    }
    lines
}

#[test]
fn lines_say_what_is_news() {
    let mut teller = midway();
    teller.tell(60, None, Event::Ordered { order: Order::BringBack });
    insta::assert_snapshot!("lines", told(&teller.records).join("\n"));
}

/// A stranded instance beside one that failed and one that was not begun.
fn gone_wrong() -> Teller {
    let instances = vec![instance("ins-1", "web-1"), instance("ins-2", "web-2"), instance("ins-3", "web-3")];
    let mut teller = Teller::new(plan(instances));
    let failure = Failure::Refused { action: Action::Resize, error: sold_out() };
    for id in ["ins-1", "ins-2"] {
        teller.tell(1, Some(id), seen(PowerState::Running));
        teller.tell(2, Some(id), intended(stop()));
        teller.tell(3, Some(id), accepted("req-1"));
        teller.tell(10, Some(id), seen(PowerState::Stopped));
        teller.tell(10, Some(id), achieved());
        teller.tell(11, Some(id), intended(to_large()));
        teller.tell(12, Some(id), Event::Refused { error: sold_out(), among: 1 });
        teller.tell(12, Some(id), Event::Failed { failure: failure.clone() });
    }
    let power = PowerState::Stopped;
    teller.tell(70, Some("ins-1"), ended(Verdict::Stranded { failure: failure.clone(), power }));
    teller.tell(13, Some("ins-2"), intended(Intent::Start));
    teller.tell(13, Some("ins-2"), accepted("req-2"));
    teller.tell(20, Some("ins-2"), seen(PowerState::Running));
    teller.tell(20, Some("ins-2"), achieved());
    let differences = vec!["its public address was 198.51.100.7 and is 198.51.100.9".to_owned()];
    teller.tell(20, Some("ins-2"), Event::Ended { verdict: Verdict::Failed { failure }, differences });
    teller
}

#[test]
fn verdicts_name_the_command_that_helps() {
    let story = gone_wrong().story();
    insta::assert_snapshot!("verdicts", verdicts(&story, Look::plain(80), true));
}

#[test]
fn show_tells_an_old_run_from_its_records_alone() {
    let records = gone_wrong().records;
    insta::assert_snapshot!(
        "show",
        show(&records, Rows::Brief, Look::plain(80), &TimeZone::UTC, true).unwrap()
    );
}

#[test]
fn damaged_records_are_errors_not_panics() {
    let good = midway().records;
    assert_eq!(Story::replay(&[]).unwrap_err(), StoryError::Empty);
    assert_eq!(Story::replay(&good[1..]).unwrap_err(), StoryError::NotABeginning("run-taken"));
    let stranger = Record { instance: Some("ins-9".into()), ..good[2].clone() };
    let replayed = Story::replay([&good[0], &stranger]);
    assert_eq!(replayed.unwrap_err(), StoryError::Stranger { seq: 2, instance: "ins-9".into() });
    let too_early = Story::replay([&good[0], &good[4]]);
    assert!(matches!(too_early.unwrap_err(), StoryError::Illegal { seq: 4, .. }));
    let other = Record { run: RunId::new(at(9), [1; 10]), ..good[1].clone() };
    assert_eq!(Story::replay([&good[0], &other]).unwrap_err(), StoryError::OtherRun { seq: 1 });
}

/// A plan with everything in it.
fn rich_plan() -> Plan {
    let mut first = instance("ins-0web0001", "web-1");
    first.steps.insert(0, Step::LoadSshKeys { keys: vec!["skey-ops".into()], imported: false });
    first.steps.insert(1, Step::ResetPassword { user: "root".to_owned() });
    first.price = Some(PriceChange { price: Price::PerHour(0.5), currency: "CNY".to_owned() });
    first.warnings = vec![Warning::KeysDropped(vec!["skey-old".into()]), Warning::HardStop];
    let mut second = instance("ins-0web0002", "网站服务器-2");
    second.price = Some(PriceChange { price: Price::Once(-12.0), currency: "CNY".to_owned() });
    second.warnings = vec![Warning::HardStop];
    let mut third = instance("ins-0web0003", "web-3");
    third.refusals = vec![Refusal::Spot, Refusal::LocalDisk("LOCAL_SSD".to_owned())];
    let mut fourth = instance("ins-0web0004", "");
    fourth.steps = vec![];
    let mut fifth = instance("ins-0web0005", "evil\u{1b}[2Jname");
    fifth.found = Some(found("evil\u{1b}[2Jname", PowerState::Stopped));
    fifth.steps = vec![];
    let mut plan = plan(vec![first, second, third, fourth, fifth]);
    plan.stop.mode = StopMode::Hard;
    plan.notes = vec!["release timers were not checked: the site does not offer that".to_owned()];
    plan
}

#[test]
fn a_plan_fits_narrow_and_wide_terminals() {
    for width in [60, 80, 120] {
        let text = plan_table(&rich_plan(), &Expected::default(), Rows::Brief, Look::plain(width));
        for line in text.lines() {
            assert!(layout::width(line) <= width, "{width}: {line}");
        }
        assert!(!text.contains('\u{1b}'), "a name steers the terminal");
        insta::assert_snapshot!(format!("plan_at_{width}"), text);
    }
}

#[test]
fn a_plan_in_colour_says_the_same() {
    let shown = |look| plan_table(&rich_plan(), &Expected::default(), Rows::Brief, look);
    let coloured = shown(Look { colour: true, ..Look::plain(80) });
    assert!(coloured.contains("\u{1b}["));
    assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), shown(Look::plain(80)));
}

#[test]
fn the_summary_counts_everything_once() {
    assert_eq!(
        summary(&rich_plan()),
        "2 instances will be stopped, 1 handled without a stop, 1 unchanged, 1 refused"
    );
    let json: serde_json::Value = serde_json::from_str(&json::plan(&rich_plan())).unwrap();
    assert_eq!(
        (&json["changes"], &json["refused"], &json["version"]),
        (&false.into(), &true.into(), &1.into())
    );
}
