//! The live board, as a pure function of the story, the time, and the terminal's size and abilities.
//!
//! Where all instances fit, each has a line: a bar over its phases, what is waited for, and the seconds down. Where they
//! don't, the run has one bar, counts per phase, what failed, and the instances that are longest under way; that costs
//! the same for a thousand instances as for fifty. Below either: the last events.

use std::time::Duration;

use jiff::Timestamp;

use super::chinese;
use super::expected::{Expectation, Expected};
use super::language::Language;
use super::layout::{fit, width};
use super::progress::{Progress, bar, whole_bar};
use super::story::{Phase, Row, Story};
use super::tally::{Stand, Tally};
use super::words::{Look, clean, span, style};
use crate::clock::between;
use crate::journal::Order;
use crate::workflow::Check;

/// How many events are shown below the board, if there is room.
const EVENTS: usize = 5;
/// From so many settled instances on, what is left can be guessed from them.
const ENOUGH: usize = 10;

/// What the board is drawn from.
#[derive(Clone, Copy, Debug)]
pub struct Board<'a> {
    /// The run.
    pub story: &'a Story,
    /// What operations are expected to take.
    pub expected: &'a Expected,
    /// The last events as lines, the oldest first.
    pub events: &'a [String],
}

impl Board<'_> {
    /// The board's lines, at most `height` of them, none wider than the look.
    pub fn lines(&self, now: Timestamp, look: Look, height: usize) -> Vec<String> {
        let height = height.max(3);
        let mut lines = if self.story.rows().len() < height {
            self.each(now, look)
        } else {
            self.crowd(now, look, height)
        };
        let room = height.saturating_sub(lines.len() + 1).min(EVENTS);
        let events = &self.events[self.events.len().saturating_sub(room)..];
        if !events.is_empty() {
            lines.push(String::new());
            lines.extend(events.iter().map(|event| {
                look.paint(style::FAINT, fit(&format!("  {event}"), look.columns()).trim_end())
            }));
        }
        lines.into_iter().map(|line| look.signs(line)).collect()
    }

    /// A line for each instance, then the summary.
    fn each(&self, now: Timestamp, look: Look) -> Vec<String> {
        let columns = Columns::of(self.story, look);
        let mut lines: Vec<String> =
            self.story.rows().iter().map(|row| self.row(row, now, &columns, look)).collect();
        let summary = fitting_summary(self.story, now, (look.columns().saturating_sub(2), look.language));
        lines.push(fit(&format!("  {summary}"), look.columns()).trim_end().to_owned());
        lines
    }

    /// A summary of many, those that failed, and those longest under way.
    fn crowd(&self, now: Timestamp, look: Look, height: usize) -> Vec<String> {
        let (story, tally) = (self.story, self.story.tally());
        let total = story.rows().len();
        let columns = Columns::of(story, look);
        let line = |text: String| fit(&format!("  {text}"), look.columns()).trim_end().to_owned();
        let mut lines =
            vec![line(fitting_summary(story, now, (look.columns().saturating_sub(2), look.language)))];
        let left = time_left(tally.settled(), total, between(story.began(), now));
        let left = left.map(|left| left_words(left, look.language)).unwrap_or_default();
        lines.push(format!("  {}  {left}", whole_bar(tally.settled(), total, look)).trim_end().to_owned());
        lines.extend(Some(now_words(tally, look.language)).filter(|words| !words.is_empty()).map(line));
        let room = height.saturating_sub(lines.len());
        // The failed are pinned, but leave half of the room to what is still under way.
        let under_way = tally.longest().len();
        let troubled = tally.troubled().len();
        let pinned = troubled.min((room / 2).max(room.saturating_sub(under_way + EVENTS + 3)));
        self.section(tally.troubled().take(pinned), troubled, (now, &columns, look), &mut lines);
        let room = height.saturating_sub(lines.len() + EVENTS + 2);
        let shown = under_way.min(room);
        self.section(tally.longest().take(shown), under_way, (now, &columns, look), &mut lines);
        lines.truncate(height);
        lines
    }

    /// Some of the instances of one kind, and how many more there are.
    fn section(
        &self,
        shown: impl Iterator<Item = usize>,
        of: usize,
        (now, columns, look): (Timestamp, &Columns, Look),
        lines: &mut Vec<String>,
    ) {
        let before = lines.len();
        let rows = self.story.rows();
        lines.extend(shown.map(|place| self.row(&rows[place], now, columns, look)));
        let hidden = of.saturating_sub(lines.len() - before);
        if hidden > 0 && lines.len() > before {
            lines.pop();
            lines.push(match look.language {
                Language::English => format!("  … and {} more", hidden + 1),
                Language::Chinese => chinese::board::more(hidden + 1),
            });
        }
    }

    fn row(&self, row: &Row, now: Timestamp, columns: &Columns, look: Look) -> String {
        let phase = self.story.phase(row);
        let progress = Progress::of(self.story, row, &phase, self.expected, now);
        let down = row.down(now);
        let down = if down.is_zero() { String::new() } else { down_words(down, look.language) };
        let (bar, room) = match &progress {
            Some(progress) if columns.bar > 0 => {
                (format!("{}  ", bar(progress, columns.bar, look)), columns.words)
            }
            // What went wrong needs the bar's room.
            _ => (String::new(), columns.words + if columns.bar > 0 { columns.bar + 2 } else { 0 }),
        };
        let what = self.words(row, &phase, now, look);
        let what = what.fit(room);
        let what = if down.is_empty() { what.trim_end().to_owned() } else { what };
        let troubled = row.failure().is_some() || self.is_late(row, &phase, now);
        let (mark, paint) = mark(&phase, troubled);
        let what = paint.map_or_else(|| what.clone(), |paint| look.paint(paint, &what));
        let mark = paint.map_or_else(|| mark.to_string(), |paint| look.paint(paint, &mark.to_string()));
        format!("{mark} {}  {bar}{what}  {down}", fit(row.plan.name(), columns.name)).trim_end().to_owned()
    }

    /// What is done to the instance or waited for, and for how long by now and by experience.
    fn words(&self, row: &Row, phase: &Phase, now: Timestamp, look: Look) -> What {
        let language = look.language;
        let elapsed = between(row.since(), now);
        let time = match phase {
            Phase::Acting(action) => match self.expected.on(&row.plan, *action) {
                Some(expectation) => expected_words(elapsed, expectation, language),
                None => look.span(elapsed),
            },
            Phase::Unsure(_) => look.span(elapsed),
            _ => String::new(),
        };
        let what = match phase {
            Phase::Checking => {
                let number = row.state.ledger.checks_passed;
                self.story
                    .plan()
                    .checks
                    .get(number)
                    .map_or_else(|| phase_words(phase, language), |check| check_words(check, language))
            }
            Phase::Failed | Phase::Stranded | Phase::BringingBack | Phase::RollingBack => match row.failure()
            {
                Some(failure) => match language {
                    Language::English => format!("{}: {failure}", phase.words()),
                    Language::Chinese => {
                        chinese::of(&chinese::board::phase(phase), &chinese::failure::words(failure))
                    }
                },
                None => phase_words(phase, language),
            },
            _ if !phase.is_settled() && row.failure().is_some() => failed_words(phase, language),
            _ => phase_words(phase, language),
        };
        What { what: clean(&what), time }
    }

    fn is_late(&self, row: &Row, phase: &Phase, now: Timestamp) -> bool {
        let Phase::Acting(action) = phase else { return false };
        let expected = self.expected.on(&row.plan, *action);
        expected.is_some_and(|expected| is_late(between(row.since(), now), expected))
    }
}

/// The widths of a row's parts.
struct Columns {
    name: usize,
    /// 0: there is no room for one.
    bar: usize,
    words: usize,
}

impl Columns {
    /// The room for `down 59m 59s`, or for the same in Chinese.
    fn down(language: Language) -> usize {
        language.pick(12, 13)
    }

    /// A row is no easier to read for being wider.
    const WIDEST: usize = 120;
    /// Between the parts.
    const GAP: usize = 2;

    fn of(story: &Story, look: Look) -> Self {
        let all = look.columns().min(Self::WIDEST);
        let (name, bar) = match all {
            100.. => (all / 4, 30),
            76.. => (all / 4, look.language.pick(20, 17)),
            56.. => look.language.pick((13, 8), (12, 6)),
            _ => (all / 4, 0),
        };
        let name = story.longest_name().min(name);
        let taken = 2
            + name
            + Self::GAP
            + if bar > 0 { bar + Self::GAP } else { 0 }
            + Self::GAP
            + Self::down(look.language);
        Self { name, bar, words: all.saturating_sub(taken) }
    }
}

/// Words and a time. If they don't fit, the words are cut, not the time.
struct What {
    what: String,
    time: String,
}

impl What {
    fn fit(&self, room: usize) -> String {
        if self.time.is_empty() {
            return fit(&self.what, room);
        }
        let whole = format!("{} {}", self.what, self.time);
        if width(&whole) <= room {
            return fit(&whole, room);
        }
        let left = room.saturating_sub(width(&self.time) + 1);
        fit(&format!("{} {}", fit(&self.what, left), self.time), room)
    }
}

/// A sign that says the same as the colour, and the colour.
fn mark(phase: &Phase, troubled: bool) -> (char, Option<anstyle::Style>) {
    match phase {
        Phase::Done | Phase::Unchanged => ('✓', Some(style::GOOD)),
        Phase::Failed | Phase::Stranded => ('✗', Some(style::BAD)),
        Phase::Suspended => ('-', Some(style::RISK)),
        Phase::NotBegun(_) => ('-', Some(style::FAINT)),
        Phase::Waiting => ('·', Some(style::FAINT)),
        Phase::Unsure(_) | Phase::Retrying(..) | Phase::BringingBack | Phase::RollingBack => {
            ('!', Some(style::RISK))
        }
        _ if troubled => ('!', Some(style::RISK)),
        Phase::Acting(_) | Phase::Stopped | Phase::Checking | Phase::Looking => ('▸', None),
    }
}

/// Of an instance that failed and is on its way back.
fn failed_words(phase: &Phase, language: Language) -> String {
    match language {
        Language::English => format!("failed, {}", phase.words()),
        Language::Chinese => chinese::board::failed(phase),
    }
}

fn phase_words(phase: &Phase, language: Language) -> String {
    match language {
        Language::English => phase.words(),
        Language::Chinese => chinese::board::phase(phase),
    }
}

fn down_words(down: Duration, language: Language) -> String {
    match language {
        Language::English => format!("down {}", span(down)),
        Language::Chinese => chinese::board::down(down),
    }
}

/// `7s of ~9s`; past the expected end it says what is usual.
fn expected_words(elapsed: Duration, expected: Expectation, language: Language) -> String {
    if language == Language::Chinese {
        let late = is_late(elapsed, expected);
        chinese::board::expected(elapsed, rounded(expected.middle()), late)
    } else if is_late(elapsed, expected) {
        format!("{}, usually {}", span(elapsed), span(rounded(expected.middle())))
    } else {
        format!("{} of ~{}", span(elapsed), span(rounded(expected.middle())))
    }
}

/// So late that whole seconds show it.
fn is_late(elapsed: Duration, expected: Expectation) -> bool {
    elapsed > rounded(expected.late) + Duration::from_secs(1)
}

/// To whole seconds, and at least one.
fn rounded(duration: Duration) -> Duration {
    Duration::from_secs((duration.as_millis().div_ceil(1000)).max(1).try_into().unwrap_or(u64::MAX))
}

fn check_words(check: &Check, language: Language) -> String {
    match check {
        check if language == Language::Chinese => chinese::board::check(check),
        Check::Tcp { port, .. } => format!("checking port {port}"),
    }
}

/// `2 stopping, 3 resizing, 1 starting`.
fn now_words(tally: &Tally, language: Language) -> String {
    let part = |(stand, count): (Stand, usize)| match language {
        Language::English => format!("{count} {}", stand.words()),
        Language::Chinese => chinese::board::counted(count, stand),
    };
    tally.under_way().map(part).collect::<Vec<_>>().join(language.pick(", ", "，"))
}

/// What the rest will take if it goes on like this; `None` while too little is known.
fn time_left(settled: usize, total: usize, elapsed: Duration) -> Option<Duration> {
    let (settled, total) = (u32::try_from(settled).ok()?, u32::try_from(total).ok()?);
    (settled as usize >= ENOUGH && settled < total).then(|| elapsed * (total - settled) / settled)
}

fn left_words(left: Duration, language: Language) -> String {
    match language {
        Language::English => format!("about {} left", span(left)),
        Language::Chinese => chinese::board::left(left),
    }
}

/// `1m 07s: 2 of 5 finished (1 failed), 2 under way, 1 waiting, 1 down`.
pub fn board_summary(story: &Story, now: Timestamp, language: Language) -> String {
    summary(story, now, Detail::All, language)
}

/// The fullest summary that fits.
fn fitting_summary(story: &Story, now: Timestamp, (columns, language): (usize, Language)) -> String {
    [Detail::All, Detail::NotUnderWay, Detail::Least]
        .into_iter()
        .map(|detail| summary(story, now, detail, language))
        .find(|words| width(words) <= columns)
        .unwrap_or_else(|| summary(story, now, Detail::Least, language))
}

/// How much a summary says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Detail {
    All,
    NotUnderWay,
    Least,
}

fn summary(story: &Story, now: Timestamp, detail: Detail, language: Language) -> String {
    let tally = story.tally();
    let total = story.rows().len();
    let settled = tally.settled();
    let waiting = tally.count(Stand::Waiting);
    let failed = tally.count(Stand::Failed) + tally.count(Stand::Stranded);
    let under_way = if detail == Detail::All { total - settled - waiting } else { 0 };
    let down = if detail == Detail::Least { 0 } else { tally.down() };
    let elapsed = between(story.began(), now);
    if language == Language::Chinese {
        let counts = chinese::board::Counts { settled, total, failed, under_way, waiting, down };
        return chinese::board::summary(elapsed, counts, story.order());
    }
    let mut parts = vec![match failed {
        0 => format!("{settled} of {total} finished"),
        _ => format!("{settled} of {total} finished ({failed} failed)"),
    }];
    for (count, words) in [(under_way, "under way"), (waiting, "waiting"), (down, "down")] {
        if count > 0 {
            parts.push(format!("{count} {words}"));
        }
    }
    let order = match story.order() {
        Order::CarryOn => "",
        Order::BringBack => "; bringing all back, Ctrl-C again leaves at once",
        Order::LeaveNow => "; leaving",
    };
    format!("{}: {}{order}", span(elapsed), parts.join(", "))
}
