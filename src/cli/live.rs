//! A run on the screen: the board on a terminal, lines elsewhere, JSON if asked for; and the signals that end it.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;

use super::args::Output;
use super::keyboard::Keyboard;
use super::past::Past;
use super::signals::Signals;
use super::terminal::Terminal;
use crate::clock::{Clock, between};
use crate::journal::{Event, Order, Record, Stage, Took};
use crate::report::{
    Board, Story, StoryError, board_summary, interrupted_words, is_a_crowd, is_worth_a_line, json, line_in,
    time_of_day, way_back_words, wrapped,
};

/// How often the seconds on the board are brought up to date.
const TICK: Duration = Duration::from_millis(200);
/// The board is drawn no more often than this, however much happens.
const REDRAW: Duration = Duration::from_millis(100);
/// How many events the board can show.
const RECENT: usize = 20;
/// How often such a summary is written.
const SUMMARY: Duration = Duration::from_mins(1);
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
    past: Past,
    recent: VecDeque<String>,
    drawn_at: Option<Timestamp>,
    summed_up_at: Timestamp,
}

impl Live {
    /// Begins with what the journal holds already, and tells of it from the record `fresh` on.
    pub(super) fn new(
        terminal: Terminal,
        records: &[Record],
        fresh: u64,
        resumable: bool,
        (clock, past): (Clock, Past),
    ) -> Result<Self, StoryError> {
        let story = Story::begin(records.first().ok_or(StoryError::Empty)?)?;
        Ok(Self {
            terminal,
            story,
            fresh,
            resumable,
            zone: TimeZone::system(),
            past,
            recent: VecDeque::with_capacity(RECENT),
            drawn_at: None,
            summed_up_at: clock.stamp(),
            clock,
        })
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
            self.show();
            if leave_by.is_some_and(|by| self.clock.now() >= by) {
                break true;
            }
        };
        self.terminal.block().clear();
        left
    }

    /// The first signal brings all back, every further one leaves.
    fn escalate(&self, name: &str, orders: &watch::Sender<Order>) -> Order {
        let order = match *orders.borrow() {
            Order::CarryOn => Order::BringBack,
            Order::BringBack | Order::LeaveNow => Order::LeaveNow,
        };
        let down = self.story.tally().down();
        let words = interrupted_words(name, order, down, self.terminal.language());
        let moving = self.terminal.screen().moving;
        self.terminal.say(&if moving { wrapped(&words, self.terminal.stderr_look()) } else { words });
        if order == Order::LeaveNow {
            // Never wrapped: it is there to be copied.
            let run = self.resumable.then(|| self.story.run());
            self.terminal.say(&way_back_words(run, self.terminal.language()));
        }
        orders.send_replace(order);
        order
    }

    fn record(&mut self, record: &Record) {
        if record.seq >= self.fresh {
            match self.terminal.output() {
                Output::Json => self.terminal.feed(&json::record(record)),
                Output::Human => self.tell(record),
            }
            self.learn(record);
        }
        if record.seq == 0 {
            return;
        }
        if let Err(error) = self.story.fold(record) {
            tracing::error!("the screen is no longer right: {error}");
        }
    }

    /// Below a board the last events are shown; without one, those worth reading are written as lines.
    fn tell(&mut self, record: &Record) {
        let moving = self.terminal.screen().moving;
        if !moving && !self.is_worth_a_line(record) {
            return;
        }
        let Some(line) = line_in(self.terminal.language(), &self.story, record, &self.zone) else { return };
        if moving {
            if self.recent.len() == RECENT {
                self.recent.pop_front();
            }
            self.recent.push_back(line);
        } else {
            self.terminal.say(&line);
        }
    }

    fn is_worth_a_line(&self, record: &Record) -> bool {
        self.terminal.is_verbose() || is_worth_a_line(&self.story, record)
    }

    /// What the record says of how long operations take.
    fn learn(&mut self, record: &Record) {
        let Event::Achieved { took } = record.event else { return };
        let Some(row) = record.instance.as_ref().and_then(|id| self.story.row(id)) else { return };
        let (Stage::Underway { intent, .. }, Some(found)) = (&row.state.stage, &row.plan.found) else {
            return;
        };
        let family = found.instance_type.family().to_owned();
        self.past.add(&Took { action: intent.action(), family, took });
    }

    fn show(&mut self) {
        let now = self.clock.stamp();
        if self.terminal.screen().moving {
            self.draw(now);
        } else if self.terminal.output() == Output::Human && is_a_crowd(&self.story) {
            self.sum_up(now);
        }
    }

    fn draw(&mut self, now: Timestamp) {
        if self.drawn_at.is_some_and(|at| between(at, now) < REDRAW) {
            return;
        }
        self.drawn_at = Some(now);
        let board = Board {
            story: &self.story,
            expected: self.past.expected(),
            events: self.recent.make_contiguous(),
        };
        // The line below belongs to what the person types.
        let height = Terminal::rows().saturating_sub(1);
        self.terminal.block().draw(&board.lines(now, self.terminal.stderr_look(), height));
    }

    /// One line now and then, for whoever reads this as a file or a mail.
    fn sum_up(&mut self, now: Timestamp) {
        if self.story.ended() || between(self.summed_up_at, now) < SUMMARY {
            return;
        }
        self.summed_up_at = now;
        let summary = board_summary(&self.story, now, self.terminal.language());
        self.terminal.say(&format!("{} {summary}", time_of_day(now, &self.zone)));
    }
}
