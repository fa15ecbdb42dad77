//! What the window is to the program: wide, narrow, changed while a run is shown, or no window at all.

use crate::approval::fleet;
use crate::sealed::Sealed;
use crate::terminal::{CTRL_C, QUESTION, Screen, resize};

/// The rows below the question and its answer.
fn below_the_question(rows: &[String]) -> Vec<&str> {
    let after = rows.iter().position(|row| row.starts_with(QUESTION)).map_or(0, |at| at + 1);
    rows[after..].iter().map(String::as_str).filter(|row| !row.is_empty()).collect()
}

/// A whole board of the two instances of `resize.yaml`, and nothing else.
fn is_one_board(rows: &[String]) -> bool {
    let shown = below_the_question(rows);
    let count = |fits: &dyn Fn(&&&str) -> bool| shown.iter().filter(fits).count();
    let marked = |row: &&&str| ["▸ ", "· ", "! ", "✓ "].iter().any(|mark| row.starts_with(mark));
    let event = |row: &&&str| row.get(2..10).is_some_and(|time| time.chars().nth(2) == Some(':'));
    let summary = |row: &&&str| row.contains(" of 2 finished");
    count(&marked) == 2
        && count(&summary) == 1
        && shown.iter().all(|row| marked(&row) || summary(&row) || event(&row))
}

#[test]
fn a_window_that_changes_its_width_holds_one_board_and_no_garbage() {
    // The screen here keeps its lines as they are, as xterm does.
    let sealed = Sealed::new().with("XTERM_VERSION", "XTerm(390)");
    // So slow that it lasts, however busy the machine is.
    let mut screen = Screen::open(&sealed, 80, &resize("0.3"));
    screen.wait_for(QUESTION);
    screen.press("y\r");
    screen.wait_until("a board", is_one_board);
    for columns in [50, 120, 61, 40, 80] {
        screen.resize(columns, 40);
        let summary = |rows: &[String]| {
            let rows = below_the_question(rows);
            rows.iter().find(|row| row.contains(" of 2 finished")).map(|row| (*row).to_owned())
        };
        let before = summary(&screen.rows());
        screen.wait_until("the board is drawn anew", |rows| is_one_board(rows) && summary(rows) != before);
        let widest = screen.rows().iter().map(|row| row.chars().count()).max().unwrap_or_default();
        assert!(widest <= usize::from(columns));
    }
    screen.press(CTRL_C);
    screen.wait_for("Ctrl-C: nothing new is begun");
    screen.press(CTRL_C);
    assert_eq!(screen.end(), 7, "{}", screen.text());
    assert!(!screen.cursor_is_hidden() && screen.echoes());
    let rows = screen.rows();
    assert!(!rows.iter().any(|row| row.contains(" of 2 finished")), "{}", rows.join("\n"));
}

#[test]
fn a_fleet_has_a_summary_that_fits_the_window() {
    let sealed = Sealed::new();
    let args = fleet(&sealed, 60, "", "{ at-once: 20 }");
    let args: Vec<_> = args.iter().map(String::as_str).chain(["--yes", "--sim-speed", "5"]).collect();
    let mut screen = Screen::of_size(&sealed, (60, 20), &args);
    screen.wait_until("some are done", |rows| {
        rows.iter().any(|row| row.contains(" of 60 finished") && !row.contains(": 0 of 60"))
    });
    let rows = screen.rows();
    assert!(rows.iter().any(|row| row.contains(" more")), "{}", rows.join("\n"));
    screen.resize(50, 14);
    screen.wait_until("one summary in the smaller window", |rows| {
        rows.iter().filter(|row| row.contains(" of 60 finished")).count() == 1
    });
    screen.resize(100, 30);
    screen.wait_until("one summary in the larger window", |rows| {
        rows.iter().filter(|row| row.contains(" of 60 finished")).count() == 1
            && rows.iter().any(|row| row.starts_with("▸ app-") && row.contains("down"))
    });
    assert_eq!(screen.end(), 0, "{}", screen.text());
    assert!(screen.text().contains("✓ 60 instances (app-0"), "{}", screen.text());
}

#[test]
fn whoever_reads_a_mail_about_a_fleet_is_not_told_every_step() {
    let sealed = Sealed::new();
    let args = fleet(&sealed, 60, "", "{ at-once: 60 }");
    let fast = ["--yes", "--sim-speed", "100"];
    let args: Vec<_> = args.iter().map(String::as_str).chain(fast).collect();
    let done = sealed.pitstop(&args);
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(done.stderr.lines().count() < 10, "{}", done.stderr);
    assert!(done.stdout.contains("✓ 60 instances (app-0"), "{}", done.stdout);
    let done = sealed.pitstop(&[&args[..], &["-v"]].concat());
    assert!(done.stderr.lines().count() > 300, "-v tells all: {}", done.stderr);
}

#[test]
fn a_pipe_that_is_closed_early_ends_neither_the_run_nor_the_board() {
    let sealed = Sealed::new();
    let line = "pitstop run workflows/resize.yaml --cloud sim --sim-speed 20 --yes | head -1";
    let mut screen = Screen::shell(&sealed, 100, line);
    screen.wait_for("Plan: resize");
    screen.wait_for(" of 2 finished");
    assert_eq!(screen.end(), 0, "{}", screen.text());
    assert!(!screen.text().contains("panicked"), "{}", screen.text());
    let runs = sealed.pitstop(&["runs"]).stdout;
    assert!(!runs.contains("unfinished"), "{runs}");
}

#[test]
fn a_console_without_the_signs_gets_a_board_of_letters() {
    let sealed = Sealed::new().with("LANG", "C");
    let args: Vec<_> = resize("20").into_iter().chain(["--yes"]).collect();
    let mut screen = Screen::open(&sealed, 80, &args);
    screen.wait_for("> web-1");
    assert_eq!(screen.end(), 0, "{}", screen.text());
    assert!(screen.text().contains("+ web-1 (ins-0web0001): done"), "{}", screen.text());
    assert!(screen.bytes.is_ascii(), "{}", screen.text());
}
