//! The fleet and the workflow, as the files that `pitstop sim` and `pitstop run` read.

use std::fmt::Write as _;

/// Where the fleet is.
pub(crate) const REGION: &str = "ap-guangzhou";

/// The name of the variable that holds the new password.
pub(crate) const PASSWORD_VARIABLE: &str = "NEW_PASSWORD";

/// Everything but the instances.
const ACCOUNT: &str = "\
balance: 1000000000
zones: [ap-guangzhou-3]
credentials:
  - { secret-id: AKIDSIMULATEDPITSTOPDEMO00000000000, secret-key: simulatedSecretKeyOfThePitstopDemo }
keys:
  - { id: skey-0ops0001, name: ops, public-key: ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAQQC7 ops@example }
catalogue:
  - { type: S5.MEDIUM4, cpu: 2, memory: 4, price: 0.25 }
  - { type: S5.LARGE8, cpu: 4, memory: 8, price: 0.5 }
timings:
  stop: { base: 8s, spread: 0.2 }
  keys: { base: 3s, spread: 0.2 }
  password: { base: 2s, spread: 0.2 }
  resize: { base: 6s, spread: 0.2 }
  start: { base: 5s, spread: 0.2 }
  latency: { base: 30ms, spread: 0.5 }
instances:
";

/// What the operations of one instance take in the middle, in seconds, one after the other.
pub(crate) const OPERATIONS: f64 = 8.0 + 3.0 + 2.0 + 6.0 + 5.0;

/// A fleet of running instances, all of one type and zone.
pub(crate) fn fleet(size: usize, boots: bool) -> String {
    let mut text = format!("resize-boots: {}\n{ACCOUNT}", if boots { "always" } else { "never" });
    for number in 0..size {
        let (high, middle, low) = (number >> 16, (number >> 8) & 255, number & 255);
        let _ = writeln!(
            text,
            "  - {{ id: {}, name: made-up-{number}, zone: ap-guangzhou-3, type: S5.MEDIUM4, \
             private-ip: 127.{}.{middle}.{low}, tags: {{ fleet: made-up }} }}",
            id(number),
            64 + high,
        );
    }
    text
}

/// The id of the `number`th instance.
pub(crate) fn id(number: usize) -> String {
    format!("ins-{number:08}")
}

/// All three changes to all instances, as many at once as there are.
pub(crate) fn workflow(size: usize) -> String {
    format!(
        "version: 1
name: three
target: {{ region: {REGION}, match: {{ tags: {{ fleet: made-up }} }}, at-most: {size} }}
changes:
  - resize: {{ type: S5.LARGE8 }}
  - reset-password: {{ password: {{ env: {PASSWORD_VARIABLE} }} }}
  - load-ssh-key: {{ key: skey-0ops0001 }}
rollout: {{ at-once: {size} }}
"
    )
}
