//! `pitstop show RUN --html`, `--markdown` and `--junit`, as a user asks for them.

use std::fs;

use insta::assert_snapshot;

use crate::sealed::Sealed;
use crate::terminal::Screen;

const SIM: [&str; 4] = ["--cloud", "sim", "--sim-speed", "200"];

/// What differs from run to run.
const FILTERS: [(&str, &str); 6] = [
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UUID"),
    (r"\d\d:\d\d:\d\d", "TIME"),
    (r"\d{4}-\d\d-\d\d", "DAY"),
    (r"\b\d+\.\d+s\b", "SECONDS"),
    (r"process \d+ on [\w.-]+", "PROCESS"),
    (r"\b[0-9a-f]{64}\b", "DIGEST"),
];

/// A home with one run in it, in which the first instance's resize is refused; and that run's id.
fn told() -> (Sealed, String) {
    let sealed = Sealed::new();
    let faults = ["--sim-faults", "tests/fixtures/cli/resize-refused.yaml"];
    let args = [&["run", "workflows/resize.yaml", "--yes"][..], &SIM, &faults].concat();
    assert_eq!(sealed.pitstop(&args).code, 6);
    let run = run_of(&sealed);
    (sealed, run)
}

fn run_of(sealed: &Sealed) -> String {
    let runs = sealed.pitstop(&["runs", "--output", "json"]).stdout;
    let run: serde_json::Value = serde_json::from_str(runs.lines().next().unwrap()).unwrap();
    run["id"].as_str().unwrap().to_owned()
}

#[test]
fn markdown_is_what_a_ticket_shows() {
    let (sealed, run) = told();
    let done = sealed.pitstop(&["show", &run, "--markdown"]);
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
    insta::with_settings!({ filters => FILTERS }, { assert_snapshot!("markdown", done.stdout) });
}

#[test]
fn junit_is_a_suite_with_a_case_for_each_instance() {
    let (sealed, run) = told();
    let done = sealed.pitstop(&["show", &run, "--junit"]);
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
    let first = [(r#"time(stamp)?="[^"]+""#, r#"time$1="TIME""#), (r#""\d+\.\d{3}""#, r#""NUMBER""#)];
    let filters: Vec<_> = first.into_iter().chain(FILTERS).collect();
    insta::with_settings!({ filters => filters }, { assert_snapshot!("junit", done.stdout) });
}

#[test]
fn documents_go_to_files_and_replace_older_ones() {
    let (sealed, run) = told();
    let path = |name: &str| sealed.home().join(name).display().to_string();
    let (page, junit) = (path("run.html"), path("run.xml"));
    fs::write(&page, "an older page").unwrap();
    let done = sealed.pitstop(&["show", &run[..13], "--html", &page, "--junit", &junit, "--markdown"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(done.stdout.starts_with("# resize · ap-guangzhou"), "{}", done.stdout);
    assert!(done.stderr.contains(&format!("written to {page}, ")), "{}", done.stderr);
    assert!(fs::read_to_string(&page).unwrap().starts_with("<!DOCTYPE html>"));
    assert!(fs::read_to_string(&junit).unwrap().starts_with("<?xml"));
    let names: Vec<_> =
        fs::read_dir(sealed.home()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 3, "nothing is left beside: {names:?}");
    let piped = sealed.pitstop(&["show", &run, "--html"]);
    assert!(piped.stdout == fs::read_to_string(&page).unwrap(), "the same run is the same page");
    assert!(sealed.pitstop(&["show", &run, "--html", "-"]).stdout == piped.stdout);
}

#[test]
fn what_cannot_be_written_is_said() {
    let (sealed, run) = told();
    let both = sealed.pitstop(&["show", &run, "--markdown", "--junit"]);
    assert_eq!((both.code, both.stdout.as_str()), (2, ""));
    assert!(both.stderr.contains("--markdown and --junit can't all be written to stdout"), "{}", both.stderr);
    let nowhere = sealed.home().join("none/run.html").display().to_string();
    let done = sealed.pitstop(&["show", &run, "--html", &nowhere]);
    assert_eq!(done.code, 5);
    assert!(done.stderr.contains(&nowhere) && done.stderr.contains("hint:"), "{}", done.stderr);
    // The run is missing, as its id was taken for the file.
    assert_eq!(sealed.pitstop(&["show", "--html", &run]).code, 2);
    assert_eq!(sealed.pitstop(&["show", "ffff", "--html", "-"]).code, 2);
}

#[test]
fn a_page_is_not_poured_over_a_terminal() {
    let (sealed, run) = told();
    let mut screen = Screen::open(&sealed, 100, &["show", &run, "--html"]);
    assert_eq!(screen.end(), 2);
    assert!(screen.text().contains("--html run.html"), "{}", screen.text());
    let mut screen = Screen::open(&sealed, 100, &["show", &run, "--markdown"]);
    assert_eq!(screen.end(), 0, "text is");
}

/// A name that would be markup comes all the way from the cloud.
#[test]
fn a_name_from_the_cloud_is_no_markup() {
    let sealed = Sealed::new();
    let fleet =
        include_str!("../../src/sim/demo.yaml").replace("name: web-1\n", "name: \"<script>|web-1\\\"\"\n");
    let file = sealed.home().join("fleet.yaml");
    fs::write(&file, fleet).unwrap();
    let args =
        [&["run", "workflows/resize.yaml", "--yes"][..], &SIM, &["--sim-fleet", file.to_str().unwrap()]]
            .concat();
    assert_eq!(sealed.pitstop(&args).code, 0);
    let run = run_of(&sealed);
    let page = sealed.pitstop(&["show", &run, "--html"]).stdout;
    assert!(page.contains("&lt;script&gt;|web-1&quot;") && !page.contains("<script"));
    let junit = sealed.pitstop(&["show", &run, "--junit"]).stdout;
    assert!(junit.contains("&lt;script&gt;|web-1") && !junit.contains("<script"));
    let markdown = sealed.pitstop(&["show", &run, "--markdown"]).stdout;
    assert!(markdown.contains("&lt;script&gt;\\|web-1") && !markdown.contains("<script"));
}

#[test]
fn variables_stand_in_for_the_options() {
    let (sealed, run) = told();
    let page = sealed.home().join("from-variable.html");
    let sealed = sealed.with("PITSTOP_HTML", page.to_str().unwrap()).with("PITSTOP_OUTPUT", "json");
    assert_eq!(sealed.pitstop(&["show", &run]).code, 0);
    assert!(page.exists());
}
