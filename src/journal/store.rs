//! Where journals are kept: the trait that every store fulfils, and the words it uses.
//!
//! # Who may write
//!
//! A process holds a run with a [`Lease`] that it renews; another process can take the run when the lease has run out,
//! or earlier where the store knows that the holder is gone. Taking raises the run's epoch, and every write names the
//! epoch that it was made under ([`Claim`]), so that a process which lost its run can't write any more, however late it
//! notices. As nothing is sent that was not written before, it can't send anything new either.
//!
//! Leases are written by the wall clock, and compared with that of whoever wants to take the run. A machine that was
//! suspended renews before anything else, and so finds out whether the run is still its own. Where runs come from several machines, their
//! clocks have to agree to within half of [`LEASE`]: with more than that between them a run could be taken from a process
//! that lives, which then breaks off (nothing is sent twice, as the taker looks first at every call it can't account
//! for, but the one call that is in the air at that moment may still arrive).

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::event::{Record, RunId};
use crate::cloud::{Action, InstanceId};

/// The cloud that a run works on. Runs on a simulated cloud never feed what is expected of the real one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// Tencent Cloud.
    Tencent,
    /// Tencent Cloud, by another way: a root domain of the vendor's, or an https origin such as a proxy's.
    TencentAt(String),
    /// A simulated cloud behind this endpoint.
    Endpoint(String),
    /// A simulated cloud inside this process: it is gone when the process is, so nothing in it is held for a run.
    InProcess,
}

impl Place {
    /// It is not the real cloud.
    pub fn is_simulated(&self) -> bool {
        match self {
            Self::Tencent | Self::TencentAt(_) => false,
            Self::Endpoint(_) | Self::InProcess => true,
        }
    }

    /// The text under which runs there hold their instances; `None` where nothing is held.
    pub fn scope(&self, region: &str) -> Option<String> {
        match self {
            // Every way leads to the same instances.
            Self::Tencent | Self::TencentAt(_) => Some(format!("tencent/{region}")),
            Self::Endpoint(url) => Some(format!("{url}/{region}")),
            Self::InProcess => None,
        }
    }
}

/// A run in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RunSummary {
    /// The run.
    pub id: RunId,
    /// The workflow's name.
    pub workflow: String,
    /// The region.
    pub region: String,
    /// When it began.
    pub began: Timestamp,
    /// When every instance had its verdict; `None` for a run that is unfinished.
    pub ended: Option<Timestamp>,
    /// Where it works.
    pub place: Place,
}

/// How long an operation took, from its acceptance to the moment its end was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Took {
    /// The operation.
    pub action: Action,
    /// The family of the instance's type, e.g. `S5`.
    pub family: String,
    /// How long.
    pub took: Duration,
}

/// How long a process may go without renewing its hold of a run before another may take it.
pub const LEASE: Duration = Duration::from_mins(1);

/// Who holds a run, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The process, and its host.
    pub by: String,
    /// From then on another process may take the run.
    pub until: Timestamp,
}

impl Lease {
    /// A lease that begins `now`.
    pub fn new(by: impl Into<String>, now: Timestamp) -> Self {
        Self { by: by.into(), until: now + LEASE }
    }
}

/// The right to write a run's journal: the newest process that took it has the highest epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The run.
    pub run: RunId,
    /// Counts the processes that took it.
    pub epoch: i64,
}

/// A store can't do what is asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It can't be opened.
    #[error("the journal at {at} can't be opened: {why}")]
    Open {
        /// Where it is.
        at: String,
        /// Why not.
        why: String,
    },
    /// It can't be written now, and perhaps later. Nothing that depends on it may be done. Whether it was written all
    /// the same is not known for sure: what was to be written can be written again.
    #[error("the journal can't be written: {0}")]
    Write(String),
    /// It can't be read.
    #[error("the journal can't be read: {0}")]
    Read(String),
    /// Something in it is not what was written.
    #[error("the journal is damaged: {0}")]
    Damaged(String),
    /// There is no such run.
    #[error("there is no run {0}")]
    NoRun(RunId),
    /// Another process has taken the run.
    #[error("another process has taken the run {0}")]
    Taken(RunId),
    /// A process that lives holds the run.
    #[error("the run {run} is held by {}, at least until {}", .lease.by, .lease.until.strftime("%H:%M:%S UTC"))]
    Busy {
        /// The run.
        run: RunId,
        /// Who holds it.
        lease: Lease,
    },
    /// The run has ended, and nobody can take it any more.
    #[error("the run {0} has ended")]
    Ended(RunId),
    /// It was written by a newer version of this program.
    #[error("{0} was written by a newer pitstop, and this one can't read it")]
    Newer(String),
    /// Instances of this run belong to another run that is unfinished.
    #[error("{instance} is held by the run {run}, unfinished since {since}")]
    Held {
        /// One of the instances.
        instance: InstanceId,
        /// The run that holds it.
        run: RunId,
        /// When that run began.
        since: Timestamp,
    },
}

/// A place where journals are kept. Writing is durable when it returns; reading never blocks a writer.
#[async_trait]
pub trait Store: Send + Sync {
    /// Writes down a new run with its first records, and holds its instances if it has a scope:
    /// [`StoreError::Held`] if an unfinished run holds one of them already.
    async fn begin(
        &self,
        run: &RunSummary,
        instances: &[InstanceId],
        first: &[Record],
        lease: &Lease,
    ) -> Result<Claim, StoreError>;

    /// Takes a run in hand: from now on no other process writes to it. [`StoreError::Busy`] if a process holds it whose
    /// lease has not run out `now`, unless that process is known to be gone; [`StoreError::Ended`] if it has ended.
    async fn take(&self, run: RunId, lease: &Lease, now: Timestamp) -> Result<Claim, StoreError>;

    /// Prolongs the hold of a run.
    async fn renew(&self, claim: Claim, until: Timestamp) -> Result<(), StoreError>;

    /// Lets an unfinished run go: it can be taken at once. It still holds its instances.
    async fn release(&self, claim: Claim) -> Result<(), StoreError>;

    /// Who holds the run `now`; `None` if it can be taken.
    async fn holder(&self, run: RunId, now: Timestamp) -> Result<Option<Lease>, StoreError>;

    /// One of these instances that an unfinished run holds in this scope, and that run.
    async fn held(
        &self,
        scope: &str,
        instances: &[InstanceId],
    ) -> Result<Option<(InstanceId, RunId)>, StoreError>;

    /// Appends records, all or none. Appending the same ones again changes nothing, so that a try of which nobody knows
    /// whether it was durable can be repeated; [`StoreError::Damaged`] if other records stand in their place.
    async fn append(&self, claim: Claim, records: &[Record], took: &[Took]) -> Result<(), StoreError>;

    /// Marks the run as ended, and lets its instances go. It can be repeated, as [`Store::append`] can.
    async fn finish(&self, claim: Claim, at: Timestamp) -> Result<(), StoreError>;

    /// All records of a run in their order.
    async fn load(&self, run: RunId) -> Result<Vec<Record>, StoreError>;

    /// All runs, the newest first.
    async fn runs(&self) -> Result<Vec<RunSummary>, StoreError>;

    /// The newest durations of each action, at most `each` of them.
    async fn history(&self, simulated: bool, each: u32) -> Result<Vec<Took>, StoreError>;
}
