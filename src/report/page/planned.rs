//! The plan's part of the page: how the run was to go.

use super::super::plan_table::full_name;
use super::super::words::{clean, count_of, instances, span};
use crate::cloud::{Charging, StopMode};
use crate::plan::{EndPower, Plan, Step};
use crate::workflow::{Check, OnFailure, Pause};

/// What holds for all instances.
pub(super) fn facts(plan: &Plan) -> Vec<(&'static str, String)> {
    let mode = match plan.stop.mode {
        StopMode::Soft => "soft: the guest is asked to shut down, its power is never cut",
        StopMode::SoftFirst => "soft-first: the guest is asked to shut down; its power is cut if it does not",
        StopMode::Hard => "hard: the power is cut at once",
    };
    let charging = match plan.stop.charging {
        Charging::Keep => "keep: cores and memory are kept, and paid for",
        Charging::Stop => "stop: cores and memory are given back while stopped",
    };
    let on_failure = match plan.on_failure {
        OnFailure::Start => "start: it ends with the power that was planned, and with what it has",
        OnFailure::RollBack => "roll-back: it gets its former type again, and the power that was planned",
        OnFailure::LeaveStopped => "leave-stopped: it is left for a person to look at",
    };
    let running = plan.instances.iter().filter(|own| own.ends == EndPower::Running).count();
    let ends = format!("{running} running, {} stopped", plan.instances.len() - running);
    let mut facts = vec![
        ("instances", instances(plan.instances.len())),
        ("stop", format!("{mode}; for at most {}", span(plan.stop.timeout))),
        ("charging", charging.to_owned()),
        ("afterwards", ends),
        ("on failure", on_failure.to_owned()),
        ("at once", plan.rollout.at_once.to_string()),
        ("failures allowed", plan.rollout.max_failures.to_string()),
    ];
    let canaries: Vec<_> =
        plan.instances.iter().filter(|own| own.canary).map(|own| clean(own.name())).collect();
    if !canaries.is_empty() {
        facts.push(("canaries", canaries.join(", ")));
        let pause = match plan.rollout.pause {
            Pause::Person => "until a person carries on, unless --yes was given".to_owned(),
            Pause::None => "none".to_owned(),
            Pause::For(long) => span(long),
        };
        facts.push(("pause after them", pause));
    }
    facts.extend(plan.downtime_budget.map(|budget| ("downtime budget", span(budget))));
    facts.extend(plan.import_key.as_ref().map(|key| ("key imported first", clean(&key.name))));
    let checks: Vec<_> = plan.checks.iter().map(check).collect();
    facts.push(("checks", if checks.is_empty() { "none".to_owned() } else { checks.join("; ") }));
    facts
}

fn check(check: &Check) -> String {
    match check {
        Check::Tcp { host, port, timeout } => {
            let host = clean(host.as_deref().unwrap_or("its private address"));
            format!("tcp {host} port {port}, within {}", span(*timeout))
        }
    }
}

/// The changes that some instance gets, in their order, with the reason of it.
pub(super) fn steps(plan: &Plan) -> Vec<(String, &'static str)> {
    let all = || plan.instances.iter().flat_map(|own| &own.steps);
    let first = |wanted: fn(&Step) -> bool| all().find(|step| wanted(step));
    [
        first(|step| matches!(step, Step::LoadSshKeys { .. })),
        first(|step| matches!(step, Step::ResetPassword { .. })),
        first(|step| matches!(step, Step::Resize { .. })),
    ]
    .into_iter()
    .flatten()
    .map(|step| {
        let count = all().filter(|other| other.action() == step.action()).count();
        (format!("{}: {}", step.action().words(), count_of(count, "instance")), step.why_here())
    })
    .collect()
}

/// Each warning once, with the instances that it concerns, and what a person could do about it.
pub(super) fn warnings(plan: &Plan) -> Vec<(String, String, &'static str)> {
    let mut grouped: Vec<(&crate::plan::Warning, Vec<String>)> = Vec::new();
    for instance in &plan.instances {
        for warning in &instance.warnings {
            match grouped.iter_mut().find(|(known, _)| *known == warning) {
                Some((_, names)) => names.push(full_name(instance)),
                None => grouped.push((warning, vec![full_name(instance)])),
            }
        }
    }
    let whom = |names: &[String]| match names.len() {
        all if all == plan.instances.len() && all > 1 => format!("all {all}"),
        1..=5 => names.join(", "),
        all => format!("{} and {} more", names[..5].join(", "), all - 5),
    };
    grouped
        .into_iter()
        .map(|(warning, names)| (clean(&warning.to_string()), whom(&names), warning.hint()))
        .collect()
}
