//! The counts and short lists that a board of any number of instances is drawn from, kept as events come: neither an
//! event nor a redraw passes over all instances.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::story::{Phase, doing};
use crate::cloud::Action;

/// A phase without what is particular to the instance: what instances are counted by. The order is that of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stand {
    /// [`Phase::Stranded`].
    Stranded,
    /// [`Phase::Failed`].
    Failed,
    /// [`Phase::BringingBack`].
    BringingBack,
    /// [`Phase::RollingBack`].
    RollingBack,
    /// [`Phase::Unsure`].
    Unsure,
    /// [`Phase::Retrying`].
    Retrying,
    /// [`Phase::Acting`].
    Acting(Action),
    /// [`Phase::Stopped`].
    Stopped,
    /// [`Phase::Checking`].
    Checking,
    /// [`Phase::Looking`].
    Looking,
    /// [`Phase::Waiting`].
    Waiting,
    /// [`Phase::Suspended`].
    Suspended,
    /// [`Phase::Done`].
    Done,
    /// [`Phase::Unchanged`].
    Unchanged,
    /// [`Phase::NotBegun`].
    NotBegun,
}

impl Stand {
    /// Of this phase.
    pub fn of(phase: &Phase) -> Self {
        match phase {
            Phase::Waiting => Self::Waiting,
            Phase::Acting(action) => Self::Acting(*action),
            Phase::Unsure(_) => Self::Unsure,
            Phase::Retrying(..) => Self::Retrying,
            Phase::Stopped => Self::Stopped,
            Phase::Checking => Self::Checking,
            Phase::Looking => Self::Looking,
            Phase::BringingBack => Self::BringingBack,
            Phase::RollingBack => Self::RollingBack,
            Phase::Suspended => Self::Suspended,
            Phase::Done => Self::Done,
            Phase::Unchanged => Self::Unchanged,
            Phase::NotBegun(_) => Self::NotBegun,
            Phase::Failed => Self::Failed,
            Phase::Stranded => Self::Stranded,
        }
    }

    /// The words for a person, with a count before them or alone.
    pub fn words(self) -> &'static str {
        match self {
            Self::Stranded => "NEEDS A PERSON",
            Self::Failed => "failed",
            Self::BringingBack => "bringing back",
            Self::RollingBack => "rolling back",
            Self::Unsure => "without an answer",
            Self::Retrying => "trying again",
            Self::Acting(action) => doing(action),
            Self::Stopped => "stopped",
            Self::Checking => "checking",
            Self::Looking => "looking",
            Self::Waiting => "waiting its turn",
            Self::Suspended => "brought back, not finished",
            Self::Done => "done",
            Self::Unchanged => "unchanged",
            Self::NotBegun => "not begun",
        }
    }

    /// Nothing more will happen to the instance in this run of the process.
    pub fn is_settled(self) -> bool {
        match self {
            Self::Stranded
            | Self::Failed
            | Self::Suspended
            | Self::Done
            | Self::Unchanged
            | Self::NotBegun => true,
            Self::BringingBack
            | Self::RollingBack
            | Self::Unsure
            | Self::Retrying
            | Self::Acting(_)
            | Self::Stopped
            | Self::Checking
            | Self::Looking
            | Self::Waiting => false,
        }
    }

    /// Something is done to the instance, or waited for.
    pub fn is_under_way(self) -> bool {
        !self.is_settled() && self != Self::Waiting
    }

    /// Worth a person's eyes before all others.
    pub fn is_trouble(self) -> bool {
        matches!(self, Self::Stranded | Self::Failed | Self::BringingBack | Self::RollingBack)
    }
}

/// How an instance stands, as far as it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) stand: Stand,
    pub(super) down: bool,
    /// When its first call was about to be sent.
    pub(super) begun: Timestamp,
}

/// How many instances stand how.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    counts: BTreeMap<Stand, usize>,
    down: usize,
    troubled: BTreeSet<(Stand, usize)>,
    under_way: BTreeSet<(Timestamp, usize)>,
}

impl Tally {
    /// The instance at this place in the plan stands so.
    pub(super) fn enter(&mut self, place: usize, standing: Standing) {
        let Standing { stand, down, begun } = standing;
        *self.counts.entry(stand).or_default() += 1;
        self.down += usize::from(down && !stand.is_settled());
        if stand.is_trouble() {
            self.troubled.insert((stand, place));
        }
        if stand.is_under_way() && !stand.is_trouble() {
            self.under_way.insert((begun, place));
        }
    }

    /// It no longer does.
    pub(super) fn leave(&mut self, place: usize, standing: Standing) {
        let Standing { stand, down, begun } = standing;
        if let Some(count) = self.counts.get_mut(&stand) {
            *count -= 1;
        }
        self.down -= usize::from(down && !stand.is_settled());
        self.troubled.remove(&(stand, place));
        self.under_way.remove(&(begun, place));
    }

    /// How many stand so.
    pub fn count(&self, stand: Stand) -> usize {
        self.counts.get(&stand).copied().unwrap_or_default()
    }

    /// How many are under way, by what is done to them.
    pub fn under_way(&self) -> impl Iterator<Item = (Stand, usize)> {
        self.counts
            .iter()
            .filter(|(stand, count)| stand.is_under_way() && **count > 0)
            .map(|(stand, count)| (*stand, *count))
    }

    /// How many are done with.
    pub fn settled(&self) -> usize {
        self.counts.iter().filter(|(stand, _)| stand.is_settled()).map(|(_, count)| count).sum()
    }

    /// How many are down now by the run's doing.
    pub fn down(&self) -> usize {
        self.down
    }

    /// Those in trouble, the worst first.
    pub(super) fn troubled(&self) -> impl ExactSizeIterator<Item = usize> {
        self.troubled.iter().map(|(_, place)| *place)
    }

    /// Those under way without trouble, the longest under way first.
    pub(super) fn longest(&self) -> impl ExactSizeIterator<Item = usize> {
        self.under_way.iter().map(|(_, place)| *place)
    }
}
