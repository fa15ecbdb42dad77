//! A run on the screen: the board on a terminal, lines elsewhere, JSON if asked for; and the signals that end it.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use jiff::tz::TimeZone;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;

use super::args::Output;
use super::keyboard::Keyboard;
use super::signals::Signals;
use super::terminal::Terminal;
use crate::clock::Clock;
use crate::journal::{Event, Order, Record};
use crate::report::{Story, StoryError, board, instances, json, line};

/// How often the seconds on the board are brought up to date.
const TICK: Duration = Duration::from_millis(200);
/// How long the engine may take to leave after it was told to.
const GRACE: Duration = Duration::from_secs(3);

/// Shows one run.
pub(super) struct Live {
    terminal: Terminal,
    story: Story,
    /// Records before this one were told by another process.
    fresh: u64,
    /// The run can be taken up again: its cloud outlives this process.
    resumable: bool,
    clock: Clock,
    zone: TimeZone,
    bars: Vec<ProgressBar>,
}

impl Live {
    /// Begins with what the journal holds already, and tells of it from the record `fresh` on.
    pub(super) fn new(
        terminal: Terminal,
        records: &[Record],
        fresh: u64,
        resumable: bool,
        clock: Clock,
    ) -> Result<Self, StoryError> {
        let story = Story::begin(records.first().ok_or(StoryError::Empty)?)?;
        Ok(Self { terminal, story, fresh, resumable, clock, zone: TimeZone::system(), bars: Vec::new() })
    }

    /// The run as it stands.
    pub(super) fn story(&self) -> &Story {
        &self.story
    }

    /// Shows records as they come, and passes signals on as orders, until `feed` ends.
    /// After the order to leave it returns even if the feed does not end; `true` says that it did.
    pub(super) async fn follow(
        &mut self,
        mut feed: UnboundedReceiver<Record>,
        signals: &mut Signals,
        orders: &watch::Sender<Order>,
    ) -> bool {
        let _quiet = self.terminal.screen().moving.then(Keyboard::without_control_characters);
        let mut leave_by = None;
        let left = loop {
            tokio::select! {
                record = feed.recv() => match record {
                    Some(record) => self.record(&record),
                    None => break false,
                },
                name = signals.next() => {
                    let order = self.escalate(name, orders);
                    if order == Order::LeaveNow {
                        leave_by.get_or_insert_with(|| self.clock.now() + GRACE);
                    }
                }
                () = self.clock.sleep(TICK) => {}
            }
            self.draw();
            if leave_by.is_some_and(|by| self.clock.now() >= by) {
                break true;
            }
        };
        self.clear();
        left
    }

    /// The first signal brings all back, every further one leaves.
    fn escalate(&self, name: &str, orders: &watch::Sender<Order>) -> Order {
        let order = match *orders.borrow() {
            Order::CarryOn => Order::BringBack,
            Order::BringBack | Order::LeaveNow => Order::LeaveNow,
        };
        let down = self.story.rows().iter().filter(|row| row.is_down()).count();
        let run = self.story.run();
        self.terminal.say(&match order {
            Order::CarryOn | Order::BringBack => format!(
                "{name}: nothing new is begun; {} that this run stopped {} brought back. Once more leaves them as they are",
                instances(down),
                if down == 1 { "is" } else { "are" },
            ),
            Order::LeaveNow => format!(
                "{name}: leaving; {} left down. {}",
                if down == 1 { "1 instance is".to_owned() } else { format!("{} are", instances(down)) },
                if self.resumable {
                    format!("To bring everything back: pitstop resume {run}")
                } else {
                    "The simulated cloud ends with this process".to_owned()
                },
            ),
        });
        orders.send_replace(order);
        order
    }

    fn record(&mut self, record: &Record) {
        if record.seq >= self.fresh {
            match self.terminal.output() {
                Output::Json => self.terminal.feed(&json::record(record)),
                Output::Human if self.is_worth_a_line(record) => {
                    if let Some(line) = line(&self.story, record, &self.zone) {
                        self.terminal.say(&line);
                    }
                }
                Output::Human => {}
            }
        }
        if record.seq == 0 {
            return;
        }
        if let Err(error) = self.story.fold(record) {
            tracing::error!("the screen is no longer right: {error}");
        }
    }

    /// Above a board only what the board does not keep; elsewhere everything.
    fn is_worth_a_line(&self, record: &Record) -> bool {
        !self.terminal.screen().moving
            || matches!(
                record.event,
                Event::Refused { .. } | Event::Lost { .. } | Event::Failed { .. } | Event::KeyImported { .. }
            )
    }

    fn draw(&mut self) {
        if !self.terminal.screen().moving {
            return;
        }
        let most = Terminal::rows().saturating_sub(4).max(1);
        let lines = board(&self.story, self.clock.now(), self.terminal.stderr_look(), most);
        while self.bars.len() > lines.len() {
            if let Some(bar) = self.bars.pop() {
                self.terminal.bars().remove(&bar);
            }
        }
        while self.bars.len() < lines.len() {
            let bar = ProgressBar::new_spinner().with_style(message_only());
            self.bars.push(self.terminal.bars().add(bar));
        }
        for (bar, line) in self.bars.iter().zip(lines) {
            bar.set_message(line);
        }
    }

    /// Takes the board off the screen; what is left there is printed as lines.
    fn clear(&mut self) {
        for bar in self.bars.drain(..) {
            bar.finish_and_clear();
            self.terminal.bars().remove(&bar);
        }
    }
}

fn message_only() -> ProgressStyle {
    ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner())
}
