//! The run as plain lines, one for each event that a person would want in a log.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::story::{Row, Story, doing, halt_words};
use super::words::{clean, exact, span, time_of_day};
use crate::cloud::{Action, PowerState};
use crate::journal::{Event, Intent, Order, Record, Stage, Verdict};

/// The line for `record`, which `story` does not hold yet; `None` if it says nothing new to a person.
pub fn line(story: &Story, record: &Record, zone: &TimeZone) -> Option<String> {
    let words = words(story, record)?;
    let name = record.instance.as_ref().map(|id| {
        let name = story.row(id).map_or(id.as_str(), |row| row.plan.name());
        format!("{name}: ")
    });
    Some(clean(&format!("{} {}{words}", time_of_day(record.at, zone), name.unwrap_or_default())))
}

fn words(story: &Story, record: &Record) -> Option<String> {
    let row = record.instance.as_ref().and_then(|id| story.row(id));
    let stage = row.map(|row| &row.state.stage);
    let action = match stage {
        Some(Stage::Intended { intent, .. } | Stage::Underway { intent, .. }) => Some(intent.action()),
        Some(Stage::Ready | Stage::Ended { .. }) | None => None,
    };
    let call = action.map_or("the call", Action::words);
    match &record.event {
        Event::RunBegan { .. } => Some(format!("run {} begins", record.run)),
        // The process that begins a run takes it at once.
        Event::RunTaken { .. } if record.seq == 1 => None,
        Event::RunTaken { by } => Some(format!("run {} is taken up again by {by}", record.run)),
        Event::KeyImportIntended { name } => Some(format!("importing the key {name}")),
        Event::KeyImported { key } => Some(format!("the key is imported as {key}")),
        Event::Ordered { order } => Some(order_words(*order).to_owned()),
        Event::Paused { until: None } => {
            Some("the canaries are well; waiting for a person to carry on".to_owned())
        }
        Event::Paused { until: Some(until) } => {
            Some(format!("the canaries are well; the others begin at {}", until.strftime("%H:%M:%S UTC")))
        }
        Event::Continued => Some("the others begin".to_owned()),
        Event::RunEnded => Some("the run has ended".to_owned()),
        Event::Seen { power, .. } => {
            let known = row.and_then(|row| row.state.ledger.power.as_ref());
            let news = known.is_some() && known != Some(power) && !is_expected(action, power);
            news.then(|| format!("is {power} now"))
        }
        Event::Intended { intent, .. } => Some(intent_words(intent)),
        Event::Accepted { .. } => None,
        Event::Refused { error, .. } => Some(format!("{call} was refused: {error}")),
        Event::Lost { error } => Some(format!("{call}: no clear answer ({error}); looking at the instance")),
        Event::NotExecuted => Some(format!("{call} was not executed")),
        Event::Achieved { took } => Some(format!("{call} done, took {}", exact(*took))),
        Event::Failed { failure } => Some(format!("failed: {failure}")),
        // Why, the line before said.
        Event::FellBack { from, to, .. } => {
            let stays = row.is_some_and(|row| row.state.ledger.instance_type.as_ref() == Some(to));
            let instead = if stays { "it stays" } else { "falling back to" };
            Some(format!("{from} can't be had: {instead} {to}"))
        }
        Event::RollBackBegan { to } => Some(format!("rolling back to {to}")),
        Event::CheckPassed { check } => Some(format!("check {} passed", check + 1)),
        Event::Suspended => Some("brought back, not finished".to_owned()),
        Event::Ended { verdict, .. } => {
            let down = row.map(|row| row.down(record.at)).filter(|down| !down.is_zero());
            let down = down.map(|down| format!(", was down {}", down_words(story, down))).unwrap_or_default();
            let became = row.map(|row| became(row, verdict)).unwrap_or_default();
            Some(format!("{}{became}{down}", verdict_words(verdict).trim_end_matches('.')))
        }
    }
}

/// A power state that the call under way goes through by itself.
fn is_expected(action: Option<Action>, power: &PowerState) -> bool {
    match action {
        Some(Action::Stop) => matches!(power, PowerState::Stopping | PowerState::Stopped),
        Some(Action::Start) => matches!(power, PowerState::Starting | PowerState::Running),
        Some(Action::Resize | Action::ResetPassword | Action::LoadSshKeys) | None => false,
    }
}

fn order_words(order: Order) -> &'static str {
    match order {
        Order::CarryOn => "carrying on",
        Order::BringBack => {
            "asked to end early: nothing new is begun, every stopped instance is brought back"
        }
        Order::LeaveNow => "asked to leave at once",
    }
}

pub(super) fn intent_words(intent: &Intent) -> String {
    let doing = doing(intent.action());
    match intent {
        Intent::Stop { .. } | Intent::Start => doing.to_owned(),
        Intent::LoadSshKeys { keys } => {
            format!("{doing} {}", keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
        }
        Intent::ResetPassword { user } => format!("{doing} of {user}"),
        Intent::Resize { to } => format!("{doing} to {to}"),
    }
}

/// How long it was down, and of how much if there was a budget.
pub(super) fn down_words(story: &Story, down: Duration) -> String {
    match story.plan().downtime_budget {
        Some(budget) => format!("{} of {} allowed", exact(down), span(budget)),
        None => exact(down),
    }
}

/// Which type it got, where the workflow left a choice.
pub(super) fn became(row: &Row, verdict: &Verdict) -> String {
    match row.chosen_type().filter(|_| *verdict == Verdict::Done) {
        Some(to) => format!(" as {to}"),
        None => String::new(),
    }
}

/// A verdict in words, with what went wrong.
pub(super) fn verdict_words(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Done => "done".to_owned(),
        Verdict::Unchanged => "unchanged".to_owned(),
        Verdict::NotBegun { why } => format!("not begun: {}", halt_words(*why)),
        Verdict::Failed { failure } => format!("FAILED: {failure}"),
        Verdict::Stranded { failure, power } => format!("NEEDS A PERSON, it is {power}: {failure}"),
    }
}
