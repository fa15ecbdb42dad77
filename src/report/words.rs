//! Small words that all reports share: durations, counts, times of day, and text that is safe for a terminal.

use std::time::Duration;

use anstyle::Style;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::chinese;
use super::language::Language;

/// How a report is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// The columns that there are. Below 40 it is taken as 40.
    pub width: usize,
    /// Colours may be used.
    pub colour: bool,
    /// Signs beyond ASCII may be used: marks, arrows, bars. Names are shown as they are in any case.
    pub unicode: bool,
    /// The language of the words.
    pub language: Language,
}

impl Look {
    /// English text without colour, `width` columns wide.
    pub fn plain(width: usize) -> Self {
        Self { width, colour: false, unicode: true, language: Language::English }
    }

    /// A duration as people say it.
    pub(super) fn span(self, duration: Duration) -> String {
        match self.language {
            Language::English => span(duration),
            Language::Chinese => chinese::span(duration),
        }
    }

    /// Names in a row.
    pub(super) fn list<T: AsRef<str>>(self, names: &[T]) -> String {
        names.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(self.language.pick(", ", "、"))
    }

    /// The width to lay out for.
    pub(super) fn columns(self) -> usize {
        self.width.max(40)
    }

    /// `text` in `style`, if colours may be used.
    pub(super) fn paint(self, style: Style, text: &str) -> String {
        if self.colour && !text.is_empty() { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// `text` with its signs as this terminal can show them. Each sign has a stand-in of the same width.
    pub(super) fn signs(self, text: String) -> String {
        if self.unicode {
            return text;
        }
        let stand_in = |c| match c {
            '✓' => '+',
            '✗' => 'x',
            '▸' | '→' | '╸' => '>',
            '·' => '.',
            '…' => '~',
            '━' => '#',
            '─' => '-',
            other => other,
        };
        text.chars().map(stand_in).collect()
    }
}

/// The styles that all reports share. Nothing is said by colour alone.
pub(super) mod style {
    use anstyle::{AnsiColor, Style};

    pub(in crate::report) const HEADING: Style = Style::new().bold();
    pub(in crate::report) const GOOD: Style = AnsiColor::Green.on_default();
    pub(in crate::report) const RISK: Style = AnsiColor::Yellow.on_default();
    pub(in crate::report) const BAD: Style = AnsiColor::Red.on_default().bold();
    pub(in crate::report) const BUSY: Style = AnsiColor::Cyan.on_default();
    pub(in crate::report) const FAINT: Style = Style::new().dimmed();
}

/// `text` with every control character replaced, so that a name can't steer the terminal or break a line.
pub fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// A duration as people say it: `8s`, `1m 07s`, `2h 05m`.
pub fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m {seconds:02}s"),
        (hours, minutes, _) => format!("{hours}h {minutes:02}m"),
    }
}

/// A duration to the tenth of a second, for reports of what was.
pub fn exact(duration: Duration) -> String {
    if duration < Duration::from_mins(1) { format!("{:.1}s", duration.as_secs_f64()) } else { span(duration) }
}

/// `1 instance`, `2 instances`.
pub fn instances(count: usize) -> String {
    count_of(count, "instance")
}

/// `1 thing`, `2 things`.
pub(super) fn count_of(count: usize, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") }
}

/// The time of day.
pub fn time_of_day(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string()
}

/// The day and the time.
pub fn day_and_time(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_durations_as_people_do() {
        let table =
            [(0, "0s"), (59, "59s"), (60, "1m 00s"), (67, "1m 07s"), (3600, "1h 00m"), (7510, "2h 05m")];
        for (seconds, words) in table {
            assert_eq!(span(Duration::from_secs(seconds)), words);
        }
        assert_eq!(exact(Duration::from_millis(8340)), "8.3s");
        assert_eq!(exact(Duration::from_millis(67_340)), "1m 07s");
    }

    #[test]
    fn a_name_cannot_steer_the_terminal() {
        assert_eq!(clean("web\u{1b}[2J\n1\u{9b}"), "web\u{fffd}[2J\u{fffd}1\u{fffd}");
        assert_eq!(clean("网站-1"), "网站-1");
    }
}
