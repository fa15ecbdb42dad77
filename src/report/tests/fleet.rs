//! Many instances: boards, plans and verdicts that stay readable, at a cost that does not grow.

use super::*;
use crate::clock::Clock;
use crate::workflow::{Pause, Share};

/// A made-up fleet of so many, of which these have ended, these have failed, and these are under way.
struct Fleet {
    teller: Teller,
    second: i64,
}

impl Fleet {
    fn of(many: usize) -> Self {
        let instances = (0..many).map(|n| instance(&format!("ins-{n}"), &format!("web-{n}"))).collect();
        let mut plan = plan(instances);
        plan.rollout.at_once = Share::Number(8);
        Self { teller: Teller::new(plan), second: 0 }
    }

    fn tell(&mut self, n: usize, event: Event) {
        self.second += 1;
        self.teller.tell(self.second, Some(&format!("ins-{n}")), event);
    }

    fn stopped(&mut self, n: usize) {
        self.tell(n, seen(PowerState::Running));
        self.tell(n, intended(stop()));
        self.tell(n, accepted("req-1"));
        self.tell(n, seen(PowerState::Stopped));
        self.tell(n, achieved());
    }

    fn done(&mut self, n: usize) {
        self.stopped(n);
        self.tell(n, intended(Intent::Start));
        self.tell(n, accepted("req-2"));
        self.tell(n, seen(PowerState::Running));
        self.tell(n, achieved());
        self.tell(n, ended(Verdict::Done));
    }

    fn failed(&mut self, n: usize) {
        let failure = Failure::Refused { action: Action::Resize, error: sold_out() };
        self.stopped(n);
        self.tell(n, intended(to_large()));
        self.tell(n, Event::Refused { error: sold_out(), among: 1 });
        self.tell(n, Event::Failed { failure: failure.clone() });
        self.tell(n, ended(Verdict::Failed { failure }));
    }

    fn resizing(&mut self, n: usize) {
        self.stopped(n);
        self.tell(n, intended(to_large()));
        self.tell(n, accepted("req-3"));
    }
}

/// A thousand, in the middle of the run.
fn thousand() -> Fleet {
    let mut fleet = Fleet::of(1000);
    (0..40).for_each(|n| fleet.done(n));
    fleet.failed(40);
    fleet.failed(41);
    (42..50).for_each(|n| fleet.resizing(n));
    fleet
}

fn experience() -> Expected {
    let mut expected = Expected::default();
    let seconds = Duration::from_secs;
    for (action, early, late) in [(Action::Stop, 7, 10), (Action::Resize, 5, 8), (Action::Start, 4, 7)] {
        expected.set(action, "S5", Expectation { early: seconds(early), late: seconds(late), of: 40 });
    }
    expected
}

fn events() -> Vec<String> {
    let said = |n| format!("12:13:2{n} web-{n}: stopping");
    (0..8).map(said).collect()
}

#[test]
fn the_board_of_a_fleet_pins_failures_and_shows_those_longest_under_way() {
    let fleet = thousand();
    let story = fleet.teller.story();
    let (expected, events) = (experience(), events());
    let board = Board { story: &story, expected: &expected, events: &events };
    for (width, height) in [(80, 24), (60, 20), (160, 50)] {
        let lines = board.lines(at(fleet.second + 6), Look::plain(width), height - 1);
        insta::assert_snapshot!(format!("fleet_at_{width}"), lines.join("\n"));
    }
}

#[test]
fn no_board_is_larger_than_its_terminal() {
    let fleet = thousand();
    let few = midway();
    let events = events();
    for story in [fleet.teller.story(), few.story()] {
        for expected in [Expected::default(), experience()] {
            let board = Board { story: &story, expected: &expected, events: &events };
            for (width, height) in [(40, 3), (40, 24), (50, 5), (60, 10), (80, 23), (120, 60), (300, 8)] {
                let lines = board.lines(at(fleet.second), Look::plain(width), height);
                assert!(lines.len() <= height, "{width}x{height}: {}", lines.join("\n"));
                for line in lines {
                    assert!(layout::width(&line) <= width, "{width}: {line}");
                }
            }
        }
    }
}

#[test]
fn a_terminal_without_the_signs_gets_letters_of_the_same_width() {
    let story = midway().story();
    let lines = board_lines(&story, 107, Look { unicode: false, ..Look::plain(80) }, 10);
    let signs = |c: &char| !c.is_ascii() && !('\u{4e00}'..='\u{9fff}').contains(c);
    assert_eq!(lines.join("").chars().find(signs), None, "{lines:?}");
    let (ascii, full) = (lines.iter(), board_lines(&story, 107, Look::plain(80), 10));
    assert!(ascii.zip(full).all(|(ascii, full)| layout::width(ascii) == layout::width(&full)));
}

#[test]
fn the_board_says_what_is_expected_and_what_is_late() {
    let mut fleet = Fleet::of(1);
    fleet.resizing(0);
    let story = fleet.teller.story();
    let expected = experience();
    let board = Board { story: &story, expected: &expected, events: &[] };
    let row = |second| board.lines(at(second), Look::plain(80), 10)[0].clone();
    assert_eq!(row(10), "▸ web-0  ━━━━━━ ━━━╸── ──────  resizing 4s of ~7s                   down 8s");
    assert_eq!(row(26), "! web-0  ━━━━━━ ━━━━━╸ ──────  resizing 20s, usually 7s             down 24s");
}

#[test]
fn verdicts_of_a_fleet_begin_with_the_failures_and_sum_the_others_up() {
    let mut fleet = Fleet::of(30);
    (0..20).for_each(|n| fleet.done(n));
    fleet.failed(20);
    (21..30).for_each(|n| {
        fleet.tell(n, ended(Verdict::NotBegun { why: crate::journal::Halt::TooManyFailures }));
    });
    insta::assert_snapshot!("fleet_verdicts", verdicts(&fleet.teller.story(), Look::plain(80), true));
}

/// Twelve that are refused for one reason, one that has nothing to do, and hundreds that are alike.
fn large_plan() -> Plan {
    let mut instances: Vec<_> =
        (0..500).map(|n| instance(&format!("ins-{n:07}"), &format!("web-{n}"))).collect();
    for own in &mut instances[..12] {
        own.refusals = vec![Refusal::Spot];
    }
    instances[12].steps.clear();
    for own in &mut instances[20..] {
        own.warnings = vec![Warning::Prepaid];
        own.price = Some(PriceChange { price: Price::Once(1.5), currency: "CNY".to_owned() });
    }
    instances[499].warnings.insert(0, Warning::HardStop);
    plan(instances)
}

#[test]
fn a_plan_of_many_is_summed_up_by_kind_of_change() {
    let shown = |rows| plan_table(&large_plan(), &Expected::default(), rows, Look::plain(80));
    insta::assert_snapshot!("large_plan", shown(Rows::Brief));
    let all = shown(Rows::All);
    assert!((12..500).all(|n| all.contains(&format!("ins-{n:07}"))), "{all}");
}

#[test]
fn the_approval_tells_what_will_be_down_for_how_long() {
    let mut plan = plan((0..20).map(|n| instance(&format!("ins-{n}"), &format!("web-{n}"))).collect());
    plan.rollout.at_once = Share::Percent(25);
    let expected = experience();
    let said =
        |plan: &Plan, expected: &Expected| Asking { plan, expected }.what_will_be_down(Look::plain(80));
    insta::assert_snapshot!("what_will_be_down", said(&plan, &expected));
    plan.instances.truncate(1);
    plan.instances[0].ends = EndPower::Stopped;
    assert!(said(&plan, &expected).ends_with("It stays stopped afterwards"));
}

#[test]
fn more_than_is_usual_or_production_is_worth_a_name() {
    let mut plan = plan((0..21).map(|n| instance(&format!("ins-{n}"), &format!("web-{n}"))).collect());
    let many = Caution::Many { stopped: 21, usual: 20 };
    assert_eq!(Caution::of(&plan, None), [many]);
    assert_eq!(Caution::of(&plan, Some(21)), []);
    if let Some(found) = &mut plan.instances[3].found {
        found.tags = std::collections::BTreeMap::from([("Env".to_owned(), "PROD".to_owned())]).into();
    }
    let cautions = Caution::of(&plan, Some(30));
    assert_eq!(cautions, [Caution::Production(vec!["web-3 (ins-3)".to_owned()])]);
    assert_eq!(cautions[0].words(Language::English), "web-3 (ins-3) is tagged as production");
}

/// The time that one event and one drawing take in a fleet of this size.
fn cost_per_turn(many: usize) -> Duration {
    let clock = Clock::system();
    let mut fleet = Fleet::of(many);
    (0..40).for_each(|n| fleet.done(n));
    (40..60).for_each(|n| fleet.resizing(n));
    let told = fleet.teller.records.len();
    (60..80).for_each(|n| fleet.done(n));
    let records = fleet.teller.records;
    let mut story = Story::replay(&records[..told]).unwrap();
    let expected = experience();
    let began = clock.now();
    for record in &records[told..] {
        story.fold(record).unwrap();
        let board = Board { story: &story, expected: &expected, events: &[] };
        assert!(board.lines(at(1000), Look::plain(80), 23).len() > 10);
    }
    let turns = u32::try_from(records.len() - told).unwrap();
    crate::clock::between(began, clock.now()) / turns
}

#[test]
fn an_event_and_a_drawing_cost_the_same_in_any_fleet() {
    // A pass over all instances would make it a hundred times as much; the best of several tries is not disturbed.
    let best = |many| (0..3).map(|_| cost_per_turn(many)).min().unwrap();
    let (small, large) = (best(100), best(10_000));
    assert!(large < small * 10, "100 instances: {small:?} a turn, 10,000: {large:?}");
}

#[test]
fn the_tally_is_what_counting_would_find() {
    let records = thousand().teller.records;
    let mut story = Story::begin(&records[0]).unwrap();
    for record in &records[1..] {
        story.fold(record).unwrap();
    }
    let settled = story.rows().iter().filter(|row| story.phase(row).is_settled()).count();
    let down = |row: &&Row| row.is_down() && !story.phase(row).is_settled();
    assert_eq!(story.tally().settled(), settled);
    assert_eq!(story.tally().down(), story.rows().iter().filter(down).count());
    let resizing = |row: &&Row| story.phase(row) == Phase::Acting(Action::Resize);
    assert_eq!(
        story.tally().count(Stand::Acting(Action::Resize)),
        story.rows().iter().filter(resizing).count()
    );
}

#[test]
fn an_old_run_of_many_tells_of_trouble_and_all_of_it_when_asked() {
    let fleet = thousand();
    let told = |rows| show(&fleet.teller.records, rows, Look::plain(100), &TimeZone::UTC, true).unwrap();
    let (brief, all) = (told(Rows::Brief), told(Rows::All));
    assert!(brief.contains("web-40: failed") && brief.contains("pitstop show "), "{brief}");
    assert!(!brief.contains("web-7: "), "{brief}");
    assert!(all.contains("web-7: ") && !all.contains("only trouble"));
    let (brief, all) = (brief.lines().count(), all.lines().count());
    assert!(brief * 3 < all, "{brief} lines against {all}");
}

#[test]
fn the_plan_tells_how_many_at_a_time_and_who_goes_first() {
    let mut plan = plan((0..9).map(|n| instance(&format!("ins-{n}"), &format!("web-{n}"))).collect());
    plan.rollout.at_once = Share::Percent(30);
    let told = |plan: &Plan| plan_table(plan, &Expected::default(), Rows::All, Look::plain(120));
    let table = told(&plan);
    assert!(table.contains("  at most 2 at a time\n") && !table.contains("first web-"), "{table}");
    plan.rollout.at_once = Share::Number(9);
    plan.instances[0].canary = true;
    for (pause, words) in [
        (Pause::Person, "first web-0; the other 8 when it is well and the person who approves says so"),
        (Pause::None, "first web-0; the other 8 when it is well"),
        (Pause::For(Duration::from_mins(10)), "first web-0; the other 8 10m 00s after it was well"),
    ] {
        plan.rollout.pause = pause;
        let table = told(&plan);
        assert!(table.contains(&format!("  {words}\n")) && !table.contains("at a time"), "{table}");
    }
    plan.instances[1..7].iter_mut().for_each(|own| own.canary = true);
    plan.rollout.pause = Pause::None;
    let words = "first web-0, web-1, web-2, web-3, web-4 and 2 more; the other 2 when they are well";
    assert!(told(&plan).contains(words), "{}", told(&plan));
}

/// There is one of each for every instance, as long as the run lasts: what befalls few belongs in a box.
#[test]
fn what_is_kept_of_an_instance_is_small() {
    assert!(size_of::<Row>() <= 632, "{} bytes", size_of::<Row>());
    assert!(size_of::<InstancePlan>() <= 400, "{} bytes", size_of::<InstancePlan>());
    assert!(size_of::<Step>() <= 64, "{} bytes", size_of::<Step>());
}
