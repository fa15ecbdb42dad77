//! A run as a document tells it: how every instance stands, what needs a person first, and the facts around it.
//!
//! The page, the Markdown and the JUnit are written from this alone, so that they can't tell different stories.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::lines::{became, down_words, line, verdict_words};
use super::plan_table::full_name;
use super::story::{Phase, Row, Story, StoryError};
use super::timeline::{Timeline, Track, timeline};
use super::verdict::{cloud_error, next_commands, progress, rescue};
use super::words::{clean, count_of, day_and_time, exact, time_of_day};
use crate::clock::between;
use crate::cloud::{CloudError, InstanceId};
use crate::journal::{Event, Place, Record};
use crate::plan::Approval;

/// From where a run is looked at.
#[derive(Clone, Debug)]
pub struct Viewpoint {
    /// The zone in which times are told.
    pub zone: TimeZone,
    /// The cloud that the run works on.
    pub place: Place,
    /// The time, if a process has the run in hand right now.
    pub now: Option<Timestamp>,
}

impl Viewpoint {
    /// The run could be taken up again, if something of it were left.
    pub(super) fn resumable(&self) -> bool {
        self.now.is_none() && self.place != Place::InProcess
    }
}

/// One run with all that is known of it.
pub(super) struct Dossier {
    pub(super) story: Story,
    pub(super) timeline: Timeline,
    pub(super) view: Viewpoint,
    /// The version of the journal's format.
    pub(super) format: u32,
    /// What happened to the run as a whole, with when.
    pub(super) events: Vec<(Timestamp, String)>,
    lines: Vec<(Option<InstanceId>, String)>,
}

/// How an instance stands, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Standing {
    /// It does not have the power that the workflow says.
    NeedsPerson,
    /// Something went wrong with it.
    Failed,
    /// It has no verdict, and nobody works on it.
    Left,
    /// It was brought back, and is not finished.
    NotFinished,
    /// A process works on it.
    UnderWay,
    /// It was never touched.
    NotBegun,
    /// Everything is as planned.
    Done,
    /// There was nothing to do.
    Unchanged,
}

/// An instance in the dossier.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) row: &'a Row,
    pub(super) track: &'a Track,
    pub(super) standing: Standing,
}

/// A call, or the same one several times over, in words.
#[derive(Serialize)]
pub(super) struct Tries {
    pub(super) words: String,
    pub(super) at: String,
    pub(super) came_to: String,
    pub(super) request: Option<String>,
}

impl Dossier {
    /// From a run's records.
    pub(super) fn open(records: &[Record], view: Viewpoint) -> Result<Self, StoryError> {
        let (story, timeline) = timeline(records, view.now)?;
        let format = match records.first().map(|record| &record.event) {
            Some(Event::RunBegan { version, .. }) => *version,
            _ => 0,
        };
        let (mut events, mut lines) = (Vec::new(), Vec::new());
        let mut told = Story::begin(&records[0])?;
        for record in &records[1..] {
            if let Some(line) = line(&told, record, &view.zone) {
                match record.instance {
                    None => events.push((record.at, without_time(&line))),
                    Some(_) => lines.push((record.instance.clone(), line)),
                }
            }
            told.fold(record)?;
        }
        Ok(Self { story, timeline, view, format, events, lines })
    }

    /// The instances in the plan's order.
    pub(super) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let rows = self.story.rows().iter().zip(&self.timeline.tracks);
        rows.map(|(row, track)| Entry { row, track, standing: self.standing(row) })
    }

    /// The instances, the most urgent first, and then by when their turn came.
    pub(super) fn by_urgency(&self) -> Vec<Entry<'_>> {
        let mut entries: Vec<_> = self.entries().collect();
        let turn = |entry: &Entry| entry.track.extent().map_or(Timestamp::MAX, |(begun, _)| begun);
        entries.sort_by_key(|entry| (entry.standing, turn(entry)));
        entries
    }

    fn standing(&self, row: &Row) -> Standing {
        let under_way = if self.view.now.is_some() { Standing::UnderWay } else { Standing::Left };
        match self.story.phase(row) {
            Phase::Stranded => Standing::NeedsPerson,
            Phase::Failed => Standing::Failed,
            Phase::Suspended => Standing::NotFinished,
            Phase::NotBegun(_) | Phase::Waiting => Standing::NotBegun,
            Phase::Done => Standing::Done,
            Phase::Unchanged => Standing::Unchanged,
            Phase::Acting(_)
            | Phase::Unsure(_)
            | Phase::Retrying(..)
            | Phase::Stopped
            | Phase::Checking
            | Phase::Looking
            | Phase::BringingBack
            | Phase::RollingBack => under_way,
        }
    }

    /// How many instances stand how, the most urgent first; nothing of those that none stands like.
    pub(super) fn counts(&self) -> Vec<(Standing, usize)> {
        let mut counts = std::collections::BTreeMap::new();
        for entry in self.entries() {
            *counts.entry(entry.standing).or_insert(0) += 1;
        }
        counts.into_iter().collect()
    }

    /// What became of an instance, in words.
    pub(super) fn words(&self, entry: &Entry) -> String {
        let phase = self.story.phase(entry.row);
        let words = match (entry.row.state.verdict(), entry.standing) {
            (Some(verdict), _) => {
                let words = verdict_words(verdict);
                format!("{}{}", words.trim_end_matches('.'), became(entry.row, verdict))
            }
            (None, Standing::NotFinished) => format!("{}; {}", phase.words(), progress(entry.row)),
            (None, Standing::Left) => format!("left while {}", phase.words()),
            (None, Standing::NotBegun) if self.view.now.is_none() => {
                "not begun: the run was ended early".to_owned()
            }
            (None, _) => phase.words(),
        };
        clean(words.trim_end_matches('.'))
    }

    /// How long it was down by our doing.
    pub(super) fn down(&self, row: &Row) -> Duration {
        row.down(self.timeline.until)
    }

    /// How long it was down, in words; `None` if it was not.
    pub(super) fn down_told(&self, row: &Row) -> Option<String> {
        let down = self.down(row);
        (!down.is_zero()).then(|| down_words(&self.story, down))
    }

    /// It was down for longer than the plan allows.
    pub(super) fn is_over_budget(&self, row: &Row) -> bool {
        self.story.plan().downtime_budget.is_some_and(|budget| self.down(row) > budget)
    }

    /// The longest that an instance was down.
    pub(super) fn longest_down(&self) -> Option<(Entry<'_>, Duration)> {
        let downs = self.entries().map(|entry| (entry, self.down(entry.row)));
        downs.filter(|(_, down)| !down.is_zero()).max_by_key(|(_, down)| *down)
    }

    /// The time down of those that were, sorted.
    pub(super) fn downs(&self) -> Vec<Duration> {
        let mut downs: Vec<_> =
            self.entries().map(|entry| self.down(entry.row)).filter(|down| !down.is_zero()).collect();
        downs.sort();
        downs
    }

    /// The command that gives it the power that the workflow wants.
    pub(super) fn rescue(&self, row: &Row) -> Option<String> {
        rescue(&self.story, row)
    }

    /// What to type next.
    pub(super) fn next_commands(&self) -> Vec<String> {
        let show = format!("pitstop show {}", self.story.run());
        // Whoever reads this has been shown the run.
        next_commands(&self.story, self.view.resumable()).into_iter().filter(|own| *own != show).collect()
    }

    /// The calls of an instance.
    pub(super) fn tries(&self, track: &Track) -> impl Iterator<Item = Tries> {
        track.tries().filter_map(|tries| {
            let (first, last) = (tries.first()?, tries.last()?);
            let (from, words) = (self.time(first.at), clean(&last.words));
            let (at, words) = match tries.len() {
                1 => (from, words),
                times => (
                    format!("{from} – {}", self.time(last.at)),
                    format!("{words}, {}", count_of(times, "time")),
                ),
            };
            let came_to = clean(last.came_to.words().trim_end_matches('.'));
            let request = last.request.as_ref().map(|request| clean(request.as_str()));
            Some(Tries { words, at, came_to, request })
        })
    }

    /// The lines that a log has of an instance.
    pub(super) fn lines_of<'a>(&'a self, id: &'a InstanceId) -> impl Iterator<Item = &'a str> {
        self.lines.iter().filter(move |(of, _)| of.as_ref() == Some(id)).map(|(_, line)| line.as_str())
    }

    /// How long the run took up to now, with the times in which nobody had it.
    pub(super) fn took(&self) -> Duration {
        between(self.timeline.from, self.timeline.until)
    }

    /// How long nobody had the run.
    pub(super) fn unwatched(&self) -> Duration {
        self.timeline.gaps.iter().map(|gap| between(gap.from, gap.until)).sum()
    }

    /// Time as the reports tell it.
    pub(super) fn time(&self, at: Timestamp) -> String {
        time_of_day(at, &self.view.zone)
    }

    /// Day and time as the reports tell them.
    pub(super) fn day_and_time(&self, at: Timestamp) -> String {
        day_and_time(at, &self.view.zone)
    }

    /// The zone of all times, e.g. `Asia/Shanghai (+08:00)`.
    pub(super) fn zone(&self) -> String {
        let zoned = self.timeline.from.to_zoned(self.view.zone.clone());
        let offset = zoned.strftime("%:z").to_string();
        match self.view.zone.iana_name() {
            Some(name) => format!("{name} ({offset})"),
            None => offset,
        }
    }

    /// Where the run worked.
    pub(super) fn place(&self) -> String {
        clean(&match &self.view.place {
            Place::Tencent => "Tencent Cloud".to_owned(),
            Place::TencentAt(way) => format!("Tencent Cloud, by way of {way}"),
            Place::Endpoint(url) => format!("a simulated cloud at {url}"),
            Place::InProcess => "a simulated cloud inside the process".to_owned(),
        })
    }

    /// The facts around the run, by name.
    pub(super) fn environment(&self) -> Vec<(&'static str, String)> {
        let plan = self.story.plan();
        let approved = match self.story.approval() {
            Approval::Flag => "by --yes",
            Approval::Person => "by a person",
            Approval::Program => "by a program",
        };
        let ended = match (self.story.ended(), self.view.now) {
            (true, _) => self.day_and_time(self.story.last()),
            (false, Some(_)) => "not yet; a process has it in hand".to_owned(),
            (false, None) => {
                format!("not yet; its last record is of {}", self.day_and_time(self.story.last()))
            }
        };
        let resumed = self.timeline.gaps.len();
        let mut facts = vec![
            ("run", self.story.run().to_string()),
            ("workflow", clean(&plan.workflow)),
            ("workflow's SHA-256", clean(&plan.digest)),
            ("region", clean(&plan.region)),
            ("account", clean(plan.account.as_deref().unwrap_or("not known"))),
            ("where", self.place()),
            ("approved", approved.to_owned()),
            ("began", self.day_and_time(self.timeline.from)),
            ("ended", ended),
            ("times in", self.zone()),
        ];
        let by = self.story.taken_by().iter().map(|by| clean(by)).collect::<Vec<_>>();
        facts.push(("run by", by.join(", then ")));
        let unwatched = exact(self.unwatched());
        facts.push(match resumed {
            0 => ("resumed", "never".to_owned()),
            times => ("resumed", format!("{}, nobody had it for {unwatched}", count_of(times, "time"))),
        });
        facts.push(("journal's format", self.format.to_string()));
        facts.push(("written by", format!("pitstop {}", env!("CARGO_PKG_VERSION"))));
        facts
    }
}

impl Entry<'_> {
    /// What a person can do about what went wrong with it.
    pub(super) fn hint(&self) -> Option<&'static str> {
        self.row.failure().and_then(cloud_error).map(CloudError::hint)
    }

    /// `web-1 (ins-0web0001)`.
    pub(super) fn full_name(&self) -> String {
        full_name(&self.row.plan)
    }
}

impl Standing {
    /// A person, or the next command, has something to do about it.
    pub(super) fn is_urgent(self) -> bool {
        match self {
            Self::NeedsPerson | Self::Failed | Self::Left | Self::NotFinished => true,
            Self::UnderWay | Self::NotBegun | Self::Done | Self::Unchanged => false,
        }
    }

    /// The words of the outcome line.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::NeedsPerson => "in need of a person",
            Self::Failed => "failed",
            Self::Left => "left under way",
            Self::NotFinished => "brought back, not finished",
            Self::UnderWay => "under way",
            Self::NotBegun => "not begun",
            Self::Done => "done",
            Self::Unchanged => "unchanged",
        }
    }

    /// The mark before its name; nothing is said by it alone.
    pub(super) fn mark(self) -> &'static str {
        match self {
            Self::NeedsPerson | Self::Failed => "✗",
            Self::Left | Self::NotFinished | Self::NotBegun => "-",
            Self::UnderWay => "…",
            Self::Done | Self::Unchanged => "✓",
        }
    }
}

/// A line of the log without the time at its beginning.
fn without_time(line: &str) -> String {
    line.split_once(' ').map_or(line, |(_, words)| words).to_owned()
}
