//! The table: a line for each figure, a column for each fleet.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use super::figures::{Figures, Machine};

/// How wide the words in front are.
const WORDS: usize = 42;

/// The whole table.
pub(crate) fn table(columns: &[(String, Figures)]) -> String {
    let mut text = line("", columns.iter().map(|(name, _)| name.clone()));
    let mut add = |words: &str, of: &dyn Fn(&Figures) -> String| {
        text.push_str(&line(words, columns.iter().map(|(_, figures)| of(figures))));
    };
    add("runs", &|figures| figures.runs.to_string());
    add("added downtime, s: median", &|figures| part(&figures.added, 50));
    add("added downtime, s: p99", &|figures| part(&figures.added, 99));
    add("added downtime, s: max", &|figures| part(&figures.added, 100));
    let waited: BTreeSet<_> = columns.iter().flat_map(|(_, figures)| figures.waited.keys()).collect();
    for action in waited {
        add(&format!("  before {action}: mean, p99"), &|figures| {
            let waited = figures.waited.get(action).map_or(&[][..], Vec::as_slice);
            let mean = waited.iter().sum::<Duration>().as_secs_f64() / number(waited.len().max(1));
            format!("{mean:.2} {}", part(waited, 99))
        });
    }
    add("downtime, s: median", &|figures| part(&figures.down, 50));
    add("left down, instances", &|figures| figures.left_down.to_string());
    add("from the first call to the first stop, s", &|figures| {
        format!("{:.1}", figures.planning.as_secs_f64() / number(figures.runs))
    });
    add("wall from the first stop on, s", &|figures| format!("{:.1}", wall(figures)));
    add("limit by 10 resizes a second, s", &|figures| format!("{:.1}", figures.limit()));
    add("wall over limit", &|figures| format!("{:.2}", wall(figures) / figures.limit()));
    add("calls throttled", &|figures| figures.throttled.to_string());
    add("calls refused otherwise", &|figures| figures.refused.to_string());
    add("calls an instance", &|figures| share(figures, figures.calls.values().sum()));
    let actions: BTreeSet<_> = columns.iter().flat_map(|(_, figures)| figures.calls.keys()).collect();
    for action in actions {
        add(&format!("  {action}"), &|figures| {
            share(figures, figures.calls.get(action).copied().unwrap_or(0))
        });
    }
    add("  of these before the first stop", &|figures| share(figures, figures.before));
    add("looks at an instance", &|figures| share(figures, figures.looks));
    let operations: BTreeSet<_> =
        columns.iter().flat_map(|(_, figures)| figures.looks_after.keys()).collect();
    for operation in operations {
        add(&format!("  after {operation}"), &|figures| {
            share(figures, figures.looks_after.get(operation).copied().unwrap_or(0))
        });
    }
    if columns.iter().all(|(_, figures)| figures.machine.is_none()) {
        add("records an instance", &|figures| share(figures, figures.records));
        return text;
    }
    let mut add = |words: &str, of: &dyn Fn(&Machine, f64) -> Option<String>| {
        let field = |figures: &Figures| of(figures.machine.as_ref()?, number(figures.runs));
        let fields = columns.iter().map(|(_, figures)| field(figures).unwrap_or_else(|| "-".to_owned()));
        text.push_str(&line(words, fields));
    };
    add("processor time, s", &|spent, runs| Some(format!("{:.2}", spent.processor.as_secs_f64() / runs)));
    add("processor time of the simulator, s", &|spent, runs| {
        Some(format!("{:.2}", spent.simulator.as_secs_f64() / runs))
    });
    add("peak memory, MiB", &|spent, _| Some(format!("{}", spent.memory / 1024)));
    add("`pitstop show` afterwards, s", &|spent, _| Some(format!("{:.2}", spent.show?.as_secs_f64())));
    text
}

/// What each instance costs of what was counted for the whole fleet.
pub(crate) fn work(counts: &[(usize, u64)]) -> String {
    let mut text = line("", counts.iter().map(|(size, _)| format!("N = {size}")));
    let thousands = counts.iter().map(|(size, count)| (count / *size as u64 / 1_000).to_string());
    text.push_str(&line("thousand instructions an instance", thousands));
    text
}

fn line(words: &str, fields: impl Iterator<Item = String>) -> String {
    let mut line = format!("{words:WORDS$}");
    for field in fields {
        let _ = write!(line, " {field:>15}");
    }
    line.push('\n');
    line
}

/// Such that `percent` of them are not above it.
fn part(times: &[Duration], percent: usize) -> String {
    let mut times = times.to_vec();
    times.sort_unstable();
    let at = (times.len() * percent).div_ceil(100).saturating_sub(1);
    times.get(at).map_or_else(|| "-".to_owned(), |time| format!("{:.2}", time.as_secs_f64()))
}

fn wall(figures: &Figures) -> f64 {
    figures.wall.as_secs_f64() / number(figures.runs)
}

fn share(figures: &Figures, calls: usize) -> String {
    format!("{:.2}", number(calls) / number(figures.size * figures.runs))
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
