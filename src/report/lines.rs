//! The run as plain lines, one for each event that a person would want in a log.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::chinese;
use super::language::Language;
use super::story::{Row, Story, doing, halt_words};
use super::words::{clean, exact, span, time_of_day};
use crate::cloud::{Action, PowerState};
use crate::journal::{Event, Intent, Order, Record, Stage, Verdict};

/// Of more instances than this, lines tell only what a person has to know of a single one.
const MANY: usize = 25;

/// There are too many instances to tell everything of each.
pub fn is_a_crowd(story: &Story) -> bool {
    story.rows().len() > MANY
}

/// Of few instances everything is worth a line; of many what concerns the run as a whole, and trouble.
pub fn is_worth_a_line(story: &Story, record: &Record) -> bool {
    !is_a_crowd(story)
        || match &record.event {
            Event::Failed { .. } | Event::Ended { verdict: Verdict::Stranded { .. }, .. } => true,
            _ => record.instance.is_none(),
        }
}

/// The line for `record`, which `story` does not hold yet; `None` if it says nothing new to a person.
pub fn line(story: &Story, record: &Record, zone: &TimeZone) -> Option<String> {
    line_in(Language::English, story, record, zone)
}

/// The same in this language.
pub fn line_in(language: Language, story: &Story, record: &Record, zone: &TimeZone) -> Option<String> {
    let words = match language {
        Language::English => words(story, record)?,
        Language::Chinese => chinese_words(story, record)?,
    };
    let name = record.instance.as_ref().map(|id| {
        let name = story.row(id).map_or(id.as_str(), |row| row.plan.name());
        format!("{name}{}", language.pick(": ", "："))
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

/// The same in Chinese.
fn chinese_words(story: &Story, record: &Record) -> Option<String> {
    use chinese::lines as say;
    let row = record.instance.as_ref().and_then(|id| story.row(id));
    let action = match row.map(|row| &row.state.stage) {
        Some(Stage::Intended { intent, .. } | Stage::Underway { intent, .. }) => Some(intent.action()),
        Some(Stage::Ready | Stage::Ended { .. }) | None => None,
    };
    let call = say::call(action);
    match &record.event {
        Event::RunBegan { .. } => Some(say::begins(record.run)),
        Event::RunTaken { .. } if record.seq == 1 => None,
        Event::RunTaken { by } => Some(say::taken(record.run, by)),
        Event::KeyImportIntended { name } => Some(say::importing(name)),
        Event::KeyImported { key } => Some(say::imported(key.as_str())),
        Event::Ordered { order } => Some(say::order(*order).to_owned()),
        Event::Paused { until } => {
            let until = until.map(|until| until.strftime("%H:%M:%S UTC").to_string());
            Some(say::paused(until.as_deref()))
        }
        Event::Continued => Some(say::CONTINUED.to_owned()),
        Event::RunEnded => Some(say::RUN_ENDED.to_owned()),
        Event::Seen { power, .. } => {
            let known = row.and_then(|row| row.state.ledger.power.as_ref());
            let news = known.is_some() && known != Some(power) && !is_expected(action, power);
            news.then(|| say::is_now(power))
        }
        Event::Intended { intent, .. } => Some(say::intent(intent)),
        Event::Accepted { .. } => None,
        Event::Refused { error, .. } => Some(say::refused(call, error)),
        Event::Lost { error } => Some(say::lost(call, error)),
        Event::NotExecuted => Some(say::not_executed(call)),
        Event::Achieved { took } => Some(say::achieved(call, *took)),
        Event::Failed { failure } => Some(say::failed(failure)),
        Event::FellBack { from, to, error } => {
            let stays = row.is_some_and(|row| row.state.ledger.instance_type.as_ref() == Some(to));
            Some(say::fell_back(from, to, error, stays))
        }
        Event::RollBackBegan { to } => Some(say::rolling_back(to)),
        Event::CheckPassed { check } => Some(say::check_passed(check + 1)),
        Event::Suspended => Some(say::SUSPENDED.to_owned()),
        Event::Ended { verdict, .. } => {
            let down = row.map(|row| row.down(record.at)).filter(|down| !down.is_zero());
            let down = down.map(|down| chinese_down_words(story, down)).unwrap_or_default();
            let became = row.map(|row| chinese_became(row, verdict)).unwrap_or_default();
            Some(format!("{}{became}{down}", trimmed(&chinese::verdict::words(verdict))))
        }
    }
}

/// Without the full stop that the vendor's words may end with.
pub(super) fn trimmed(words: &str) -> &str {
    words.trim_end_matches(['.', '。'])
}

/// After a comma: how long it was down, and of how much if there was a budget.
pub(super) fn chinese_down_words(story: &Story, down: Duration) -> String {
    format!("，{}", chinese::verdict::down(down, story.plan().downtime_budget))
}

pub(super) fn chinese_became(row: &Row, verdict: &Verdict) -> String {
    let to = row.chosen_type().filter(|_| *verdict == Verdict::Done);
    to.map(chinese::verdict::became).unwrap_or_default()
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
