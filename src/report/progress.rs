//! How far an instance is on its way through its phases, and the bar that shows it.

use std::time::Duration;

use jiff::Timestamp;

use super::expected::Expected;
use super::story::{Phase, Row, Story};
use super::words::{Look, style};
use crate::clock::between;
use crate::cloud::{Action, PowerState};
use crate::plan::{EndPower, Step};

/// The phases behind an instance, and how much of the present one is over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Progress {
    /// How many phases it goes through.
    pub(super) phases: usize,
    /// How many are behind it.
    pub(super) over: usize,
    /// How much of the present one is over, from 0 to 1.
    pub(super) part: f64,
}

impl Progress {
    /// Of an instance that goes its planned way; `None` of one that does not.
    pub(super) fn of(
        story: &Story,
        row: &Row,
        phase: &Phase,
        expected: &Expected,
        now: Timestamp,
    ) -> Option<Self> {
        let way = Way::of(story, row);
        let phases = way.phases();
        let ledger = &row.state.ledger;
        let changed = way.stop + ledger.done.len().min(way.steps);
        let (over, part) = match phase {
            Phase::Done | Phase::Unchanged => (phases, 0.0),
            Phase::Waiting => (0, 0.0),
            Phase::Acting(action) => {
                let over = match action {
                    Action::Stop => 0,
                    Action::Resize | Action::ResetPassword | Action::LoadSshKeys => changed,
                    Action::Start => way.stop + way.steps,
                };
                (over, part(between(row.since(), now), *action, row, expected))
            }
            Phase::Checking => {
                let checks = ratio(ledger.checks_passed, story.plan().checks.len());
                (way.stop + way.steps + way.start, checks)
            }
            Phase::Looking if ledger.power == Some(PowerState::Running) => {
                (way.stop + way.steps + way.start, 0.0)
            }
            Phase::Stopped | Phase::Looking => (changed, 0.0),
            Phase::Unsure(_)
            | Phase::Retrying(..)
            | Phase::BringingBack
            | Phase::RollingBack
            | Phase::Suspended
            | Phase::NotBegun(_)
            | Phase::Failed
            | Phase::Stranded => return None,
        };
        (phases > 0).then_some(Self { phases, over: over.min(phases), part })
    }
}

/// The phases of an instance's way, each counted.
struct Way {
    stop: usize,
    steps: usize,
    start: usize,
    check: usize,
}

impl Way {
    fn of(story: &Story, row: &Row) -> Self {
        let runs = row.plan.ends == EndPower::Running;
        let ran = row.plan.found.as_ref().is_some_and(|found| found.power == PowerState::Running);
        let touched = row.plan.is_stopped_by_run();
        Self {
            stop: usize::from(touched),
            steps: row.plan.steps.iter().map(Step::action).count(),
            start: usize::from(runs && (touched || !ran)),
            check: usize::from(runs && !story.plan().checks.is_empty()),
        }
    }

    fn phases(&self) -> usize {
        self.stop + self.steps + self.start + self.check
    }
}

/// The part of an operation that is over by experience. It is never all before its end is seen, and without
/// experience nobody knows: a third, so that it can be told from what has not begun.
fn part(elapsed: Duration, action: Action, row: &Row, expected: &Expected) -> f64 {
    match expected.on(&row.plan, action).map(|expected| expected.late) {
        Some(late) if !late.is_zero() => (elapsed.as_secs_f64() / late.as_secs_f64()).min(0.95),
        _ => 1.0 / 3.0,
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of instances and checks fit 52 bits")]
fn ratio(part: usize, of: usize) -> f64 {
    if of == 0 { 0.0 } else { part as f64 / of as f64 }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a few columns, times a number from 0 to 1"
)]
fn columns_of(part: f64, columns: usize) -> usize {
    ((part * columns as f64) as usize).min(columns)
}

/// A bar of `columns` columns, a piece for each phase.
pub(super) fn bar(progress: &Progress, columns: usize, look: Look) -> String {
    // Where a piece would have no room of its own, there is none between them either.
    let apart = columns >= progress.phases * 2;
    let room = if apart { columns - (progress.phases - 1) } else { columns };
    let mut out = String::new();
    for phase in 0..progress.phases {
        // What can't be divided evenly goes to the first ones.
        let piece = room / progress.phases + usize::from(phase < room % progress.phases);
        if phase > 0 && apart {
            out.push(' ');
        }
        out.push_str(&match phase.cmp(&progress.over) {
            std::cmp::Ordering::Less => look.paint(style::GOOD, &"━".repeat(piece)),
            std::cmp::Ordering::Equal => {
                present(columns_of(progress.part, piece), piece, progress.part, look)
            }
            std::cmp::Ordering::Greater => look.paint(style::FAINT, &"─".repeat(piece)),
        });
    }
    out
}

/// The piece of the present phase: what is over, where it stands, what is left.
fn present(over: usize, piece: usize, part: f64, look: Look) -> String {
    if part <= 0.0 || piece == 0 {
        return look.paint(style::FAINT, &"─".repeat(piece));
    }
    let over = over.min(piece - 1);
    let done = look.paint(style::BUSY, &format!("{}╸", "━".repeat(over)));
    format!("{done}{}", look.paint(style::FAINT, &"─".repeat(piece - over - 1)))
}

/// A bar for the whole run, the percentage, and room for the time that is left.
pub(super) fn whole_bar(settled: usize, total: usize, look: Look) -> String {
    let part = ratio(settled, total);
    let columns = look.columns().min(80).saturating_sub(32);
    let over = columns_of(part, columns);
    let done = look.paint(style::GOOD, &"━".repeat(over));
    let left = look.paint(style::FAINT, &"─".repeat(columns - over));
    format!("{done}{left} {:>3} %", columns_of(part, 100))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_has_a_piece_for_each_phase_and_its_exact_width() {
        let shown =
            |phases, over, part, columns| bar(&Progress { phases, over, part }, columns, Look::plain(80));
        assert_eq!(shown(3, 0, 0.0, 11), "─── ─── ───");
        assert_eq!(shown(3, 0, 0.1, 11), "╸── ─── ───");
        assert_eq!(shown(3, 1, 0.95, 20), "━━━━━━ ━━━━━╸ ──────");
        assert_eq!(shown(3, 3, 0.0, 11), "━━━ ━━━ ━━━");
        assert_eq!(shown(4, 2, 0.5, 12), "━━━ ━━ ━╸ ──");
        assert_eq!(shown(5, 1, 0.3, 8), "━━╸─────", "too little room for gaps");
        for (phases, columns) in [(1, 11), (5, 8), (5, 11), (6, 30), (6, 8)] {
            assert_eq!(shown(phases, 0, 0.5, columns).chars().count(), columns);
        }
    }

    #[test]
    fn the_whole_is_full_only_at_the_end() {
        let plain = Look::plain(62);
        assert_eq!(whole_bar(0, 1000, plain), format!("{}   0 %", "─".repeat(30)));
        assert!(whole_bar(999, 1000, plain).ends_with("─  99 %"));
        assert!(whole_bar(1000, 1000, plain).ends_with("━ 100 %"));
    }
}
