//! The command line as a script meets it: exit code, stdout and stderr in one snapshot.

use std::io::{BufReader, Read};
use std::path::Path;
use std::process::Stdio;

use insta::assert_snapshot;

use crate::sealed::{Sealed, finish, read_until, signal};

const RESIZE: &str = "workflows/resize.yaml";
const SIM: [&str; 4] = ["--cloud", "sim", "--sim-speed", "200"];

fn with_sim<'a>(args: &[&'a str]) -> Vec<&'a str> {
    args.iter().chain(&SIM).copied().collect()
}

#[test]
fn help_tells_what_there_is() {
    let sealed = Sealed::new();
    assert_snapshot!(sealed.pitstop(&["--help"]).transcript());
    assert_snapshot!(sealed.pitstop(&["run", "--help"]).transcript());
}

#[test]
fn help_names_every_exit_code() {
    let help = Sealed::new().pitstop(&["--help"]).stdout;
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for exit in pitstop::cli::Exit::ALL {
        assert!(help.contains(&format!(" {} {}", exit.code(), exit.meaning())), "{exit:?}");
    }
    let codes: Vec<_> = pitstop::cli::Exit::ALL.iter().map(|exit| exit.code()).collect();
    assert_eq!(codes, (0..=8).collect::<Vec<u8>>());
}

#[test]
fn commands_that_are_not_built_are_not_offered() {
    let sealed = Sealed::new();
    let help = sealed.pitstop(&["--help"]).stdout;
    for absent in ["undo", "edit"] {
        assert!(!help.contains(&format!("  {absent}")), "{absent}");
        assert_eq!(sealed.pitstop(&[absent]).code, 2, "{absent}");
    }
}

#[test]
fn a_wrong_command_line_is_2() {
    let sealed = Sealed::new();
    assert_snapshot!(sealed.pitstop(&["run", RESIZE, "--yess"]).transcript());
    assert_eq!(sealed.pitstop(&[]).code, 2);
    assert_eq!(sealed.pitstop(&["run", RESIZE, "--set", "novalue"]).code, 2);
    assert_eq!(sealed.pitstop(&["plan", RESIZE, "--endpoint", "http://198.51.100.1"]).code, 2);
    assert_eq!(sealed.pitstop(&with_sim(&["plan", RESIZE, "--endpoint", "http://127.0.0.1:1"])).code, 2);
    assert_eq!(sealed.pitstop(&["runs", "--state", "postgres://ops:hunter2@db/x"]).code, 2);
    assert!(!sealed.pitstop(&["runs", "--state", "postgres://ops:hunter2@db/x"]).stderr.contains("hunter2"));
}

#[test]
fn check_says_what_is_wrong_and_where() {
    let sealed = Sealed::new();
    let files =
        ["check", RESIZE, "tests/fixtures/cli/broken.yaml", "tests/fixtures/cli/awkward.yaml", "none.yaml"];
    assert_snapshot!(sealed.pitstop(&files).transcript());
    assert_eq!(sealed.pitstop(&["check", RESIZE]).code, 0);
    let json = sealed.pitstop(&["check", "--output", "json", RESIZE, "tests/fixtures/cli/broken.yaml"]);
    let lines: Vec<serde_json::Value> =
        json.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["valid"], true);
    assert_eq!(lines[1]["valid"], false);
    assert_eq!(lines[1]["complaints"][0]["line"], 7);
    assert_eq!(json.code, 3);
}

#[test]
fn a_plan_that_would_do_something_is_0() {
    let sealed = Sealed::new();
    assert_snapshot!(sealed.pitstop(&with_sim(&["plan", RESIZE])).transcript());
    let json = sealed.pitstop(&with_sim(&["plan", RESIZE, "--output", "json"]));
    let plan: serde_json::Value = serde_json::from_str(json.stdout.trim()).unwrap();
    assert_eq!((json.code, &plan["changes"], &plan["refused"]), (0, &true.into(), &false.into()));
}

#[test]
fn a_plan_that_would_do_nothing_is_0_and_so_is_its_run() {
    let sealed = Sealed::new();
    let same = ["--set", "type=S5.MEDIUM4"];
    let plan = sealed.pitstop(&with_sim(&["plan", RESIZE, "--output", "json", same[0], same[1]]));
    let json: serde_json::Value = serde_json::from_str(plan.stdout.trim()).unwrap();
    assert_eq!((plan.code, &json["changes"]), (0, &false.into()));
    assert_snapshot!(sealed.pitstop(&with_sim(&["run", RESIZE, same[0], same[1]])).transcript());
    assert_eq!(sealed.pitstop(&["runs"]).stdout, "", "nothing was begun");
}

#[test]
fn a_refused_plan_is_4_and_tells_all_reasons() {
    let sealed = Sealed::new().with("COLUMNS", "80");
    let args = ["plan", "tests/fixtures/cli/awkward.yaml", "--set", "type=S5.LARGE8"];
    assert_snapshot!(sealed.pitstop(&with_sim(&args)).transcript());
}

#[test]
fn a_refused_run_stops_nothing_unless_the_refused_are_left_out() {
    let sealed = Sealed::new();
    let args = ["run", "tests/fixtures/cli/awkward.yaml", "--set", "type=S5.LARGE8", "--yes"];
    let refused = sealed.pitstop(&with_sim(&args));
    assert_eq!(refused.code, 4, "{}", refused.stderr);
    assert!(refused.stderr.contains("--skip-refused"), "{}", refused.stderr);
    assert_eq!(sealed.pitstop(&["runs"]).stdout, "");
    let skipped: Vec<_> = args.iter().copied().chain(["--skip-refused"]).collect();
    let skipped = sealed.pitstop(&with_sim(&skipped));
    assert_eq!(skipped.code, 0, "{}", skipped.stderr);
    assert!(skipped.stdout.contains("✓ web-1"), "{}", skipped.stdout);
}

#[test]
fn without_a_terminal_nobody_is_asked() {
    let sealed = Sealed::new();
    assert_snapshot!("approval", sealed.pitstop(&with_sim(&["run", RESIZE])).transcript());
    let param = sealed.pitstop(&with_sim(&["run", "tests/fixtures/cli/awkward.yaml", "--yes"]));
    assert_snapshot!("param", param.transcript());
    let password = sealed.pitstop(&with_sim(&["run", "tests/fixtures/cli/ask-password.yaml", "--yes"]));
    assert_eq!(password.code, 5);
    assert!(password.stderr.contains("password: { env: NEW_PASSWORD }"), "{}", password.stderr);
    assert_eq!(sealed.pitstop(&["runs"]).stdout, "");
}

#[test]
fn a_run_that_goes_well_is_0_and_can_be_looked_at_later() {
    let sealed = Sealed::new();
    assert_snapshot!("run", sealed.pitstop(&with_sim(&["run", RESIZE, "--yes"])).transcript());
    let runs = sealed.pitstop(&["runs"]);
    assert_snapshot!("runs", runs.transcript());
    let run = runs.stdout.lines().nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    let show = sealed.pitstop(&["show", &run[..13]]);
    assert_snapshot!("show", show.transcript());
    assert_eq!(sealed.pitstop(&["show", "ffff"]).code, 2);
    let resume = sealed.pitstop(&["resume"]);
    assert_eq!(resume.code, 5, "{}", resume.stderr);
}

#[test]
fn variables_stand_in_for_options() {
    let sealed = Sealed::new()
        .with("PITSTOP_CLOUD", "sim")
        .with("PITSTOP_SIM_SPEED", "200")
        .with("PITSTOP_YES", "1")
        .with("PITSTOP_SET", "type=S5.LARGE16")
        .with("PITSTOP_OUTPUT", "json");
    let done = sealed.pitstop(&["run", RESIZE]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(done.stdout.contains("S5.LARGE16"));
    let no = Sealed::new().with("PITSTOP_YES", "false").with("PITSTOP_CLOUD", "sim");
    assert_eq!(no.pitstop(&["run", RESIZE]).code, 4);
}

#[test]
fn json_is_one_record_a_line_and_nothing_else() {
    let sealed = Sealed::new();
    let done = sealed.pitstop(&with_sim(&["run", RESIZE, "--yes", "--output", "json"]));
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
    let mut lines = done.stdout.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    assert_eq!(lines.next().unwrap()["changes"], true, "the plan comes first");
    let records: Vec<_> = lines.collect();
    for (seq, record) in records.iter().enumerate() {
        assert_eq!(record["seq"], seq, "{record}");
        assert!(record["at"].is_string() && record["run"].is_string() && record["event"].is_string());
    }
    assert_eq!(records.first().unwrap()["event"], "run-began");
    assert_eq!(records.last().unwrap()["event"], "run-ended");
    let run = records[0]["run"].as_str().unwrap();
    let shown = sealed.pitstop(&["show", run, "--output", "json"]);
    let live: Vec<_> = done.stdout.lines().skip(1).collect();
    assert_eq!(shown.stdout.lines().collect::<Vec<_>>(), live, "`show` is what was told live");
}

#[test]
fn a_run_with_a_failure_is_6() {
    let sealed = Sealed::new();
    let args = ["run", RESIZE, "--yes", "--sim-faults", "tests/fixtures/cli/resize-refused.yaml"];
    assert_snapshot!(sealed.pitstop(&with_sim(&args)).transcript());
}

#[test]
fn an_instance_that_cannot_be_brought_back_is_8_with_the_command_that_helps() {
    let sealed = Sealed::new();
    let args = ["run", "workflows/all-in-one-stop.yaml", "--yes"];
    let faults = ["--sim-faults", "tests/fixtures/cli/start-refused.yaml"];
    let sealed = sealed.with("NEW_PASSWORD", "Abcdef-12345");
    let all: Vec<_> = args.into_iter().chain(faults).collect();
    let done = sealed.pitstop(&with_sim(&all));
    assert_eq!(done.code, 8, "{}{}", done.stdout, done.stderr);
    let command = "tccli cvm StartInstances --region ap-guangzhou --InstanceIds '[\"ins-0db00001\"]'";
    assert!(done.stdout.contains(command), "{}", done.stdout);
}

#[test]
fn a_journal_that_cannot_be_written_stops_nothing() {
    let sealed = Sealed::new();
    let file = sealed.home().join("file");
    std::fs::write(&file, "").unwrap();
    let state = format!("sqlite:{}/journal.db", file.display());
    let done = sealed.pitstop(&with_sim(&["run", RESIZE, "--yes", "--state", &state]));
    assert_eq!(done.code, 5, "{}", done.stderr);
    assert!(done.stderr.contains("--state sqlite:PATH"), "{}", done.stderr);
    assert!(!done.stderr.contains("stopping"));
}

#[test]
fn no_network_and_no_account_are_5() {
    let nobody = Sealed::new().with("TENCENTCLOUD_SECRET_ID", "").pitstop(&["plan", RESIZE]);
    assert_eq!(nobody.code, 5, "{}", nobody.stderr);
    let nothing_there = Sealed::new().pitstop(&["plan", RESIZE, "--endpoint", "http://127.0.0.1:9"]);
    assert_eq!(nothing_there.code, 5, "{}", nothing_there.stderr);
    assert!(nothing_there.stderr.contains("hint:"), "{}", nothing_there.stderr);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let sealed = Sealed::new();
    let mut child = sealed.command(&["--help"]).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let mut child = sealed.command(&with_sim(&["plan", RESIZE])).spawn().unwrap();
    drop(child.stdout.take());
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(0), ""));
}

#[test]
fn a_reader_that_goes_away_does_not_end_a_run() {
    let sealed = Sealed::new();
    let args = with_sim(&["run", RESIZE, "--yes", "--output", "json"]);
    let mut child = sealed.command(&args).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    read_until(&mut stdout, "run-began");
    drop(stdout);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let shown = sealed.pitstop(&["runs", "--output", "json"]).stdout;
    let run: serde_json::Value = serde_json::from_str(shown.trim()).unwrap();
    assert!(run["ended"].is_string(), "{run}");
}

/// A signal while the first instance is down; then `resume` does what is left.
fn interrupted_by(name: &str) {
    let sealed = Sealed::new();
    let simulator = sealed.simulator(&["--speed", "20"]);
    let args = ["run", RESIZE, "--yes", "--endpoint", &simulator.url, "--sim-speed", "20"];
    let mut child = sealed.command(&args).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    read_until(&mut stderr, "web-1: stop done");
    signal(&child, name);
    let (code, rest) = finish(child, stderr);
    assert_eq!(code, 7, "{rest}");
    assert!(rest.contains("nothing new is begun"), "{rest}");
    let runs = sealed.pitstop(&["runs"]).stdout;
    assert!(runs.contains("unfinished"), "{runs}");
    let resumed = sealed.pitstop(&["resume", "--sim-speed", "20"]);
    assert_eq!(resumed.code, 0, "{}{}", resumed.stdout, resumed.stderr);
    for name in ["web-1", "web-2"] {
        assert!(resumed.stdout.contains(&format!("✓ {name}")), "{}", resumed.stdout);
    }
    assert!(!sealed.pitstop(&["runs"]).stdout.contains("unfinished"));
}

#[test]
fn the_first_ctrl_c_brings_back_and_is_7() {
    interrupted_by("INT");
}

#[test]
fn sigterm_counts_as_the_first_ctrl_c() {
    interrupted_by("TERM");
}

#[test]
fn sighup_counts_as_the_first_ctrl_c() {
    interrupted_by("HUP");
}

#[test]
fn the_second_ctrl_c_leaves_at_once_and_names_the_way_back() {
    let sealed = Sealed::new();
    let simulator = sealed.simulator(&["--speed", "5"]);
    let args = ["run", RESIZE, "--yes", "--endpoint", &simulator.url, "--sim-speed", "5"];
    let mut child = sealed.command(&args).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    read_until(&mut stderr, "web-1: stop done");
    signal(&child, "INT");
    read_until(&mut stderr, "nothing new is begun");
    signal(&child, "INT");
    let (code, rest) = finish(child, stderr);
    assert_eq!(code, 7, "{rest}");
    assert!(rest.contains("pitstop resume "), "{rest}");
    let resumed = sealed.pitstop(&["resume", "--sim-speed", "5"]);
    assert_eq!(resumed.code, 0, "{}{}", resumed.stdout, resumed.stderr);
}

#[test]
fn a_killed_run_is_resumed() {
    let sealed = Sealed::new();
    // Slow enough that the resize is still under way when the signal comes, also on a machine with too much to do.
    let simulator = sealed.simulator(&["--speed", "4"]);
    let args = ["run", RESIZE, "--yes", "--endpoint", &simulator.url, "--sim-speed", "4"];
    let mut child = sealed.command(&args).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    read_until(&mut stderr, "web-1: resizing");
    child.kill().unwrap();
    let (code, rest) = finish(child, stderr);
    assert_eq!(code, -1, "{rest}");
    let second = sealed.pitstop(&args);
    assert_eq!(second.code, 5, "its instances are held: {}", second.stderr);
    assert!(second.stderr.contains("pitstop resume "), "{}", second.stderr);
    let resumed = sealed.pitstop(&["resume", "--sim-speed", "4"]);
    assert_eq!(resumed.code, 0, "{}{}", resumed.stdout, resumed.stderr);
}

#[test]
fn the_simulator_ends_well_when_asked_to() {
    let sealed = Sealed::new();
    let args = ["sim", "--listen", "127.0.0.1:0", "--output", "json"];
    let mut child = sealed.command(&args).stderr(Stdio::null()).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    read_until(&mut stdout, "endpoint");
    signal(&child, "TERM");
    assert_eq!(finish(child, stdout).0, 0);
    let outside = sealed.pitstop(&["sim", "--listen", "0.0.0.0:0"]);
    assert_eq!(outside.code, 5, "{}", outside.stderr);
}

#[test]
fn a_passwords_files_are_beside_the_workflow() {
    let sealed = Sealed::new();
    let folder = sealed.home().join("ops");
    std::fs::create_dir(&folder).unwrap();
    let workflow = |name: &str, source: &str| {
        let text = format!(
            "version: 1\nname: x\ntarget: {{ region: ap-guangzhou, instances: [ins-0web0001] }}\n\
             changes: [{{ reset-password: {{ password: {{ {source} }} }} }}]\n"
        );
        std::fs::write(folder.join(name), text).unwrap();
    };
    workflow("generate.yaml", "generate: { save-to: made.txt }");
    workflow("file.yaml", "file: made.txt");
    for (from, path) in [(sealed.home(), "ops/generate.yaml"), (Path::new("/"), "file.yaml")] {
        let path = if from == Path::new("/") { folder.join(path) } else { path.into() };
        let args = ["run", path.to_str().unwrap(), "--yes"];
        let output = sealed.command(&with_sim(&args)).current_dir(from).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let piped = std::fs::File::open(folder.join("file.yaml")).unwrap();
    let mut from_stdin = sealed.command(&with_sim(&["run", "-", "--yes"]));
    let output = from_stdin.current_dir(&folder).stdin(piped).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(folder.join("made.txt").exists() && !sealed.home().join("made.txt").exists());
}
