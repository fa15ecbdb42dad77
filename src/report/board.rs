//! The live board: one line per instance and a summary, as a pure function of the story and the time.

use jiff::Timestamp;

use super::layout::{fit, paragraph, width};
use super::story::{Phase, Row, Story};
use super::words::{Look, span, style};
use crate::clock::between;
use crate::journal::Order;

/// The board's lines: at most `most` instances, those first where something happens, and a summary below.
pub fn board(story: &Story, now: Timestamp, look: Look, most: usize) -> Vec<String> {
    let names = story.rows().iter().map(|row| width(row.plan.name())).max().unwrap_or_default();
    let names = names.min(look.columns() / 3);
    let mut shown: Vec<(&Row, Phase)> = story.rows().iter().map(|row| (row, story.phase(row))).collect();
    let hidden = shown.len().saturating_sub(most);
    if hidden > 0 {
        shown.sort_by_key(|(_, phase)| prominence(phase));
        shown.truncate(most);
    }
    let mut lines: Vec<String> =
        shown.iter().map(|(row, phase)| line(row, phase, now, names, look)).collect();
    if hidden > 0 {
        lines.push(format!("  … and {hidden} more"));
    }
    lines.extend(paragraph(2, "", &board_summary(story, now), look.columns()));
    lines
}

/// What people look for first when there is no room for all.
fn prominence(phase: &Phase) -> u8 {
    match phase {
        Phase::Stranded => 0,
        Phase::Failed => 1,
        Phase::BringingBack | Phase::RollingBack | Phase::Retrying(..) | Phase::Unsure(_) => 2,
        Phase::Acting(_) | Phase::Stopped | Phase::Checking | Phase::Looking => 3,
        Phase::Waiting => 4,
        Phase::Suspended => 5,
        Phase::Done | Phase::Unchanged | Phase::NotBegun(_) => 6,
    }
}

fn line(row: &Row, phase: &Phase, now: Timestamp, names: usize, look: Look) -> String {
    let down = row.down(now);
    let down = if down.is_zero() { String::new() } else { format!("down {}", span(down)) };
    let elapsed = match phase {
        Phase::Acting(_) | Phase::Unsure(_) => format!(" {}", span(between(row.since(), now))),
        _ => String::new(),
    };
    let room = look.columns().saturating_sub(2 + names + 2 + 2 + DOWN + 1);
    let what = fit(&format!("{}{elapsed}", phase.words()), room);
    // Where nothing follows, no blanks are painted either.
    let what = if down.is_empty() { what.trim_end().to_owned() } else { what };
    let painted = match phase {
        Phase::Done | Phase::Unchanged => look.paint(style::GOOD, &what),
        Phase::Failed | Phase::Stranded => look.paint(style::BAD, &what),
        Phase::Unsure(_)
        | Phase::Retrying(..)
        | Phase::BringingBack
        | Phase::RollingBack
        | Phase::Suspended => look.paint(style::RISK, &what),
        Phase::Waiting | Phase::NotBegun(_) => look.paint(style::FAINT, &what),
        Phase::Acting(_) | Phase::Stopped | Phase::Checking | Phase::Looking => what,
    };
    format!("{} {}  {painted}  {down}", mark(phase), fit(row.plan.name(), names)).trim_end().to_owned()
}

/// The room for `down 59m 59s`.
const DOWN: usize = 12;

/// A sign that says the same as the colour.
fn mark(phase: &Phase) -> char {
    match phase {
        Phase::Done | Phase::Unchanged => '✓',
        Phase::Failed | Phase::Stranded => '✗',
        Phase::Suspended | Phase::NotBegun(_) => '-',
        Phase::Waiting => '·',
        Phase::Unsure(_) | Phase::Retrying(..) | Phase::BringingBack | Phase::RollingBack => '!',
        Phase::Acting(_) | Phase::Stopped | Phase::Checking | Phase::Looking => '▸',
    }
}

/// `2 of 5 finished, 2 under way, 1 waiting, 1 down, 1m 07s since the run began`.
pub fn board_summary(story: &Story, now: Timestamp) -> String {
    let phases: Vec<Phase> = story.rows().iter().map(|row| story.phase(row)).collect();
    let settled = phases.iter().filter(|phase| phase.is_settled()).count();
    let waiting = phases.iter().filter(|phase| **phase == Phase::Waiting).count();
    let under_way = phases.len() - settled - waiting;
    let down = story.rows().iter().filter(|row| row.is_down() && !story.phase(row).is_settled()).count();
    let mut parts = vec![format!("{settled} of {} finished", phases.len())];
    for (count, words) in [(under_way, "under way"), (waiting, "waiting"), (down, "down")] {
        if count > 0 {
            parts.push(format!("{count} {words}"));
        }
    }
    parts.push(format!("{} so far", span(between(story.began(), now))));
    let order = match story.order() {
        Order::CarryOn => "",
        Order::BringBack => "; bringing all back, Ctrl-C again leaves at once",
        Order::LeaveNow => "; leaving",
    };
    format!("{}{order}", parts.join(", "))
}
