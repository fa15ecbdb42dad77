//! The plan as a person reads it before approving: what is refused, then the risks, then what changes.

use std::collections::BTreeMap;

use super::layout::{lines, paragraph, table};
use super::words::{Look, clean, count_of, instances, span, style};
use crate::cloud::{PowerState, Price, StopMode};
use crate::plan::{EndPower, InstancePlan, Plan, Step, Warning};

/// From here on the table has a column of its own for the price.
const WIDE: usize = 90;

/// The whole plan, ready to print.
pub fn plan_table(plan: &Plan, look: Look) -> String {
    let mut out = Vec::new();
    head(plan, look, &mut out);
    refusals(plan, look, &mut out);
    risks(plan, look, &mut out);
    changes(plan, look, &mut out);
    order(plan, look, &mut out);
    notes(plan, look, &mut out);
    out.extend(paragraph(0, "", &summary(plan), look.columns()));
    out.push(String::new());
    out.join("\n")
}

/// One line that says how many instances are stopped, changed, left alone and refused.
pub fn summary(plan: &Plan) -> String {
    let count = |fits: &dyn Fn(&InstancePlan) -> bool| plan.instances.iter().filter(|i| fits(i)).count();
    let refused = count(&|i| !i.refusals.is_empty());
    let unchanged = count(&InstancePlan::is_unchanged);
    let stopped = count(&InstancePlan::is_stopped_by_run);
    let others = plan.instances.len() - refused - unchanged - stopped;
    let mut parts = Vec::new();
    match stopped {
        0 => parts.push("nothing will be stopped".to_owned()),
        _ => parts.push(format!("{} will be stopped", instances(stopped))),
    }
    for (count, words) in [(others, "handled without a stop"), (unchanged, "unchanged"), (refused, "refused")]
    {
        if count > 0 {
            parts.push(format!("{count} {words}"));
        }
    }
    parts.join(", ")
}

/// `web-1 (ins-0web0001)`, or the id alone where there is no name.
pub fn full_name(instance: &InstancePlan) -> String {
    let name = clean(instance.name());
    let id = clean(instance.id.as_str());
    if name == id { id } else { format!("{name} ({id})") }
}

fn head(plan: &Plan, look: Look, out: &mut Vec<String>) {
    let account = plan.account.as_ref().map(|account| format!(" · account {account}")).unwrap_or_default();
    let title = clean(&format!("{} · {}{account}", plan.workflow, plan.region));
    out.push(format!("{} {title}", look.paint(style::HEADING, "Plan:")));
    out.push(String::new());
}

fn refusals(plan: &Plan, look: Look, out: &mut Vec<String>) {
    let refused: Vec<_> = plan.instances.iter().filter(|i| !i.refusals.is_empty()).collect();
    if refused.is_empty() {
        return;
    }
    out.push(look.paint(style::BAD, "Refused:"));
    for instance in refused {
        out.extend(paragraph(2, "", &full_name(instance), look.columns()));
        for refusal in &instance.refusals {
            out.extend(paragraph(4, "✗ ", &refusal.to_string(), look.columns()));
            out.extend(paragraph(6, "hint: ", refusal.hint(), look.columns()));
        }
    }
    out.push(String::new());
}

/// Each risk once, with the instances that it concerns.
fn risks(plan: &Plan, look: Look, out: &mut Vec<String>) {
    let mut grouped: Vec<(&Warning, Vec<&str>)> = Vec::new();
    for instance in plan.instances.iter().filter(|i| i.refusals.is_empty()) {
        for warning in &instance.warnings {
            match grouped.iter_mut().find(|(known, _)| *known == warning) {
                Some((_, names)) => names.push(instance.name()),
                None => grouped.push((warning, vec![instance.name()])),
            }
        }
    }
    if grouped.is_empty() {
        return;
    }
    let total = plan.instances.iter().filter(|i| i.refusals.is_empty()).count();
    out.push(look.paint(style::RISK, "Risks:"));
    for (warning, names) in grouped {
        let whom = if names.len() == total && total > 1 { format!("all {total}") } else { some(&names) };
        out.extend(paragraph(2, "! ", &format!("{whom}: {warning}"), look.columns()));
        out.extend(paragraph(4, "hint: ", warning.hint(), look.columns()));
    }
    out.push(String::new());
}

/// The first names, and how many more there are.
fn some(names: &[&str]) -> String {
    const SHOWN: usize = 5;
    let shown = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn changes(plan: &Plan, look: Look, out: &mut Vec<String>) {
    let shown: Vec<_> = plan.instances.iter().filter(|i| i.refusals.is_empty()).collect();
    if shown.is_empty() {
        return;
    }
    let wide = look.columns() >= WIDE;
    let priced = wide && shown.iter().any(|instance| instance.price.is_some());
    let mut table = table(look.columns());
    let mut header = vec!["Instance", "Now", "Change", "Afterwards"];
    header.extend(priced.then_some("Price"));
    table.set_header(header);
    for instance in shown {
        table.add_row(table_row(plan, instance, priced));
    }
    out.extend(lines(&table));
    out.push(String::new());
}

fn table_row(plan: &Plan, instance: &InstancePlan, priced: bool) -> Vec<String> {
    let name = clean(instance.name());
    let id = clean(instance.id.as_str());
    let mut change = change_lines(plan, instance);
    let price = price(instance);
    if !priced {
        change.extend(price.clone());
    }
    let mut row = vec![
        if name == id { id } else { format!("{name}\n{id}") },
        instance.found.as_ref().map(|found| clean(found.power.as_str())).unwrap_or_default(),
        change.join("\n"),
        afterwards(instance).to_owned(),
    ];
    row.extend(priced.then(|| price.unwrap_or_default()));
    row
}

fn afterwards(instance: &InstancePlan) -> &'static str {
    match instance.ends {
        EndPower::Running => "RUNNING",
        EndPower::Stopped => "STOPPED",
    }
}

fn change_lines(plan: &Plan, instance: &InstancePlan) -> Vec<String> {
    let power = instance.found.as_ref().map(|found| &found.power);
    match (instance.steps.as_slice(), power, instance.ends) {
        ([], Some(PowerState::Running), EndPower::Stopped) => vec!["stop".to_owned()],
        ([], Some(PowerState::Stopped), EndPower::Running) => vec!["start".to_owned()],
        ([], ..) => vec!["nothing to change".to_owned()],
        ([step], ..) => vec![step_words(plan, step)],
        (steps, ..) => (1..)
            .zip(steps)
            .map(|(number, step): (usize, _)| format!("{number}. {}", step_words(plan, step)))
            .collect(),
    }
}

/// A step with what it changes, from → to.
pub fn step_words(plan: &Plan, step: &Step) -> String {
    let words = match step {
        Step::LoadSshKeys { keys, imported } => {
            let imported = plan.import_key.as_ref().filter(|_| *imported);
            let all = keys.iter().map(ToString::to_string);
            let all = all.chain(imported.map(|key| format!("{} (imported first)", key.name)));
            format!("load SSH key {}", all.collect::<Vec<_>>().join(", "))
        }
        Step::ResetPassword { user } => format!("reset password of {user}"),
        Step::Resize { from, to, cpu, memory_gib, fallbacks } => {
            let cores = count_of(*cpu as usize, "core");
            let otherwise = fallbacks.iter().map(|fallback| {
                if fallback.to == *from {
                    ", else none".to_owned()
                } else {
                    format!(", else {}", fallback.to)
                }
            });
            let otherwise: String = otherwise.collect();
            format!("resize {from} → {to} ({cores}, {memory_gib} GiB){otherwise}")
        }
    };
    clean(&words)
}

pub(super) fn price(instance: &InstancePlan) -> Option<String> {
    let change = instance.price.as_ref()?;
    let words = match change.price {
        Price::Once(amount) if amount < 0.0 => format!("{:.2} {} back", -amount, change.currency),
        Price::Once(amount) => format!("{amount:.2} {} now", change.currency),
        Price::PerHour(amount) => format!("{amount:.2} {}/h", change.currency),
    };
    Some(clean(&words))
}

/// The order of the steps, with the reason of each. It is the same for all instances.
fn order(plan: &Plan, look: Look, out: &mut Vec<String>) {
    let changed: Vec<_> =
        plan.instances.iter().filter(|i| i.refusals.is_empty() && !i.steps.is_empty()).collect();
    if changed.is_empty() {
        return;
    }
    let reasons: BTreeMap<usize, (&str, &str)> = changed
        .iter()
        .flat_map(|instance| &instance.steps)
        .map(|step| (rank(step), (step.action().words(), step.why_here())))
        .collect();
    let mode = match plan.stop.mode {
        StopMode::Soft => "the guest is asked to shut down, its power is never cut",
        StopMode::SoftFirst => "the guest is asked to shut down; its power is cut if it does not",
        StopMode::Hard => "the power is cut at once",
    };
    out.push(look.paint(style::HEADING, "Order:"));
    let stop = format!("stop, for at most {} ({mode})", span(plan.stop.timeout));
    out.extend(paragraph(2, "", &stop, look.columns()));
    for (words, why) in reasons.values() {
        let line = if reasons.len() == 1 { (*words).to_owned() } else { format!("{words} ({why})") };
        out.extend(paragraph(2, "", &line, look.columns()));
    }
    if changed.iter().any(|instance| instance.ends == EndPower::Running) {
        out.extend(paragraph(2, "", "start", look.columns()));
    }
    out.push(String::new());
}

fn rank(step: &Step) -> usize {
    match step {
        Step::LoadSshKeys { .. } => 0,
        Step::ResetPassword { .. } => 1,
        Step::Resize { .. } => 2,
    }
}

fn notes(plan: &Plan, look: Look, out: &mut Vec<String>) {
    if plan.notes.is_empty() {
        return;
    }
    for note in &plan.notes {
        out.extend(paragraph(0, "note: ", note, look.columns()));
    }
    out.push(String::new());
}
