//! The block of lines at the bottom of the screen that is drawn over and over, and what becomes of it when the window
//! changes its size.
//!
//! indicatif fills every line of the block to the full width and lets the terminal break it there. A terminal that
//! breaks its lines anew when it becomes narrower or wider (most do; xterm does not) so changes how many rows the block
//! takes, and indicatif would clear too few or too many of them.

use std::io::{self, Write as _};
use std::sync::{Mutex, PoisonError};

use dialoguer::console::Term;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The block. There is one for a screen.
#[derive(Debug)]
pub(super) struct Block {
    bars: MultiProgress,
    /// The terminal breaks lines anew when its width changes.
    reflows: bool,
    drawn: Mutex<Drawn>,
}

/// What is on the screen.
#[derive(Debug, Default)]
struct Drawn {
    bar: Option<ProgressBar>,
    lines: usize,
    /// The window's columns and rows then.
    window: (usize, usize),
    /// Somebody is asked something: nothing is drawn meanwhile.
    aside: bool,
}

impl Block {
    /// A block on stderr, or, if the screen can't move its cursor, one that is never seen.
    pub(super) fn new(moving: bool, reflows: bool) -> Self {
        let bars = MultiProgress::with_draw_target(target(moving));
        Self { bars, reflows, drawn: Mutex::default() }
    }

    /// Draws these lines in place of the ones before.
    pub(super) fn draw(&self, lines: &[String]) {
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        if drawn.aside {
            return;
        }
        self.settle(&mut drawn);
        let bar = drawn
            .bar
            .get_or_insert_with(|| self.bars.add(ProgressBar::new_spinner().with_style(message_only())));
        bar.set_message(lines.join("\n"));
        drawn.lines = lines.len();
        drawn.window = window();
    }

    /// Takes it off the screen.
    pub(super) fn clear(&self) {
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        self.settle(&mut drawn);
        self.remove(&mut drawn);
    }

    /// Writes something above the block.
    pub(super) fn above<T>(&self, write: impl FnOnce() -> T) -> T {
        // A panic while it is drawn is told of as well.
        if let Ok(mut drawn) = self.drawn.try_lock() {
            self.settle(&mut drawn);
        }
        self.bars.suspend(write)
    }

    /// Leaves the screen to a question, until what is returned is dropped.
    pub(super) fn step_aside(&self) -> Aside<'_> {
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        self.settle(&mut drawn);
        self.remove(&mut drawn);
        drawn.aside = true;
        Aside(self)
    }

    fn remove(&self, drawn: &mut Drawn) {
        if let Some(bar) = drawn.bar.take() {
            bar.finish_and_clear();
            self.bars.remove(&bar);
        }
        drawn.lines = 0;
    }

    /// Clears what a change of the window's size has made of the block.
    fn settle(&self, drawn: &mut Drawn) {
        let now = window();
        if drawn.lines == 0 || drawn.window == now || self.bars.is_hidden() {
            return;
        }
        let (before, after) = (drawn.window.0, now.0);
        drawn.window = now;
        let rows = if self.reflows { rows(drawn.lines, before, after) } else { drawn.lines };
        if rows.max(drawn.lines) * 2 > now.1 {
            // Some of it may have left the screen and come back: only a screen that is cleared whole is clean.
            self.bars.suspend(|| paint("\u{1b}[H\u{1b}[J"));
        } else if rows < drawn.lines {
            // indicatif goes up by as many rows as it has drawn.
            paint(&"\n".repeat(drawn.lines - rows));
            self.bars.suspend(|| ());
        } else if rows > drawn.lines {
            let above = rows - drawn.lines;
            self.bars.suspend(|| paint(&format!("\u{1b}[{above}A\r\u{1b}[J")));
        }
    }
}

/// There is nowhere to complain if writing to the screen fails.
fn paint(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// How many rows a block of `lines` lines, each filled to `before` columns, takes when broken anew to `now` columns.
fn rows(lines: usize, before: usize, now: usize) -> usize {
    (lines * before).div_ceil(now.max(1))
}

/// The block is off the screen while this lives.
pub(super) struct Aside<'a>(&'a Block);

impl Drop for Aside<'_> {
    fn drop(&mut self) {
        self.0.drawn.lock().unwrap_or_else(PoisonError::into_inner).aside = false;
    }
}

fn window() -> (usize, usize) {
    Term::stderr().size_checked().map_or((100, 24), |(rows, columns)| (columns.into(), rows.into()))
}

fn target(moving: bool) -> ProgressDrawTarget {
    if moving { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() }
}

fn message_only() -> ProgressStyle {
    ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_takes_more_rows_when_narrower_and_fewer_when_wider() {
        assert_eq!(rows(5, 80, 80), 5);
        assert_eq!(rows(5, 80, 50), 8);
        assert_eq!(rows(5, 50, 120), 3);
        assert_eq!(rows(1, 80, 79), 2);
    }
}
