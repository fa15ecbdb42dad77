//! The questions before a run and within it: yes, no, only some, a name to type, whether to go on after the canaries.

use std::fs;

use crate::sealed::Sealed;
use crate::terminal::{CTRL_C, QUESTION, Screen, resize};

/// A fleet of so many small instances, and a workflow that resizes them; `tags` of the last one.
pub(crate) fn fleet(sealed: &Sealed, many: usize, tags: &str, rollout: &str) -> [String; 6] {
    let instance = |n: usize| {
        let tags = if n + 1 == many { tags } else { "" };
        format!(
            "  - {{ id: ins-{n:08}, name: app-{n}, zone: ap-guangzhou-3, type: S5.MEDIUM4, \
             private-ip: 127.0.2.{}, guest: {{ listens: [22] }}, tags: {{ role: app{tags} }} }}\n",
            n + 1
        )
    };
    let demo = include_str!("../../src/sim/demo.yaml");
    let (head, _) = demo.split_once("\ninstances:").unwrap();
    let (_, timings) = demo.split_once("\ntimings:").unwrap();
    let instances: String = (0..many).map(instance).collect();
    let fleet = format!("{head}\ninstances:\n{instances}\ntimings:{timings}");
    let workflow = format!(
        "version: 1\nname: move-apps\ntarget: {{ region: ap-guangzhou, match: {{ tags: {{ role: app }} }} }}\n\
         changes: [{{ resize: {{ type: S5.LARGE8 }} }}]\nrollout: {rollout}\n"
    );
    let path = |name: &str| sealed.home().join(name).display().to_string();
    fs::write(path("fleet.yaml"), fleet).unwrap();
    fs::write(path("move-apps.yaml"), workflow).unwrap();
    ["run", &path("move-apps.yaml"), "--cloud", "sim", "--sim-fleet", &path("fleet.yaml")].map(str::to_owned)
}

fn open(sealed: &Sealed, args: &[String; 6], speed: &str) -> Screen {
    let args: Vec<_> = args.iter().map(String::as_str).chain(["--sim-speed", speed]).collect();
    Screen::open(sealed, 100, &args)
}

/// The terminal is as a shell expects it.
#[track_caller]
fn restored(screen: &Screen) {
    assert!(screen.echoes(), "what is typed is not shown any more");
    assert!(!screen.cursor_is_hidden(), "the cursor is hidden");
}

const CHOICE: &str = "Space ticks and unticks";

#[test]
fn an_unticked_instance_is_left_alone() {
    let sealed = Sealed::new();
    let mut screen = Screen::open(&sealed, 100, &resize("20"));
    screen.wait_for(QUESTION);
    screen.press("c\r");
    screen.wait_for(CHOICE);
    screen.wait_for("> [x] web-1");
    screen.press(" \r");
    screen.wait_for("Stop 1 instance and make these changes?");
    assert!(!screen.text().contains(CHOICE), "the list is gone: {}", screen.text());
    assert!(screen.text().contains("web-2 (ins-0web0002)\n"), "{}", screen.text());
    screen.press("y\r");
    assert_eq!(screen.end(), 0, "{}", screen.text());
    restored(&screen);
    assert!(screen.text().contains("1 done of 1 instance"), "{}", screen.text());
    let runs = sealed.pitstop(&["runs", "--output", "json"]).stdout;
    let id = runs.split('"').skip_while(|word| *word != "id").nth(2).unwrap();
    let shown = sealed.pitstop(&["show", id]).stdout;
    assert!(shown.contains("web-2") && !shown.contains("web-1"), "{shown}");
}

#[test]
fn a_choice_can_be_taken_back_and_nothing_ticked_is_nothing_done() {
    let sealed = Sealed::new();
    let mut screen = Screen::open(&sealed, 100, &resize("20"));
    screen.wait_for(QUESTION);
    screen.press("c\r");
    screen.wait_for("> [x] web-1");
    screen.press(" \r");
    screen.wait_for("Stop 1 instance and make these changes?");
    screen.press("c\r");
    screen.wait_for("> [ ] web-1");
    screen.press(" \r");
    screen.wait_until("both are ticked again", |rows| {
        rows.iter().filter(|row| row.starts_with(QUESTION)).count() == 2
    });
    screen.press("c\r");
    screen.wait_for("> [x] web-1");
    screen.press("a\r");
    assert_eq!(screen.end(), 4, "{}", screen.text());
    assert!(screen.text().contains("nothing was stopped"), "{}", screen.text());
    restored(&screen);
}

#[test]
fn an_answer_that_is_none_is_asked_for_again() {
    let sealed = Sealed::new();
    let mut screen = Screen::open(&sealed, 60, &resize("20"));
    screen.wait_for(QUESTION);
    screen.press("maybe\r");
    screen.wait_for("y for yes, n for no");
    screen.press("n\r");
    assert_eq!(screen.end(), 4, "{}", screen.text());
}

#[test]
fn production_is_stopped_only_by_typing_the_name() {
    let sealed = Sealed::new();
    let args = fleet(&sealed, 2, ", Env: Production", "{ at-once: 2 }");
    let mut screen = open(&sealed, &args, "50");
    screen.wait_for(QUESTION);
    screen.press("y\r");
    screen.wait_for("app-1 (ins-00000001) is tagged as production");
    screen.wait_for("Type the workflow's name, move-apps, to go on");
    screen.press("move-app\r");
    screen.wait_for("that is not move-apps");
    screen.press("move-apps\r");
    assert_eq!(screen.end(), 0, "{}", screen.text());
    assert!(screen.text().contains("2 done of 2 instances"), "{}", screen.text());
}

#[test]
fn many_are_stopped_only_by_typing_the_name_but_yes_is_yes() {
    let sealed = Sealed::new();
    let args = fleet(&sealed, 21, "", "{ at-once: 21 }");
    for (keys, says) in [("yes\r", "was not typed"), ("\r", "was not typed"), (CTRL_C, "interrupted")] {
        let mut screen = open(&sealed, &args, "50");
        screen.wait_for("Stop 21 instances");
        screen.press("y\r");
        screen.wait_for("21 instances are more than the 20 that a plain yes is enough for");
        screen.wait_for("to go on: ");
        for _ in 0..if keys == "yes\r" { 3 } else { 1 } {
            screen.press(keys);
        }
        assert_eq!(screen.end(), 4, "{}", screen.text());
        assert!(screen.text().contains(says), "{}", screen.text());
        restored(&screen);
    }
    let plain: Vec<_> = args.iter().map(String::as_str).chain(["--yes", "--sim-speed", "100"]).collect();
    assert_eq!(sealed.pitstop(&plain).code, 0);
}

#[test]
fn ctrl_c_while_choosing_is_4() {
    let sealed = Sealed::new();
    let mut screen = Screen::open(&sealed, 100, &resize("20"));
    screen.wait_for(QUESTION);
    screen.press("c\r");
    screen.wait_for("  [x] web-2");
    screen.press(CTRL_C);
    assert_eq!(screen.end(), 4, "{}", screen.text());
    assert!(screen.text().contains("nothing was stopped"), "{}", screen.text());
    restored(&screen);
}

#[test]
fn ctrl_c_at_a_param_is_4() {
    let sealed = Sealed::new();
    let mut screen =
        Screen::open(&sealed, 100, &["plan", "tests/fixtures/cli/awkward.yaml", "--cloud", "sim"]);
    screen.wait_for("Instance type to move to (type)");
    screen.press(CTRL_C);
    assert_eq!(screen.end(), 4, "{}", screen.text());
    restored(&screen);
}

#[test]
fn a_terminal_is_put_back_when_the_question_is_ended_from_outside() {
    let sealed = Sealed::new();
    let mut screen = Screen::open(&sealed, 100, &resize("20"));
    screen.wait_for(QUESTION);
    screen.wait_until("the keyboard is read key by key", |_| true);
    screen.terminate();
    assert_eq!(screen.end(), 4, "{}", screen.text());
    restored(&screen);
}

#[test]
fn a_weak_password_is_asked_for_again_and_the_plan_is_shown_once() {
    let sealed = Sealed::new();
    let args = ["run", "tests/fixtures/cli/ask-password.yaml", "--cloud", "sim", "--sim-speed", "50"];
    let mut screen = Screen::open(&sealed, 100, &args);
    for (before, password) in ["weak", "weak", "Zx9-canary-42", "Zx9-canary-42"].into_iter().enumerate() {
        screen.wait_for_hidden("New password for root", before + 1);
        screen.press(&format!("{password}\r"));
    }
    screen.wait_for("Stop 1 instance and make these changes?");
    let text = screen.text();
    assert_eq!(text.matches("Plan: ask-password").count(), 1, "{text}");
    assert!(text.contains("the new password is not accepted there: it has 4 characters"), "{text}");
    screen.press("y\r");
    assert_eq!(screen.end(), 0, "{}", screen.text());
}

const CANARY: &str = "The canary is well: ins-00000000";
const GO_ON: &str = "Go on with the other 2 instances?";

#[test]
fn after_the_canary_a_person_is_asked_and_the_board_steps_aside() {
    let rollout = "{ at-once: 2, canary: 1, pause: person }";
    for (keys, code, says) in [("y\r", 0, "3 done"), ("n\r", 6, "2 not begun"), (CTRL_C, 7, "2 not begun")] {
        let sealed = Sealed::new();
        let mut screen = open(&sealed, &fleet(&sealed, 3, "", rollout), "20");
        screen.wait_for("Stop 3 instances");
        screen.press("y\r");
        screen.wait_for(CANARY);
        screen.wait_for(GO_ON);
        let rows = screen.rows();
        assert!(!rows.iter().any(|row| row.contains(" of 3 finished")), "no board:\n{}", rows.join("\n"));
        screen.press(keys);
        assert_eq!(screen.end(), code, "{}", screen.text());
        assert!(screen.text().contains(says), "{}", screen.text());
        restored(&screen);
    }
}
