//! The records of one run, folded: what every other report is made from.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::layout::width;
use super::tally::{Stand, Standing, Tally};
use crate::clock::between;
use crate::cloud::{Action, InstanceId, InstanceType, PowerState, RequestId};
use crate::journal::{
    Event, Failure, Halt, IllegalEvent, Intent, Order, Record, RunId, Stage, State, Verdict,
};
use crate::plan::{Approval, EndPower, InstancePlan, Plan, Step};

/// Records that don't make a run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoryError {
    /// The journal of the run is empty.
    #[error("the run has no records")]
    Empty,
    /// The first record is another one.
    #[error("the first record of the run is `{0}`, not `run-began`")]
    NotABeginning(&'static str),
    /// A record belongs to another run.
    #[error("record {seq} belongs to another run")]
    OtherRun {
        /// The record.
        seq: u64,
    },
    /// A record names an instance that the plan does not have.
    #[error("record {seq} is about {instance}, which is not in the plan")]
    Stranger {
        /// The record.
        seq: u64,
        /// The instance.
        instance: InstanceId,
    },
    /// A record can't follow the ones before it.
    #[error("record {seq}")]
    Illegal {
        /// The record.
        seq: u64,
        /// Why.
        source: IllegalEvent,
    },
}

/// One run, as its records tell it. Live or years later, it is the same fold.
#[derive(Clone, Debug)]
pub struct Story {
    run: RunId,
    plan: Arc<Plan>,
    approval: Approval,
    simulated: bool,
    began: Timestamp,
    last: Timestamp,
    order: Order,
    ended: bool,
    taken_by: Vec<String>,
    rows: Vec<Row>,
    index: BTreeMap<InstanceId, usize>,
    tally: Tally,
    longest_name: usize,
}

/// One instance of a run.
#[derive(Clone, Debug)]
pub struct Row {
    /// What was planned.
    pub plan: Planned,
    /// Where it is.
    pub state: State,
    /// The calls that were accepted, in order.
    pub requests: Vec<(Action, RequestId)>,
    /// What is different from before, although the workflow did not ask for it.
    pub differences: Vec<String>,
    since: Timestamp,
    begun: Option<Timestamp>,
    lost: bool,
    suspended: bool,
}

/// One instance's part of the plan, which all rows share: of a large fleet there are no copies.
#[derive(Clone, Debug)]
pub struct Planned {
    plan: Arc<Plan>,
    place: usize,
}

impl Deref for Planned {
    type Target = InstancePlan;

    fn deref(&self) -> &InstancePlan {
        &self.plan.instances[self.place]
    }
}

/// What an instance is doing, in words that a person would use.
#[derive(Clone, Debug, PartialEq)]
pub enum Phase {
    /// Its turn has not come.
    Waiting,
    /// A call is on its way, or the cloud works on it.
    Acting(Action),
    /// A call was sent, no answer came, and the instance is looked at to find out.
    Unsure(Action),
    /// A call was refused, and will be tried again.
    Retrying(Action, String),
    /// It is stopped by our doing, and the next call is due.
    Stopped,
    /// It runs again, and the checks are made.
    Checking,
    /// It is looked at before the next decision.
    Looking,
    /// Something went wrong, and it is brought back.
    BringingBack,
    /// Something went wrong after its resize, and it gets its former type again.
    RollingBack,
    /// The run was asked to end early; it has its power, but not all of its changes.
    Suspended,
    /// Everything is as planned.
    Done,
    /// There was nothing to do.
    Unchanged,
    /// It was never touched.
    NotBegun(Halt),
    /// Something went wrong, and it has the power that the workflow says.
    Failed,
    /// It does not have the power that the workflow says.
    Stranded,
}

impl Story {
    /// Begins with the run's first record.
    pub fn begin(first: &Record) -> Result<Self, StoryError> {
        let Event::RunBegan { plan: approved, simulated, .. } = &first.event else {
            return Err(StoryError::NotABeginning(first.event.name()));
        };
        let plan = approved.shared();
        let rows: Vec<Row> =
            (0..plan.instances.len()).map(|place| Row::new(Arc::clone(&plan), place, first.at)).collect();
        let index = rows.iter().enumerate().map(|(place, row)| (row.plan.id.clone(), place)).collect();
        let mut tally = Tally::default();
        for (place, row) in rows.iter().enumerate() {
            tally.enter(place, row.standing(plan.checks.len()));
        }
        Ok(Self {
            run: first.run,
            plan,
            approval: approved.approval(),
            simulated: *simulated,
            began: first.at,
            last: first.at,
            order: Order::CarryOn,
            ended: false,
            taken_by: Vec::new(),
            tally,
            longest_name: rows.iter().map(|row| width(row.plan.name())).max().unwrap_or_default(),
            rows,
            index,
        })
    }

    /// Folds a whole run.
    pub fn replay<'a>(records: impl IntoIterator<Item = &'a Record>) -> Result<Self, StoryError> {
        let mut records = records.into_iter();
        let mut story = Self::begin(records.next().ok_or(StoryError::Empty)?)?;
        for record in records {
            story.fold(record)?;
        }
        Ok(story)
    }

    /// Adds the next record.
    pub fn fold(&mut self, record: &Record) -> Result<(), StoryError> {
        if record.run != self.run {
            return Err(StoryError::OtherRun { seq: record.seq });
        }
        match &record.instance {
            Some(id) => {
                let stranger = || StoryError::Stranger { seq: record.seq, instance: id.clone() };
                let place = *self.index.get(id).ok_or_else(stranger)?;
                let checks = self.plan.checks.len();
                let row = &mut self.rows[place];
                let before = row.standing(checks);
                row.fold(&record.event, record.at)
                    .map_err(|source| StoryError::Illegal { seq: record.seq, source })?;
                let after = row.standing(checks);
                if after != before {
                    self.tally.leave(place, before);
                    self.tally.enter(place, after);
                }
            }
            None => self.fold_run(&record.event),
        }
        self.last = record.at;
        Ok(())
    }

    fn fold_run(&mut self, event: &Event) {
        match event {
            Event::RunTaken { by } => {
                self.taken_by.push(by.clone());
                self.order = Order::CarryOn;
                self.ended = false;
                let checks = self.plan.checks.len();
                for (place, row) in self.rows.iter_mut().enumerate().filter(|(_, row)| row.suspended) {
                    self.tally.leave(place, row.standing(checks));
                    row.suspended = false;
                    self.tally.enter(place, row.standing(checks));
                }
            }
            Event::Ordered { order } => self.order = self.order.max(*order),
            Event::RunEnded => self.ended = true,
            _ => {}
        }
    }

    /// The run.
    pub fn run(&self) -> RunId {
        self.run
    }

    /// What was approved.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// How it was approved.
    pub fn approval(&self) -> Approval {
        self.approval
    }

    /// The cloud was a simulated one.
    pub fn simulated(&self) -> bool {
        self.simulated
    }

    /// When it began.
    pub fn began(&self) -> Timestamp {
        self.began
    }

    /// When the last record was written.
    pub fn last(&self) -> Timestamp {
        self.last
    }

    /// The most urgent order given to the process that has the run.
    pub fn order(&self) -> Order {
        self.order
    }

    /// Every instance has its verdict.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// The processes that had the run, in order.
    pub fn taken_by(&self) -> &[String] {
        &self.taken_by
    }

    /// The instances, in the plan's order.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// How many instances stand how.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// How many columns the longest name takes.
    pub(super) fn longest_name(&self) -> usize {
        self.longest_name
    }

    /// The instance of this id.
    pub fn row(&self, id: &InstanceId) -> Option<&Row> {
        self.index.get(id).map(|place| &self.rows[*place])
    }

    /// What the instance is doing.
    pub fn phase(&self, row: &Row) -> Phase {
        row.phase(self.plan.checks.len())
    }

    /// The instances that are not as the workflow wants them to end, by our doing.
    pub fn owed(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.is_owed())
    }
}

impl Row {
    fn new(plan: Arc<Plan>, place: usize, at: Timestamp) -> Self {
        Self {
            plan: Planned { plan, place },
            state: State::default(),
            requests: Vec::new(),
            differences: Vec::new(),
            since: at,
            begun: None,
            lost: false,
            suspended: false,
        }
    }

    fn fold(&mut self, event: &Event, at: Timestamp) -> Result<(), IllegalEvent> {
        let next = self.state.next(event, at)?;
        match event {
            Event::Accepted { request } => {
                if let Stage::Underway { intent, .. } = &next.stage {
                    self.requests.push((intent.action(), request.clone()));
                }
            }
            Event::Ended { differences, .. } => self.differences.clone_from(differences),
            Event::Intended { .. } => {
                self.begun.get_or_insert(at);
            }
            _ => {}
        }
        self.lost = matches!(event, Event::Lost { .. }) || (self.lost && matches!(event, Event::Seen { .. }));
        self.suspended =
            matches!(event, Event::Suspended) || (self.suspended && matches!(event, Event::Seen { .. }));
        if action_of(&next.stage) != action_of(&self.state.stage) {
            self.since = at;
        }
        self.state = next;
        Ok(())
    }

    /// The run was asked to end early; the instance has its power, and may have changes left.
    pub fn is_suspended(&self) -> bool {
        self.suspended
    }

    /// Since when it is in its phase.
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// How long it has been down by our doing.
    pub fn down(&self, now: Timestamp) -> Duration {
        let ledger = &self.state.ledger;
        let settled = self.state.verdict().is_some() || self.suspended;
        let until = if settled { ledger.at.unwrap_or(now) } else { now };
        ledger.down + ledger.down_since.map(|since| between(since, until)).unwrap_or_default()
    }

    /// It is down now by our doing.
    pub fn is_down(&self) -> bool {
        self.state.ledger.down_since.is_some()
    }

    /// What went wrong with it.
    pub fn failure(&self) -> Option<&Failure> {
        match self.state.verdict() {
            Some(Verdict::Failed { failure } | Verdict::Stranded { failure, .. }) => Some(failure),
            Some(Verdict::Done | Verdict::Unchanged | Verdict::NotBegun { .. }) | None => {
                self.state.ledger.failure.as_ref()
            }
        }
    }

    /// The type that it gets, where the workflow names several to choose from.
    pub fn chosen_type(&self) -> Option<&InstanceType> {
        self.plan.steps.iter().find_map(|step| match step {
            Step::Resize { to, fallbacks, .. } if !fallbacks.is_empty() => {
                Some(self.state.ledger.fallback.as_ref().unwrap_or(to))
            }
            Step::Resize { .. } | Step::LoadSshKeys { .. } | Step::ResetPassword { .. } => None,
        })
    }

    /// It gets its former type again, and has not got it yet.
    fn is_rolling_back(&self) -> bool {
        let ledger = &self.state.ledger;
        let still = |to| ledger.instance_type.as_ref() != Some(to);
        ledger.roll_back.as_ref().is_some_and(|back| back.given_up.is_none() && still(&back.to))
    }

    /// It was touched, has no verdict, and does not have the power that the workflow wants.
    fn is_owed(&self) -> bool {
        let ledger = &self.state.ledger;
        let wanted = self.plan.ends.state();
        self.state.verdict().is_none() && ledger.touched && ledger.power.as_ref() != Some(&wanted)
    }

    fn standing(&self, checks: usize) -> Standing {
        let down = self.is_down();
        let begun = self.begun.unwrap_or(Timestamp::MAX);
        Standing { stand: Stand::of(&self.phase(checks)), down, begun }
    }

    fn phase(&self, checks: usize) -> Phase {
        match &self.state.stage {
            Stage::Ended { verdict } => match verdict {
                Verdict::Done => Phase::Done,
                Verdict::Unchanged => Phase::Unchanged,
                Verdict::NotBegun { why } => Phase::NotBegun(*why),
                Verdict::Failed { .. } => Phase::Failed,
                Verdict::Stranded { .. } => Phase::Stranded,
            },
            Stage::Intended { intent, .. } if self.lost => Phase::Unsure(intent.action()),
            Stage::Intended { intent, .. } | Stage::Underway { intent, .. } => Phase::Acting(intent.action()),
            Stage::Ready => self.ready_phase(checks),
        }
    }

    fn ready_phase(&self, checks: usize) -> Phase {
        let ledger = &self.state.ledger;
        if self.suspended {
            return Phase::Suspended;
        }
        if let Some(refused) = &ledger.refused {
            return Phase::Retrying(refused.action, refused.error.to_string());
        }
        if !ledger.touched {
            return Phase::Waiting;
        }
        if self.is_rolling_back() {
            return Phase::RollingBack;
        }
        if ledger.failure.is_some() {
            return Phase::BringingBack;
        }
        match ledger.power {
            Some(PowerState::Stopped) => Phase::Stopped,
            Some(PowerState::Running)
                if self.plan.ends == EndPower::Running
                    && ledger.checks_passed < checks
                    && ledger.done.len() >= self.plan.steps.len() =>
            {
                Phase::Checking
            }
            _ => Phase::Looking,
        }
    }
}

fn action_of(stage: &Stage) -> Option<Action> {
    match stage {
        Stage::Intended { intent, .. } | Stage::Underway { intent, .. } => Some(Intent::action(intent)),
        Stage::Ready | Stage::Ended { .. } => None,
    }
}

impl Phase {
    /// The words for a person.
    pub fn words(&self) -> String {
        match self {
            Self::Unsure(action) => format!("{}: no answer came, looking", doing(*action)),
            Self::Retrying(action, error) => format!("{action} was refused, trying again: {error}"),
            Self::NotBegun(why) => format!("not begun: {}", halt_words(*why)),
            Self::Waiting
            | Self::Acting(_)
            | Self::Stopped
            | Self::Checking
            | Self::Looking
            | Self::BringingBack
            | Self::RollingBack
            | Self::Suspended
            | Self::Done
            | Self::Unchanged
            | Self::Failed
            | Self::Stranded => Stand::of(self).words().to_owned(),
        }
    }

    /// Nothing more will happen to the instance in this run of the process.
    pub fn is_settled(&self) -> bool {
        Stand::of(self).is_settled()
    }
}

/// What an instance is doing while this call is under way.
pub(super) fn doing(action: Action) -> &'static str {
    match action {
        Action::Stop => "stopping",
        Action::Start => "starting",
        Action::Resize => "resizing",
        Action::ResetPassword => "resetting password",
        Action::LoadSshKeys => "loading SSH key",
    }
}

/// Why an instance was not begun.
pub(super) fn halt_words(why: Halt) -> &'static str {
    match why {
        Halt::TooManyFailures => "too many others failed",
        Halt::CanaryFailed => "a canary failed",
        Halt::Declined => "the others were not wanted after the canaries",
        Halt::KeyNotImported => "the key could not be imported",
        Halt::Ordered => "the run was ended before it began",
        Halt::Abandoned => "the run was given up before anything was sent",
    }
}
