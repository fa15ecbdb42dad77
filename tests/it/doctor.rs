//! `pitstop doctor`: everything in order, and everything that can be out of it.

use std::path::PathBuf;

use insta::assert_snapshot;
use serde_json::Value;

use crate::sealed::{Done, Sealed, signal};

/// The transcript with what differs from machine to machine and from run to run replaced.
fn steady(sealed: &Sealed, done: &Done) -> String {
    let text = done.transcript().replace(&sealed.home().display().to_string(), "HOME");
    // The log tells the time.
    text.lines()
        .filter(|line| !line.contains(" WARN "))
        .map(|line| {
            let words = line.split(' ').map(|word| {
                let number = word.bytes().all(|byte| byte.is_ascii_digit()) && !word.is_empty();
                match word {
                    word if word.starts_with("http://127.0.0.1:") => "http://SIMULATOR".to_owned(),
                    _ if number && (line.contains(" ms") || line.contains("format")) => "N".to_owned(),
                    "x86_64," | "aarch64," => "PROCESSOR,".to_owned(),
                    word => word.to_owned(),
                }
            });
            words.collect::<Vec<_>>().join(" ") + "\n"
        })
        .collect()
}

fn findings(done: &Done) -> Vec<Value> {
    done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn level<'a>(findings: &'a [Value], what: &str) -> &'a str {
    let found = findings.iter().find(|found| found["finding"] == what);
    found.unwrap_or_else(|| panic!("nothing on {what}: {findings:?}"))["level"].as_str().unwrap()
}

#[test]
fn all_is_well_with_the_simulated_cloud() {
    let sealed = Sealed::new();
    let done = sealed.pitstop(&["doctor", "--cloud", "sim"]);
    assert_snapshot!("doctor_well", steady(&sealed, &done));
    assert!(!sealed.journal().exists(), "a look makes no journal");
    let with_file =
        sealed.pitstop(&["doctor", "workflows/resize.yaml", "--cloud", "sim", "--output", "json"]);
    let all = findings(&with_file);
    assert_eq!((with_file.code, level(&all, "permissions")), (0, "ok"), "{}", with_file.stdout);
    assert!(with_file.stdout.contains("2 instances"), "{}", with_file.stdout);
}

#[test]
fn without_credentials_and_network_all_else_is_still_told() {
    let sealed = Sealed::new();
    let done = sealed.pitstop(&["doctor", "--endpoint", "https://127.0.0.1:9"]);
    assert_snapshot!("doctor_no_credentials", steady(&sealed, &done));
    let json = sealed.pitstop(&["doctor", "--endpoint", "https://127.0.0.1:9", "--output", "json"]);
    let all = findings(&json);
    assert_eq!(json.code, 5);
    for (what, expected) in [
        ("version", "ok"),
        ("journal", "ok"),
        ("credentials", "fail"),
        ("network", "fail"),
        ("identity", "warn"),
        ("permissions", "warn"),
    ] {
        assert_eq!(level(&all, what), expected, "{what}");
    }
}

#[test]
fn a_wrong_key_is_named_and_not_shown() {
    let sealed = Sealed::new()
        .with("TENCENTCLOUD_SECRET_ID", pitstop::sim::DEMO_SECRET_ID)
        .with("TENCENTCLOUD_SECRET_KEY", "hunter2-is-the-wrong-key");
    let simulator = sealed.simulator(&[]);
    let done = sealed.pitstop(&["doctor", "--endpoint", &simulator.url]);
    assert_snapshot!("doctor_wrong_key", steady(&sealed, &done));
    assert!(!done.stdout.contains("hunter2") && !done.stderr.contains("hunter2"));
}

#[test]
fn a_clock_that_is_off_is_measured() {
    let sealed = Sealed::new();
    for (skew, expected) in [("-2h", "2h 00m ahead of the cloud's"), ("90s", " behind the cloud's")] {
        let simulator = sealed.simulator(&["--clock-skew", skew]);
        let done = sealed.pitstop(&["doctor", "--endpoint", &simulator.url]);
        assert_eq!(done.code, 0, "a run can be made: {}{}", done.stdout, done.stderr);
        assert!(done.stdout.contains("warn  clock"), "{}", done.stdout);
        let words = done.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(expected.trim()), "{skew}: {}", done.stdout);
        let run =
            ["run", "workflows/resize.yaml", "--yes", "--endpoint", &simulator.url, "--sim-speed", "50"];
        let plan = ["plan", "workflows/resize.yaml", "--endpoint", &simulator.url];
        assert_eq!(sealed.pitstop(&plan).code, 0, "{skew}: {run:?}");
    }
    let simulator = sealed.simulator(&["--clock-skew", "-2h"]);
    let done = sealed.pitstop(&["doctor", "--endpoint", &simulator.url]);
    assert_snapshot!("doctor_skewed", steady(&sealed, &done));
}

#[test]
fn a_journal_that_cannot_be_made_or_is_none_is_a_failure() {
    let sealed = Sealed::new();
    let file = sealed.home().join("file");
    std::fs::write(&file, "no journal").unwrap();
    let inside = format!("sqlite:{}/journal.db", file.display());
    let done = sealed.pitstop(&["doctor", "--cloud", "sim", "--state", &inside]);
    assert_snapshot!("doctor_no_journal", steady(&sealed, &done));
    let other = format!("sqlite:{}", file.display());
    let done = sealed.pitstop(&["doctor", "--cloud", "sim", "--state", &other, "--output", "json"]);
    assert_eq!((done.code, level(&findings(&done), "journal")), (5, "fail"), "{}", done.stdout);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "no journal");
}

/// A journal on a disk that can't be written, for whoever is not root.
#[test]
fn a_journal_that_is_read_only_is_a_failure() {
    use std::os::unix::fs::PermissionsExt;
    let sealed = Sealed::new();
    let run = ["run", "workflows/resize.yaml", "--yes", "--cloud", "sim", "--sim-speed", "200"];
    assert_eq!(sealed.pitstop(&run).code, 0);
    let well = sealed.pitstop(&["doctor", "--cloud", "sim", "--output", "json"]);
    assert_eq!((well.code, level(&findings(&well), "journal")), (0, "ok"), "{}", well.stdout);
    let folder: PathBuf = sealed.journal().parent().unwrap().to_owned();
    let permit = |file: u32, dir: u32| {
        std::fs::set_permissions(sealed.journal(), PermissionsExt::from_mode(file)).unwrap();
        std::fs::set_permissions(&folder, PermissionsExt::from_mode(dir)).unwrap();
    };
    permit(0o400, 0o500);
    let is_root = std::fs::write(folder.join("probe"), "").is_ok();
    let done = sealed.pitstop(&["doctor", "--cloud", "sim"]);
    permit(0o600, 0o700);
    if is_root {
        assert_eq!(done.code, 0, "root writes where it likes: {}", done.stdout);
    } else {
        assert_snapshot!("doctor_read_only", steady(&sealed, &done));
        assert_eq!(done.code, 5);
    }
}

#[test]
fn an_unfinished_run_is_told_with_the_way_to_carry_it_on() {
    let sealed = Sealed::new();
    let simulator = sealed.simulator(&["--speed", "5"]);
    let args = ["run", "workflows/resize.yaml", "--yes", "--endpoint", &simulator.url, "--sim-speed", "5"];
    let mut child = sealed.command(&args).spawn().unwrap();
    let mut stderr = std::io::BufReader::new(child.stderr.take().unwrap());
    crate::sealed::read_until(&mut stderr, "web-1: stop done");
    let doctor = ["doctor", "--endpoint", &simulator.url, "--output", "json"];
    let busy = sealed.pitstop(&doctor);
    let all = findings(&busy);
    assert_eq!((level(&all, "runs"), level(&all, "leases")), ("ok", "ok"), "{}", busy.stdout);
    assert!(busy.stdout.contains("is held by process"), "{}", busy.stdout);
    signal(&child, "KILL");
    child.wait().unwrap();
    let left = sealed.pitstop(&doctor);
    let all = findings(&left);
    assert_eq!((left.code, level(&all, "runs")), (0, "warn"), "{}", left.stdout);
    assert!(left.stdout.contains("pitstop resume "), "{}", left.stdout);
}

#[test]
fn what_may_not_be_read_is_told() {
    let sealed = Sealed::new();
    let fleet = |policy: &str| {
        let text = include_str!("../../src/sim/demo.yaml").replace(
            "    secret-key: simulatedSecretKeyOfThePitstopDemo\n",
            &format!("    secret-key: simulatedSecretKeyOfThePitstopDemo\n    policy: {policy}\n"),
        );
        let path = sealed.home().join("fleet.yaml");
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let allow = |actions: &str| {
        format!("{{ version: '2.0', statement: [{{ effect: allow, action: [{actions}], resource: '*' }}] }}")
    };
    let some = fleet(&allow("'cvm:DescribeInstances', 'sts:*'"));
    for file in [&[][..], &["workflows/resize.yaml"][..]] {
        let args = ["doctor", "--cloud", "sim", "--sim-fleet", &some, "--output", "json"];
        let args: Vec<&str> = args.into_iter().chain(file.iter().copied()).collect();
        let done = sealed.pitstop(&args);
        let expected = if file.is_empty() { ("warn", 0) } else { ("fail", 5) };
        assert_eq!((level(&findings(&done), "permissions"), done.code), expected, "{}", done.stdout);
        assert!(done.stdout.contains("policy"), "{}", done.stdout);
    }
    let none = fleet("{ version: '2.0', statement: [] }");
    let done = sealed.pitstop(&["doctor", "--cloud", "sim", "--sim-fleet", &none]);
    assert_snapshot!("doctor_nothing_allowed", steady(&sealed, &done));
}
