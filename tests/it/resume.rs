//! A run that was killed with an instance down, and what its resumption lacks.

use std::io::BufReader;

use crate::sealed::{Done, Sealed, Simulator, finish, read_until, signal};

const SPEED: [&str; 2] = ["--sim-speed", "20"];

/// A run that sets a password and resizes, killed once it has told this; `NEW_PASSWORD` was set.
fn killed_at(sealed: &Sealed, told: &str) -> Simulator {
    let simulator = sealed.simulator(&["--speed", "20"]);
    let workflow = sealed.home().join("both.yaml");
    let text = "version: 1\nname: both\ntarget: { region: ap-guangzhou, instances: [ins-0web0001] }\n\
                changes:\n  - reset-password: { password: { env: NEW_PASSWORD } }\n  - resize: { type: S5.LARGE8 }\n";
    std::fs::write(&workflow, text).unwrap();
    let args = ["run", workflow.to_str().unwrap(), "--yes", "--endpoint", &simulator.url, SPEED[0], SPEED[1]];
    let mut child = sealed.command(&args).env("NEW_PASSWORD", "Zx9-canary-42").spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    read_until(&mut stderr, told);
    signal(&child, "KILL");
    finish(child, stderr);
    simulator
}

fn resume(sealed: &Sealed) -> Done {
    sealed.pitstop(&["resume", SPEED[0], SPEED[1]])
}

#[test]
fn without_the_password_everything_is_brought_back() {
    let sealed = Sealed::new();
    let _simulator = killed_at(&sealed, "web-1: stop done");
    let back = resume(&sealed);
    assert_eq!(back.code, 7, "{}{}", back.stdout, back.stderr);
    assert!(back.stderr.contains("NEW_PASSWORD"), "{}", back.stderr);
    assert!(back.stderr.contains("brought back"), "{}", back.stderr);
    assert!(back.stderr.contains("web-1: start done"), "{}", back.stderr);
    assert!(!back.stderr.contains("nothing was stopped"), "{}", back.stderr);
    let output =
        sealed.command(&["resume", SPEED[0], SPEED[1]]).env("NEW_PASSWORD", "Zx9-canary-42").output();
    let rest = Done::from(output.unwrap());
    assert_eq!(rest.code, 0, "{}{}", rest.stdout, rest.stderr);
}

#[test]
fn a_password_that_is_set_is_not_needed_again() {
    let sealed = Sealed::new();
    let _simulator = killed_at(&sealed, "web-1: resizing");
    let resumed = resume(&sealed);
    assert_eq!(resumed.code, 0, "{}{}", resumed.stdout, resumed.stderr);
}

#[test]
fn credentials_of_another_account_are_refused() {
    let sealed = Sealed::new();
    let simulator = killed_at(&sealed, "web-1: stop done");
    let address = simulator.url.strip_prefix("http://").unwrap().to_owned();
    drop(simulator);
    let fleet = sealed.home().join("fleet.yaml");
    let demo = std::fs::read_to_string("src/sim/demo.yaml").unwrap();
    let other = demo.replace("account: \"100000000001\"", "account: \"200000000002\"");
    assert_ne!(demo, other);
    std::fs::write(&fleet, other).unwrap();
    let _other = sealed.simulator_at(&address, &["--fleet", fleet.to_str().unwrap()]);
    let refused = resume(&sealed);
    assert_eq!(refused.code, 5, "{}{}", refused.stdout, refused.stderr);
    assert!(refused.stderr.contains("belong to the account 200000000002"), "{}", refused.stderr);
    assert!(refused.stderr.contains("1 instance is still down: web-1 (ins-0web0001)"), "{}", refused.stderr);
    assert!(!refused.stderr.contains("nothing was stopped"), "{}", refused.stderr);
}
