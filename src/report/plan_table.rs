//! The plan as a person reads it before approving: what is refused, then the risks, then what changes.
//!
//! Few instances have a row each, or, where a table has no room, an entry of a list. Many are summed up by kind of
//! change, with the exceptions by name.

use std::collections::BTreeMap;

use super::chinese;
use super::expected::Expected;
use super::language::Language;
use super::layout::{lines, paragraph, table};
use super::plan_groups;
use super::risks;
use super::words::{Look, clean, count_of, instances, span, style};
use crate::cloud::{Action, PowerState, Price, StopMode};
use crate::plan::{EndPower, InstancePlan, Plan, Step};
use crate::workflow::{OnFailure, Pause};

/// From here on the table has columns of its own for the price and the time down.
const WIDE: usize = 96;
/// Up to here a list is easier to read than a table.
const NARROW: usize = 60;
/// More instances than this are summed up, unless all rows are asked for.
const MANY: usize = 40;

/// So many canaries are named.
const CANARIES: usize = 5;

/// How many of the instances are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// Every one.
    All,
    /// Many are summed up.
    Brief,
}

/// The whole plan, ready to print.
pub fn plan_table(plan: &Plan, expected: &Expected, rows: Rows, look: Look) -> String {
    let mut out = Vec::new();
    head(plan, look, &mut out);
    risks::refusals(plan, rows, look, &mut out);
    risks::warnings(plan, rows, look, &mut out);
    let shown: Vec<_> = plan.instances.iter().filter(|i| i.refusals.is_empty()).collect();
    if rows == Rows::Brief && shown.len() > MANY {
        plan_groups::groups(plan, &shown, look, &mut out);
    } else if look.columns() <= NARROW {
        list(plan, expected, &shown, look, &mut out);
    } else {
        changes(plan, expected, &shown, look, &mut out);
    }
    order(plan, look, &mut out);
    notes(plan, look, &mut out);
    out.extend(paragraph(0, "", &summary_in(look.language, plan), look));
    out.push(String::new());
    look.signs(out.join("\n"))
}

/// One line that says how many instances are stopped, changed, left alone and refused.
pub fn summary(plan: &Plan) -> String {
    summary_in(Language::English, plan)
}

/// The same in this language.
pub fn summary_in(language: Language, plan: &Plan) -> String {
    let count = |fits: &dyn Fn(&InstancePlan) -> bool| plan.instances.iter().filter(|i| fits(i)).count();
    let refused = count(&|i| !i.refusals.is_empty());
    let unchanged = count(&InstancePlan::is_unchanged);
    let stopped = count(&InstancePlan::is_stopped_by_run);
    let others = plan.instances.len() - refused - unchanged - stopped;
    if language == Language::Chinese {
        return chinese::plan::summary(stopped, others, unchanged, refused);
    }
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
    let account = |account: &String| match look.language {
        Language::English => format!(" · account {account}"),
        Language::Chinese => chinese::plan::account(account),
    };
    let account = plan.account.as_ref().map(account).unwrap_or_default();
    let title = clean(&format!("{} · {}{account}", plan.workflow, plan.region));
    out.push(format!(
        "{}{}{title}",
        look.paint(style::HEADING, look.language.pick("Plan:", "计划：")),
        look.language.pick(" ", "")
    ));
    out.push(String::new());
}

fn changes(plan: &Plan, expected: &Expected, shown: &[&InstancePlan], look: Look, out: &mut Vec<String>) {
    if shown.is_empty() {
        return;
    }
    let wide = look.columns() >= WIDE;
    let priced = wide && shown.iter().any(|instance| instance.price.is_some());
    let timed = wide && shown.iter().any(|instance| expected.down(instance).is_some());
    let mut table = table(look.columns());
    let (named, price_head, down_head) = match look.language {
        Language::English => (["Instance", "Now", "Change", "Then"], "Price", "Down"),
        Language::Chinese => (["实例", "当前", "更改", "完成后"], "价格", "停机"),
    };
    let mut header = named.to_vec();
    header.extend(priced.then_some(price_head));
    header.extend(timed.then_some(down_head));
    table.set_header(header);
    for instance in shown {
        let mut change = change_lines(plan, instance, look.language);
        let price = price_words(instance, look.language);
        let time = down_words(expected, instance, look);
        change.extend(price.clone().filter(|_| !priced));
        change.extend(time.clone().filter(|_| !timed).map(|time| down(&time, look.language)));
        let mut row = vec![
            two_lines(instance),
            power_now(instance, look.language),
            change.join("\n"),
            afterwards(instance, look.language).to_owned(),
        ];
        row.extend(priced.then(|| price.unwrap_or_default()));
        row.extend(timed.then(|| time.unwrap_or_default()));
        table.add_row(row);
    }
    out.extend(lines(&table));
    out.push(String::new());
}

/// The same without columns.
fn list(plan: &Plan, expected: &Expected, shown: &[&InstancePlan], look: Look, out: &mut Vec<String>) {
    for instance in shown {
        let name = full_name(instance);
        let head = match (power_now(instance, look.language), afterwards(instance, look.language)) {
            (now, then) if look.language == Language::Chinese => chinese::plan::head(&name, &now, then),
            (now, then) if now == then => format!("{name}: {now}, and so afterwards"),
            (now, then) => format!("{name}: {now}, afterwards {then}"),
        };
        out.extend(paragraph(0, "", &head, look));
        let time = down_words(expected, instance, look).map(|time| down(&time, look.language));
        let price = price_words(instance, look.language);
        for line in change_lines(plan, instance, look.language).into_iter().chain(price).chain(time) {
            out.extend(paragraph(2, "", &line, look));
        }
    }
    if !shown.is_empty() {
        out.push(String::new());
    }
}

fn two_lines(instance: &InstancePlan) -> String {
    let name = clean(instance.name());
    let id = clean(instance.id.as_str());
    if name == id { id } else { format!("{name}\n{id}") }
}

pub(super) fn power_now(instance: &InstancePlan, language: Language) -> String {
    if language == Language::Chinese {
        return clean(&chinese::plan::power_now(instance));
    }
    instance.found.as_ref().map(|found| clean(found.power.as_str())).unwrap_or_default()
}

/// `about 25s`, by what earlier operations took.
fn down_words(expected: &Expected, instance: &InstancePlan, look: Look) -> Option<String> {
    let (down, _) = expected.down(instance)?;
    Some(match look.language {
        Language::English => format!("about {}", span(down)),
        Language::Chinese => chinese::plan::about(down),
    })
}

fn down(time: &str, language: Language) -> String {
    match language {
        Language::English => format!("down {time}"),
        Language::Chinese => chinese::plan::down(time),
    }
}

pub(super) fn afterwards(instance: &InstancePlan, language: Language) -> &'static str {
    match (language, instance.ends) {
        (Language::English, EndPower::Running) => "RUNNING",
        (Language::English, EndPower::Stopped) => "STOPPED",
        (Language::Chinese, ends) => chinese::plan::afterwards(ends),
    }
}

/// A step in this language.
fn step_in(language: Language, plan: &Plan, step: &Step) -> String {
    match language {
        Language::English => step_words(plan, step),
        Language::Chinese => clean(&chinese::plan::step(plan, step)),
    }
}

fn price_words(instance: &InstancePlan, language: Language) -> Option<String> {
    match language {
        Language::English => price(instance),
        Language::Chinese => instance.price.as_ref().map(|change| clean(&chinese::plan::price(change))),
    }
}

pub(super) fn change_lines(plan: &Plan, instance: &InstancePlan, language: Language) -> Vec<String> {
    let power = instance.found.as_ref().map(|found| &found.power);
    match (instance.steps.as_slice(), power, instance.ends) {
        ([], Some(PowerState::Running), EndPower::Stopped) => vec![language.pick("stop", "关机").to_owned()],
        ([], Some(PowerState::Stopped), EndPower::Running) => vec![language.pick("start", "开机").to_owned()],
        ([], ..) => vec![language.pick("nothing to change", "无需更改").to_owned()],
        ([step], ..) => vec![step_in(language, plan, step)],
        (steps, ..) => (1..)
            .zip(steps)
            .map(|(number, step): (usize, _)| format!("{number}. {}", step_in(language, plan, step)))
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
    let steps = changed.iter().flat_map(|instance| &instance.steps);
    let reasons: BTreeMap<usize, (&str, &str)> =
        steps.map(|step| (rank(step), reason(step, look.language))).collect();
    out.push(look.paint(style::HEADING, look.language.pick("Order:", "顺序：")));
    out.extend(paragraph(2, "", &stop_words(plan, look.language), look));
    for (words, why) in reasons.values() {
        let line = match look.language {
            _ if reasons.len() == 1 => (*words).to_owned(),
            Language::English => format!("{words} ({why})"),
            Language::Chinese => chinese::plan::with_reason(words, why),
        };
        out.extend(paragraph(2, "", &line, look));
    }
    if changed.iter().any(|instance| instance.ends == EndPower::Running) {
        out.extend(paragraph(2, "", look.language.pick("start", "开机"), look));
    }
    for line in rollout(plan, look.language).into_iter().chain(limits(plan, &changed, look.language)) {
        out.extend(paragraph(2, "", &line, look));
    }
    out.push(String::new());
}

/// A step, and why it stands where it does.
fn reason(step: &Step, language: Language) -> (&'static str, &'static str) {
    match language {
        Language::English => (step.action().words(), step.why_here()),
        Language::Chinese => (chinese::action(step.action()), chinese::plan::why_here(step)),
    }
}

fn stop_words(plan: &Plan, language: Language) -> String {
    if language == Language::Chinese {
        return chinese::plan::stop(plan.stop.timeout, plan.stop.mode);
    }
    let mode = match plan.stop.mode {
        StopMode::Soft => "the guest is asked to shut down, its power is never cut",
        StopMode::SoftFirst => "the guest is asked to shut down; its power is cut if it does not",
        StopMode::Hard => "the power is cut at once",
    };
    format!("stop, for at most {} ({mode})", span(plan.stop.timeout))
}

/// What the workflow allows beyond one stop, and what it doesn't: the way back to the former type, and the downtime.
fn limits(plan: &Plan, changed: &[&InstancePlan], language: Language) -> Vec<String> {
    let resized = changed.iter().flat_map(|i| &i.steps).any(|step| step.action() == Action::Resize);
    let back = (plan.on_failure == OnFailure::RollBack && resized).then(|| {
        const ROLL_BACK: &str = "if it does not start or fails a check afterwards: stop once more if it runs, back to the former type, start";
        language.pick(ROLL_BACK, chinese::plan::ROLL_BACK).to_owned()
    });
    let budget = plan.downtime_budget.filter(|_| changed.iter().any(|i| i.is_stopped_by_run()));
    let budget = budget.map(|budget| match language {
        Language::English => {
            format!(
                "down for at most {}: what does not fit is left out, and the instance started",
                span(budget)
            )
        }
        Language::Chinese => chinese::plan::budget(budget),
    });
    back.into_iter().chain(budget).collect()
}

/// How many at a time, and who goes first; nothing where all go at once.
fn rollout(plan: &Plan, language: Language) -> Vec<String> {
    let touched = plan.instances.iter().filter(|i| i.refusals.is_empty() && !i.is_unchanged()).count();
    let at_once = plan.rollout.at_once.of(touched);
    let canaries: Vec<_> = plan.instances.iter().filter(|i| i.canary).map(|i| clean(i.name())).collect();
    let at_once = (at_once < touched).then(|| match language {
        Language::English => format!("at most {at_once} at a time"),
        Language::Chinese => chinese::plan::at_once(at_once),
    });
    let others = touched.saturating_sub(canaries.len());
    let first = (!canaries.is_empty() && others > 0).then(|| match language {
        Language::English => {
            let shown = canaries.iter().take(CANARIES).cloned().collect::<Vec<_>>().join(", ");
            let more = canaries.len().saturating_sub(CANARIES);
            let names = if more > 0 { format!("{shown} and {more} more") } else { shown };
            let (they, when) = if canaries.len() == 1 { ("it is", "it was") } else { ("they are", "they were") };
            match plan.rollout.pause {
                Pause::Person => {
                    format!("first {names}; the other {others} when {they} well and the person who approves says so")
                }
                Pause::None => format!("first {names}; the other {others} when {they} well"),
                Pause::For(time) => format!("first {names}; the other {others} {} after {when} well", span(time)),
            }
        }
        Language::Chinese => chinese::plan::canaries(&canaries, CANARIES, others, plan.rollout.pause),
    });
    at_once.into_iter().chain(first).collect()
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
        out.extend(match look.language {
            Language::English => paragraph(0, "note: ", note, look),
            Language::Chinese => paragraph(0, "注意：", &chinese::plan::note(plan, note), look),
        });
    }
    out.push(String::new());
}
