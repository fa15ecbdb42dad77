//! What speaks against a plan: refusals and risks, the worst first, each once with the instances that it concerns.

use super::chinese;
use super::language::Language;
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
            let (words, hint) = match look.language {
                Language::English => (refusal.to_string(), refusal.hint()),
                Language::Chinese => (chinese::refusal::words(refusal), chinese::refusal::hint(refusal)),
            };
            match grouped.iter_mut().find(|(known, ..)| *known == words) {
                Some((_, _, whom)) => whom.push(instance),
                None => grouped.push((words, hint, vec![instance])),
            }
        }
    }
    if grouped.is_empty() {
        return;
    }
    grouped.sort_by_key(|(_, _, whom)| std::cmp::Reverse(whom.len()));
    out.push(look.paint(style::BAD, look.language.pick("Refused:", "被拒绝：")));
    let (said, unsaid) = said(grouped.len(), rows, look.language);
    for (words, hint, whom) in grouped.into_iter().take(said) {
        out.extend(paragraph(2, "✗ ", &said_of(&whose(&whom, look), &words, look), look));
        out.extend(paragraph(4, look.language.pick("hint: ", "建议："), hint, look));
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
    out.push(look.paint(style::RISK, look.language.pick("Risks:", "风险：")));
    let (said, unsaid) = said(grouped.len(), rows, look.language);
    for (warning, whom) in grouped.into_iter().take(said) {
        let all = whom.len() == total && total > 1;
        let (whose, words, hint) = match look.language {
            Language::English if all => (format!("all {total}"), warning.to_string(), warning.hint()),
            Language::English => (whose(&whom, look), warning.to_string(), warning.hint()),
            Language::Chinese => {
                let whose = if all { chinese::plan::all(total) } else { whose(&whom, look) };
                (whose, chinese::warning::words(warning), chinese::warning::hint(warning))
            }
        };
        out.extend(paragraph(2, "! ", &said_of(&whose, &words, look), look));
        out.extend(paragraph(4, look.language.pick("hint: ", "建议："), hint, look));
    }
    out.extend(unsaid);
    out.push(String::new());
}

/// How many of so many things are said, and the line about the others.
fn said(of: usize, rows: Rows, language: Language) -> (usize, Option<String>) {
    match of.saturating_sub(SAID) {
        more if more > 1 && rows == Rows::Brief => {
            let words = match language {
                Language::English => format!("  … and {more} more like these: with -v, or by pitstop plan"),
                Language::Chinese => chinese::plan::more_like_these(more),
            };
            (SAID, Some(words))
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
fn whose(whom: &[&InstancePlan], look: Look) -> String {
    match whom {
        [one] => full_name(one),
        few if few.len() <= NAMED => names(few, look),
        many if look.language == Language::Chinese => {
            chinese::plan::many(many.len(), &names(&many[..NAMED], look))
        }
        many => format!("{} ({}, …)", instances(many.len()), names(&many[..NAMED], look)),
    }
}

fn names(whom: &[&InstancePlan], look: Look) -> String {
    look.list(&whom.iter().map(|instance| instance.name()).collect::<Vec<_>>())
}

/// A sentence about these.
fn said_of(whose: &str, words: &str, look: Look) -> String {
    match look.language {
        Language::English => format!("{whose}: {words}"),
        Language::Chinese => chinese::of(whose, words),
    }
}
