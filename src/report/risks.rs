//! What speaks against a plan: refusals and risks, the worst first, each once with the instances that it concerns.

use super::layout::paragraph;
use super::plan_table::{Rows, full_name};
use super::words::{Look, instances, style};
use crate::plan::{InstancePlan, Plan, Warning};

/// So many instances are named; of more only the first, and how many there are.
const NAMED: usize = 5;

/// So many different things are said of a plan that is shown in short.
const SAID: usize = 12;

/// Why instances are refused; what most of them have in common comes first.
pub(super) fn refusals(plan: &Plan, rows: Rows, look: Look, out: &mut Vec<String>) {
    let mut grouped: Vec<(String, &'static str, Vec<&InstancePlan>)> = Vec::new();
    for instance in &plan.instances {
        for refusal in &instance.refusals {
            let words = refusal.to_string();
            match grouped.iter_mut().find(|(known, ..)| *known == words) {
                Some((_, _, whom)) => whom.push(instance),
                None => grouped.push((words, refusal.hint(), vec![instance])),
            }
        }
    }
    if grouped.is_empty() {
        return;
    }
    grouped.sort_by_key(|(_, _, whom)| std::cmp::Reverse(whom.len()));
    out.push(look.paint(style::BAD, "Refused:"));
    let (said, unsaid) = said(grouped.len(), rows);
    for (words, hint, whom) in grouped.into_iter().take(said) {
        out.extend(paragraph(2, "✗ ", &format!("{}: {words}", whose(&whom)), look.columns()));
        out.extend(paragraph(4, "hint: ", hint, look.columns()));
    }
    out.extend(unsaid);
    out.push(String::new());
}

/// The refusals alone, as text: what is left to say when the plan was shown before.
pub fn refusals_of(plan: &Plan, look: Look) -> String {
    let mut out = Vec::new();
    refusals(plan, Rows::Brief, look, &mut out);
    out.pop();
    look.signs(out.join("\n"))
}

/// What a person should know of those that are not refused.
pub(super) fn warnings(plan: &Plan, rows: Rows, look: Look, out: &mut Vec<String>) {
    let mut grouped: Vec<(&Warning, Vec<&InstancePlan>)> = Vec::new();
    for instance in plan.instances.iter().filter(|i| i.refusals.is_empty()) {
        for warning in &instance.warnings {
            match grouped.iter_mut().find(|(known, _)| *known == warning) {
                Some((_, whom)) => whom.push(instance),
                None => grouped.push((warning, vec![instance])),
            }
        }
    }
    if grouped.is_empty() {
        return;
    }
    grouped.sort_by_key(|(warning, whom)| (severity(warning), std::cmp::Reverse(whom.len())));
    let total = plan.instances.iter().filter(|i| i.refusals.is_empty()).count();
    out.push(look.paint(style::RISK, "Risks:"));
    let (said, unsaid) = said(grouped.len(), rows);
    for (warning, whom) in grouped.into_iter().take(said) {
        let whose = if whom.len() == total && total > 1 { format!("all {total}") } else { whose(&whom) };
        out.extend(paragraph(2, "! ", &format!("{whose}: {warning}"), look.columns()));
        out.extend(paragraph(4, "hint: ", warning.hint(), look.columns()));
    }
    out.extend(unsaid);
    out.push(String::new());
}

/// How many of so many things are said, and the line about the others.
fn said(of: usize, rows: Rows) -> (usize, Option<String>) {
    match of.saturating_sub(SAID) {
        more if more > 1 && rows == Rows::Brief => {
            (SAID, Some(format!("  … and {more} more like these: with -v, or by pitstop plan")))
        }
        _ => (of, None),
    }
}

/// How bad it can become: 0 loses data or locks somebody out for good, 1 costs clients requests or the instance its
/// next start, 2 is worth a thought.
fn severity(warning: &Warning) -> u8 {
    match warning {
        Warning::HardStop | Warning::MayHardStop | Warning::KeysDropped(_) | Warning::ScalingNotChecked => 0,
        Warning::LoadBalancer { health_check: Some(true), .. }
        | Warning::OtherFamily { .. }
        | Warning::Prepaid
        | Warning::WillStart => 2,
        _ => 1,
    }
}

/// Few by name; many by their number and the first names.
fn whose(whom: &[&InstancePlan]) -> String {
    match whom {
        [one] => full_name(one),
        few if few.len() <= NAMED => names(few),
        many => format!("{} ({}, …)", instances(many.len()), names(&many[..NAMED])),
    }
}

fn names(whom: &[&InstancePlan]) -> String {
    whom.iter().map(|instance| instance.name()).collect::<Vec<_>>().join(", ")
}
