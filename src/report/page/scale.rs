//! Where a moment stands on the axis of time, in percent of its width.
//!
//! A run that was taken up again the next morning has seconds of work around hours of nothing. Long times in which
//! nobody had the run are therefore drawn short, as a break of the axis; all other times are in proportion.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::clock::between;
use crate::report::timeline::Gap;

/// A break is at most this part of the time around it.
const BREAK: f64 = 0.08;
/// Ticks keep this distance, in percent.
const APART: f64 = 11.0;
/// Below this many percent, and above the rest, a label would run out of the picture if it stood in the middle.
const EDGE: f64 = 5.5;

/// An axis of time.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scale {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq)]
struct Piece {
    from: Timestamp,
    until: Timestamp,
    left: f64,
    right: f64,
    gap: bool,
}

/// A label of the axis.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    pub(super) left: f64,
    pub(super) time: String,
    /// The day, where it is another than the tick's before.
    pub(super) day: Option<String>,
}

impl Scale {
    /// From one moment to another, with these gaps in between.
    pub(super) fn over(from: Timestamp, until: Timestamp, gaps: &[Gap]) -> Self {
        let until = until.max(from + Duration::from_millis(1));
        let mut spans = Vec::new();
        let mut at = from;
        for gap in gaps {
            let (begins, ends) = (gap.from.clamp(at, until), gap.until.clamp(at, until));
            if begins < ends {
                spans.push((at, begins, false));
                spans.push((begins, ends, true));
                at = ends;
            }
        }
        spans.push((at, until, false));
        let length = |(from, until, _): &(Timestamp, Timestamp, bool)| between(*from, *until).as_secs_f64();
        let watched: f64 = spans.iter().filter(|span| !span.2).map(length).sum();
        let units = |span: &(Timestamp, Timestamp, bool)| match (span.2, watched > 0.0) {
            (true, true) => length(span).min(watched * BREAK),
            _ => length(span),
        };
        let all: f64 = spans.iter().map(units).sum();
        let mut left = 0.0;
        let mut pieces = Vec::new();
        for span in spans.iter().filter(|span| span.0 < span.1) {
            let right = left + units(span) / all * 100.0;
            pieces.push(Piece { from: span.0, until: span.1, left, right, gap: span.2 });
            left = right;
        }
        Self { pieces }
    }

    /// Where a moment is, in percent.
    pub(super) fn place(&self, at: Timestamp) -> f64 {
        let piece = self.pieces.iter().find(|piece| at <= piece.until).or(self.pieces.last());
        piece.map_or(0.0, |piece| {
            let part = between(piece.from, at).as_secs_f64() / between(piece.from, piece.until).as_secs_f64();
            piece.left + part.clamp(0.0, 1.0) * (piece.right - piece.left)
        })
    }

    /// Where nobody had the run: from and width, and how long.
    pub(super) fn gaps(&self) -> impl Iterator<Item = (f64, f64, Duration)> {
        self.pieces
            .iter()
            .filter(|piece| piece.gap)
            .map(|piece| (piece.left, piece.right - piece.left, between(piece.from, piece.until)))
    }

    /// Round times of the wall clock, at most about eight.
    pub(super) fn ticks(&self, zone: &TimeZone) -> Vec<Tick> {
        let Some(step) = self.step() else { return Vec::new() };
        let mut ticks: Vec<Tick> = Vec::new();
        let mut day = None;
        for piece in self.pieces.iter().filter(|piece| !piece.gap) {
            for at in rounds(piece.from, piece.until, step, zone) {
                let left = self.place(at);
                if ticks.last().is_some_and(|last| middle(left) - middle(last.left) < APART) {
                    continue;
                }
                let zoned = at.to_zoned(zone.clone());
                let format = if step < 1000 { "%H:%M:%S%.1f" } else { "%H:%M:%S" };
                let today = Some(zoned.date());
                let fresh = (today != day).then(|| zoned.strftime("%Y-%m-%d").to_string());
                day = today;
                ticks.push(Tick { left, time: zoned.strftime(format).to_string(), day: fresh });
            }
        }
        ticks
    }

    /// The time between ticks in milliseconds.
    fn step(&self) -> Option<i64> {
        const SECOND: i64 = 1000;
        const STEPS: [i64; 21] = [
            100,
            200,
            500,
            SECOND,
            2 * SECOND,
            5 * SECOND,
            10 * SECOND,
            15 * SECOND,
            30 * SECOND,
            60 * SECOND,
            120 * SECOND,
            300 * SECOND,
            600 * SECOND,
            900 * SECOND,
            1800 * SECOND,
            3600 * SECOND,
            7200 * SECOND,
            10_800 * SECOND,
            21_600 * SECOND,
            43_200 * SECOND,
            86_400 * SECOND,
        ];
        let widest = self.pieces.iter().filter(|piece| !piece.gap);
        let percent_per_ms = widest
            .map(|piece| {
                (piece.right - piece.left) / (between(piece.from, piece.until).as_secs_f64() * 1000.0)
            })
            .next()?;
        #[expect(clippy::cast_precision_loss, reason = "a day in milliseconds fits")]
        let wide = |step: &&i64| **step as f64 * percent_per_ms >= APART;
        STEPS.iter().find(wide).or(STEPS.last()).copied()
    }
}

impl Tick {
    /// Where its label is held: `start`, `middle` or `end`.
    pub(super) fn anchor(&self) -> &'static str {
        match self.left {
            left if left < EDGE => "start",
            left if left > 100.0 - EDGE => "end",
            _ => "middle",
        }
    }
}

/// The middle of the label of a tick that stands there.
fn middle(left: f64) -> f64 {
    match left {
        left if left < EDGE => left + EDGE,
        left if left > 100.0 - EDGE => left - EDGE,
        left => left,
    }
}

/// The moments of the wall clock that are multiples of `step` milliseconds since midnight, or since the epoch there.
fn rounds(
    from: Timestamp,
    until: Timestamp,
    step: i64,
    zone: &TimeZone,
) -> impl Iterator<Item = Timestamp> + use<> {
    let offset = i64::from(zone.to_offset(from).seconds()) * 1000;
    let first = (from.as_millisecond() + offset).div_euclid(step) * step - offset;
    (0..)
        .map_while(move |count| Timestamp::from_millisecond(first + count * step).ok())
        .take_while(move |at| *at <= until)
        .filter(move |at| *at >= from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_763_900_000 + second).unwrap()
    }

    fn gap(from: i64, until: i64) -> Gap {
        Gap { from: at(from), until: at(until) }
    }

    fn places(scale: &Scale, seconds: &[i64]) -> Vec<String> {
        seconds.iter().map(|second| format!("{:.1}", scale.place(at(*second)))).collect()
    }

    #[test]
    fn time_is_in_proportion_where_somebody_watched() {
        let scale = Scale::over(at(0), at(100), &[]);
        assert_eq!(places(&scale, &[-5, 0, 25, 100, 105]), ["0.0", "0.0", "25.0", "100.0", "100.0"]);
        let short = Scale::over(at(0), at(100), &[gap(50, 55)]);
        assert_eq!(places(&short, &[25, 50, 55]), ["25.0", "50.0", "55.0"]);
        assert_eq!(short.gaps().count(), 1);
    }

    #[test]
    fn a_long_gap_is_a_short_break_of_the_axis() {
        let scale = Scale::over(at(0), at(36_100), &[gap(50, 36_050)]);
        assert_eq!(places(&scale, &[0, 50, 36_050, 36_100]), ["0.0", "46.3", "53.7", "100.0"]);
        let (left, width, lasted) = scale.gaps().next().unwrap();
        assert_eq!(format!("{left:.1} {width:.1} {}", lasted.as_secs()), "46.3 7.4 36000");
    }

    #[test]
    fn a_scale_without_time_or_of_a_gap_alone_is_still_one() {
        assert_eq!(places(&Scale::over(at(0), at(0), &[]), &[0, 1]), ["0.0", "100.0"]);
        assert_eq!(places(&Scale::over(at(0), at(9), &[gap(-5, 20)]), &[0, 9]), ["0.0", "100.0"]);
        assert_eq!(Scale::over(at(0), at(9), &[gap(-5, 20)]).ticks(&TimeZone::UTC), []);
    }

    #[test]
    fn ticks_are_round_and_apart_and_name_the_day_when_it_changes() {
        let told = |scale: &Scale, zone: &TimeZone| {
            scale.ticks(zone).into_iter().map(|tick| (tick.time, tick.day)).collect::<Vec<_>>()
        };
        // 12:13:20 UTC
        let scale = Scale::over(at(0), at(60), &[]);
        let day = Some("2025-11-23".to_owned());
        let ticks = told(&scale, &TimeZone::UTC);
        assert_eq!(ticks[0], ("12:13:20".to_owned(), day.clone()));
        assert_eq!(ticks[1], ("12:13:30".to_owned(), None));
        assert_eq!(ticks.len(), 7);
        let india = TimeZone::fixed(jiff::tz::Offset::from_seconds(19_800).unwrap());
        assert_eq!(told(&Scale::over(at(0), at(20_000), &[]), &india)[0], ("18:00:00".to_owned(), day));
        let overnight = Scale::over(at(0), at(60_000), &[gap(100, 59_900)]);
        let days: Vec<_> = told(&overnight, &TimeZone::UTC).into_iter().filter_map(|(_, day)| day).collect();
        assert_eq!(days, ["2025-11-23", "2025-11-24"]);
        for pair in overnight.ticks(&TimeZone::UTC).windows(2) {
            assert!(middle(pair[1].left) - middle(pair[0].left) >= APART);
        }
        let quick = Scale::over(at(0), at(1), &[]);
        assert_eq!(told(&quick, &TimeZone::UTC)[1].0, "12:13:20.2");
    }
}
