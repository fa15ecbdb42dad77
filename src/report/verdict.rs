//! The end of a run: one verdict per instance, and the one command that helps where help is needed.

use super::layout::paragraph;
use super::lines::{became, down_words, verdict_words};
use super::plan_table::full_name;
use super::story::{Phase, Row, Story};
use super::words::{Look, clean, instances, style};
use crate::cloud::{Action, CloudError};
use crate::journal::{Failure, Verdict};
use crate::plan::{EndPower, Step};

/// One verdict per instance, then the next command to type. A run whose cloud is gone is not `resumable`.
pub fn verdicts(story: &Story, look: Look, resumable: bool) -> String {
    let mut out = Vec::new();
    for row in story.rows() {
        verdict(story, row, look, &mut out);
    }
    out.push(String::new());
    out.push(outcome_line(story));
    for command in next_commands(story, resumable) {
        out.push(format!("next: {command}"));
    }
    out.push(String::new());
    out.join("\n")
}

fn verdict(story: &Story, row: &Row, look: Look, out: &mut Vec<String>) {
    let phase = story.phase(row);
    let (mark, paint) = match phase {
        Phase::Done | Phase::Unchanged => ("✓ ", style::GOOD),
        Phase::Failed | Phase::Stranded => ("✗ ", style::BAD),
        _ => ("- ", style::RISK),
    };
    let words = match row.state.verdict() {
        Some(verdict) => format!("{}{}", verdict_words(verdict).trim_end_matches('.'), became(row, verdict)),
        None if row.is_suspended() => format!("{}; {}", phase.words(), progress(row)),
        None if row.state.ledger.touched => format!("left while {}", phase.words()),
        None => "not begun: the run was ended early".to_owned(),
    };
    let down = row.down(story.last());
    let down = if down.is_zero() { String::new() } else { format!(", was down {}", down_words(story, down)) };
    let words = words.trim_end_matches('.');
    let head = format!("{}: {words}{down}", full_name(&row.plan));
    let mut lines = paragraph(0, mark, &head, look.columns());
    if let Some(first) = lines.first_mut() {
        *first = first.replacen(mark.trim_end(), &look.paint(paint, mark.trim_end()), 1);
    }
    out.append(&mut lines);
    details(story, row, look, out);
}

fn details(story: &Story, row: &Row, look: Look, out: &mut Vec<String>) {
    let columns = look.columns();
    if let Some(failure) = row.failure() {
        if let Some(error) = cloud_error(failure) {
            out.extend(paragraph(4, "hint: ", error.hint(), columns));
        }
        for (action, request) in &row.requests {
            out.push(clean(&format!("    request: {} {request}", action.api_name())));
        }
    }
    if let Some(CloudError { request: Some(request), .. }) = row.failure().and_then(cloud_error) {
        out.push(clean(&format!("    refused request: {request}")));
    }
    for difference in &row.differences {
        out.extend(paragraph(4, "different: ", difference, columns));
    }
    if let Some(command) = rescue(story, row) {
        // Never wrapped: it is there to be copied.
        out.push(format!("    to mend it: {command}"));
    }
}

/// What was done of what was planned.
pub(super) fn progress(row: &Row) -> String {
    let done: Vec<_> = row.state.ledger.done.iter().map(|action| action.words()).collect();
    let left: Vec<_> = row
        .plan
        .steps
        .iter()
        .map(Step::action)
        .filter(|action| !row.state.ledger.done.contains(action))
        .map(Action::words)
        .collect();
    let list = |of: Vec<&str>| if of.is_empty() { "nothing".to_owned() } else { of.join(", ") };
    format!("made: {}; left: {}", list(done), list(left))
}

pub(super) fn cloud_error(failure: &Failure) -> Option<&CloudError> {
    match failure.root() {
        Failure::Refused { error, .. } => Some(error),
        _ => None,
    }
}

/// The command that gives a stranded instance the power that the workflow wants.
pub(super) fn rescue(story: &Story, row: &Row) -> Option<String> {
    let Some(Verdict::Stranded { failure, .. }) = row.state.verdict() else { return None };
    if *failure.root() == Failure::Gone {
        return None;
    }
    let region = &story.plan().region;
    let id = &row.plan.id;
    let call = match row.plan.ends {
        EndPower::Running => "StartInstances",
        EndPower::Stopped => "StopInstances --StopType SOFT --StoppedMode KEEP_CHARGING",
    };
    Some(clean(&format!("tccli cvm {call} --region {region} --InstanceIds '[\"{id}\"]'")))
}

/// How many instances ended how.
pub fn outcome_line(story: &Story) -> String {
    let count =
        |fits: &dyn Fn(&Phase) -> bool| story.rows().iter().filter(|row| fits(&story.phase(row))).count();
    let table = [
        (count(&|phase| *phase == Phase::Done), "done"),
        (count(&|phase| *phase == Phase::Unchanged), "unchanged"),
        (count(&|phase| *phase == Phase::Failed), "failed"),
        (count(&|phase| *phase == Phase::Stranded), "in need of a person"),
        (count(&|phase| *phase == Phase::Suspended), "brought back, not finished"),
        (count(&|phase| matches!(phase, Phase::NotBegun(_) | Phase::Waiting)), "not begun"),
        (count(&|phase| !phase.is_settled() && *phase != Phase::Waiting), "left under way"),
    ];
    let parts: Vec<_> = table
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, words)| format!("{count} {words}"))
        .collect();
    format!("run {}: {} of {}", story.run(), parts.join(", "), instances(story.rows().len()))
}

/// What to type next, if something is left to do.
pub(super) fn next_commands(story: &Story, resumable: bool) -> Vec<String> {
    let mut commands = Vec::new();
    if resumable && !story.ended() && story.rows().iter().any(|row| row.state.verdict().is_none()) {
        commands.push(format!("pitstop resume {}", story.run()));
    }
    if story.rows().iter().any(|row| row.failure().is_some()) {
        commands.push(format!("pitstop show {}", story.run()));
    }
    commands
}
