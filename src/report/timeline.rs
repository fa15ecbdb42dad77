//! What each instance went through and when, and who watched: a fold of a run's records, for every report that draws
//! or counts time.
//!
//! An instance's phases are what its [`Row`] says after each of its records, so this knows no legality and no words of
//! its own. Nobody can know what happened while no process had the run: such times are [`Gap`]s, and what an instance
//! was going through before one is shown to go on, as far as anybody knows.

use std::time::Duration;

use jiff::Timestamp;

use super::lines::intent_words;
use super::story::{Phase, Row, Story, StoryError, doing};
use super::words::exact;
use crate::clock::between;
use crate::cloud::{Action, CloudError, PowerState, RequestId};
use crate::journal::{Event, Record};

/// A run's time: who had it when, and what each instance went through.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Timeline {
    /// When the run began.
    pub(super) from: Timestamp,
    /// The end of what is known: the last record, or now if the run is in somebody's hands.
    pub(super) until: Timestamp,
    /// When nobody had the run, in order.
    pub(super) gaps: Vec<Gap>,
    /// One for each instance, in the plan's order.
    pub(super) tracks: Vec<Track>,
}

/// A time of which there is no record, until a process took the run up again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    /// The last record before.
    pub(super) from: Timestamp,
    /// When the run was taken up again.
    pub(super) until: Timestamp,
}

/// One instance's way through the run.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Track {
    /// What it went through, in order, without the times when it ran as usual.
    pub(super) stretches: Vec<Stretch>,
    /// The calls that were written down for it, in order.
    pub(super) calls: Vec<Call>,
    /// When it had its verdict.
    pub(super) ended: Option<Timestamp>,
}

/// What an instance can be going through, in the order of a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Activity {
    /// It goes down.
    Stopping,
    /// It is down, and nothing is done to it.
    Stopped,
    /// Its keys are changed.
    LoadingSshKey,
    /// Its password is set.
    ResettingPassword,
    /// Its type is changed.
    Resizing,
    /// It comes up.
    Starting,
    /// It runs, and is checked.
    Checking,
}

/// One activity, from one moment to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) activity: Activity,
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    /// Nothing says that it has ended.
    pub(super) open: bool,
}

/// A call, from the moment that it was about to be sent.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Call {
    pub(super) action: Action,
    /// What it shall do, in words.
    pub(super) words: String,
    pub(super) at: Timestamp,
    pub(super) request: Option<RequestId>,
    pub(super) came_to: CameTo,
}

/// What became of a call.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum CameTo {
    /// Nothing says it yet.
    Open,
    /// The cloud works on it.
    Accepted,
    /// Its effect was seen.
    Done { took: Duration },
    /// The cloud refused it, or it was never sent.
    Refused(CloudError),
    /// No clear answer came.
    Lost(CloudError),
    /// It left no trace.
    NotExecuted,
    /// It went wrong.
    Failed,
}

impl Activity {
    /// The words for a person, those of the board.
    pub(super) fn words(self) -> String {
        match self {
            Self::Stopping => doing(Action::Stop).to_owned(),
            Self::Stopped => Phase::Stopped.words(),
            Self::LoadingSshKey => doing(Action::LoadSshKeys).to_owned(),
            Self::ResettingPassword => doing(Action::ResetPassword).to_owned(),
            Self::Resizing => doing(Action::Resize).to_owned(),
            Self::Starting => doing(Action::Start).to_owned(),
            Self::Checking => Phase::Checking.words(),
        }
    }

    fn of_call(action: Action) -> Self {
        match action {
            Action::Stop => Self::Stopping,
            Action::Start => Self::Starting,
            Action::Resize => Self::Resizing,
            Action::ResetPassword => Self::ResettingPassword,
            Action::LoadSshKeys => Self::LoadingSshKey,
        }
    }

    /// What the instance is going through; `None` while it runs as usual, or is not ours to speak of.
    fn of(story: &Story, row: &Row) -> Option<Self> {
        match story.phase(row) {
            Phase::Acting(action) | Phase::Unsure(action) => Some(Self::of_call(action)),
            Phase::Checking => Some(Self::Checking),
            Phase::Stopped
            | Phase::Retrying(..)
            | Phase::Looking
            | Phase::BringingBack
            | Phase::RollingBack => Self::of_power(row),
            Phase::Waiting
            | Phase::Suspended
            | Phase::Done
            | Phase::Unchanged
            | Phase::NotBegun(_)
            | Phase::Failed
            | Phase::Stranded => None,
        }
    }

    /// Between calls its power says it.
    fn of_power(row: &Row) -> Option<Self> {
        match row.state.ledger.power {
            _ if !row.state.ledger.touched => None,
            Some(PowerState::Running) | None => None,
            Some(PowerState::Stopping) => Some(Self::Stopping),
            Some(PowerState::Starting) => Some(Self::Starting),
            Some(_) => Some(Self::Stopped),
        }
    }
}

impl Stretch {
    /// How long it lasted, as far as is known.
    pub(super) fn lasted(&self) -> Duration {
        between(self.from, self.until)
    }
}

impl Track {
    /// From its first call or stretch to its last, or to its verdict: its part of the run.
    pub(super) fn extent(&self) -> Option<(Timestamp, Timestamp)> {
        let begun = self.stretches.first().map(|own| own.from).into_iter();
        let begun = begun.chain(self.calls.first().map(|call| call.at)).min()?;
        let until = self.stretches.last().map(|own| own.until).into_iter().chain(self.ended).max();
        Some((begun, until.unwrap_or(begun)))
    }

    /// The calls; those that came to the same time after time are together.
    pub(super) fn tries(&self) -> impl Iterator<Item = &[Call]> {
        let same = |one: &Call, other: &Call| {
            one.words == other.words && one.came_to.words() == other.came_to.words()
        };
        self.calls.chunk_by(same)
    }

    fn follow(&mut self, activity: Option<Activity>, at: Timestamp) {
        if let Some(last) = self.stretches.last_mut().filter(|last| last.open) {
            if Some(last.activity) == activity {
                return;
            }
            last.until = at;
            last.open = false;
            if last.from == last.until {
                self.stretches.pop();
            }
        }
        self.stretches.extend(activity.map(|activity| Stretch { activity, from: at, until: at, open: true }));
    }

    /// The call that seemed to be under way was never executed: all that time the instance was as its power says.
    fn unmake(&mut self, activity: Option<Activity>) {
        let Some(last) = self.stretches.pop_if(|last| last.open) else { return };
        let Some(activity) = activity else { return };
        match self
            .stretches
            .last_mut()
            .filter(|before| before.activity == activity && before.until == last.from)
        {
            Some(before) => before.open = true,
            None => self.stretches.push(Stretch { activity, ..last }),
        }
    }

    fn note(&mut self, event: &Event, at: Timestamp) {
        if let Event::Intended { intent, .. } = event {
            let (action, words) = (intent.action(), intent_words(intent));
            self.calls.push(Call { action, words, at, request: None, came_to: CameTo::Open });
            return;
        }
        if matches!(event, Event::Ended { .. }) {
            self.ended = Some(at);
        }
        let Some(call) = self.calls.last_mut().filter(|call| call.came_to.is_open()) else { return };
        match event {
            Event::Accepted { request } => {
                call.request = Some(request.clone());
                call.came_to = CameTo::Accepted;
            }
            Event::Refused { error, .. } => {
                call.request.clone_from(&error.request);
                call.came_to = CameTo::Refused(error.clone());
            }
            Event::Lost { error } => call.came_to = CameTo::Lost(error.clone()),
            Event::NotExecuted => call.came_to = CameTo::NotExecuted,
            Event::Achieved { took } => call.came_to = CameTo::Done { took: *took },
            Event::Failed { .. } => call.came_to = CameTo::Failed,
            _ => {}
        }
    }
}

impl CameTo {
    /// What became of the call, in words.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Open => "not known".to_owned(),
            Self::Accepted => "accepted".to_owned(),
            Self::Done { took } => format!("done, took {}", exact(*took)),
            Self::Refused(error) => format!("refused: {error}"),
            Self::Lost(error) => format!("no clear answer: {error}"),
            Self::NotExecuted => "not executed".to_owned(),
            Self::Failed => "failed".to_owned(),
        }
    }

    /// Surely nothing was done.
    pub(super) fn is_nothing(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::NotExecuted)
    }

    /// What becomes of the call may still be learned.
    fn is_open(&self) -> bool {
        match self {
            Self::Open | Self::Accepted | Self::Lost(_) => true,
            Self::Done { .. } | Self::Refused(_) | Self::NotExecuted | Self::Failed => false,
        }
    }
}

/// Folds a whole run. `now` is given if a process has the run in hand, so that what is open lasts until then.
pub(super) fn timeline(records: &[Record], now: Option<Timestamp>) -> Result<(Story, Timeline), StoryError> {
    let first = records.first().ok_or(StoryError::Empty)?;
    let mut story = Story::begin(first)?;
    let mut tracks = vec![Track::default(); story.rows().len()];
    let mut gaps = Vec::new();
    let places: std::collections::BTreeMap<_, _> =
        story.rows().iter().enumerate().map(|(place, row)| (row.plan.id.clone(), place)).collect();
    for record in &records[1..] {
        let before = story.last();
        story.fold(record)?;
        match &record.instance {
            Some(id) => {
                let place = places[id];
                let row = &story.rows()[place];
                if matches!(record.event, Event::Refused { .. } | Event::NotExecuted) {
                    tracks[place].unmake(Activity::of_power(row));
                }
                tracks[place].note(&record.event, record.at);
                tracks[place].follow(Activity::of(&story, row), record.at);
            }
            None if matches!(record.event, Event::RunTaken { .. }) && record.seq > 1 => {
                gaps.push(Gap { from: before, until: record.at });
            }
            None => {}
        }
    }
    let until = now.map_or(story.last(), |now| now.max(story.last()));
    for stretch in tracks.iter_mut().filter_map(|track| track.stretches.last_mut()).filter(|last| last.open) {
        stretch.until = until;
    }
    let timeline = Timeline { from: first.at, until, gaps, tracks };
    Ok((story, timeline))
}

#[cfg(test)]
mod tests;
