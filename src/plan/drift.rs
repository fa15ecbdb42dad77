//! What has changed: between plan and run, and between plan and the end of a run.

use std::collections::BTreeSet;
use std::fmt::Display;

use super::{Found, Step};
use crate::cloud::{Instance, Isolation, KeyId, Restriction, StoppedCharging};

/// What has changed on an instance since it was planned, and forbids to stop or change it unseen; `None` if nothing.
///
/// Looked at before the first stop. Names, addresses and disks may have changed: they don't change what the steps do.
pub fn drift(found: &Found, now: &Instance) -> Option<String> {
    let mut changes = Vec::new();
    if now.power != found.power {
        changes.push(format!("it was {} and is {}", found.power, now.power));
    }
    if now.instance_type != found.instance_type {
        changes.push(format!("its type was {} and is {}", found.instance_type, now.instance_type));
    }
    changes.extend(set_change("SSH keys", &found.keys, &now.keys));
    if now.is_windows() != found.windows {
        changes.push(format!("its system was reinstalled as {}", now.os));
    }
    if now.restriction != Restriction::Normal {
        changes.push(format!("it is restricted: {}", now.restriction));
    }
    if now.isolation != Isolation::NotIsolated {
        changes.push(format!("it is isolated: {}", now.isolation));
    }
    if now.stopped_charging == StoppedCharging::StopCharging && !found.uncharged {
        changes.push("it was stopped without charge".to_owned());
    }
    if let Some(operation) = now.latest_operation.as_ref().filter(|_| now.is_operating()) {
        changes.push(format!("{} is in progress on it", operation.action));
    }
    (!changes.is_empty()).then(|| changes.join("; "))
}

/// What is different after a run and was not asked for, one sentence each.
///
/// A step that was asked for may have been made or not: whether it was is the run's own verdict, not a difference.
pub fn differences(found: &Found, steps: &[Step], after: &Instance) -> Vec<String> {
    let mut differences = Vec::new();
    differences.extend(other_type(found, steps, after));
    differences.extend(other_keys(found, steps, after));
    let now = Found::from(after);
    differences.extend(set_change("private addresses", &found.private_ips, &now.private_ips));
    differences.extend(set_change("public addresses", &found.public_ips, &now.public_ips));
    differences.extend(set_change("disks", &found.disks, &now.disks));
    differences.extend(set_change("security groups", &found.security_groups, &now.security_groups));
    if now.zone != found.zone {
        differences.push(format!("its zone was {} and is {}", found.zone, now.zone));
    }
    differences
}

fn other_type(found: &Found, steps: &[Step], after: &Instance) -> Option<String> {
    let as_found = (&found.instance_type, found.cpu, found.memory_gib);
    let wanted = steps.iter().find_map(|step| match step {
        Step::Resize { to, cpu, memory_gib, .. } => Some((to, *cpu, *memory_gib)),
        Step::LoadSshKeys { .. } | Step::ResetPassword { .. } => None,
    });
    let is = (&after.instance_type, after.cpu, after.memory_gib);
    if is == as_found || Some(is) == wanted {
        return None;
    }
    let (kind, cpu, memory) = wanted.unwrap_or(as_found);
    Some(format!(
        "its type is {} with {} cores and {} GiB; {kind} with {cpu} cores and {memory} GiB was expected",
        after.instance_type, after.cpu, after.memory_gib
    ))
}

fn other_keys(found: &Found, steps: &[Step], after: &Instance) -> Option<String> {
    let wanted = steps.iter().find_map(|step| match step {
        Step::LoadSshKeys { keys, imported } => Some((keys, *imported)),
        Step::ResetPassword { .. } | Step::Resize { .. } => None,
    });
    let is: BTreeSet<&KeyId> = after.keys.iter().collect();
    if is == found.keys.iter().collect() {
        return None;
    }
    let Some((wanted, imported)) = wanted else {
        return set_change("SSH keys", &found.keys, &after.keys);
    };
    // The imported key's id is not known to the plan: one key more than the known ones is that key.
    let expected: BTreeSet<&KeyId> = wanted.iter().collect();
    let strange = is.difference(&expected).count();
    let fits = expected.is_subset(&is) && strange == usize::from(imported);
    if fits { None } else { set_change("SSH keys", wanted, &after.keys) }
}

/// "its disks: gone disk-a; new disk-b", if the two are not the same set.
fn set_change<T: Ord + Display>(what: &str, before: &[T], after: &[T]) -> Option<String> {
    let (before, after) = (before.iter().collect::<BTreeSet<_>>(), after.iter().collect::<BTreeSet<_>>());
    let list =
        |word: &str, items: Vec<String>| (!items.is_empty()).then(|| format!("{word} {}", items.join(", ")));
    let parts: Vec<String> = [
        list("gone", before.difference(&after).map(ToString::to_string).collect()),
        list("new", after.difference(&before).map(ToString::to_string).collect()),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!parts.is_empty()).then(|| format!("its {what} changed: {}", parts.join("; ")))
}
