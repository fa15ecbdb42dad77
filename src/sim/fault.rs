//! The fault script: what goes wrong, where, and how often.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::chance::{Chance, Purpose};
use crate::cloud::InstanceId;

/// One entry of the script: every condition given must hold.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Fault {
    /// Calls of this action; of any if absent.
    #[serde(default)]
    pub action: Option<String>,
    /// Only the n-th call of that action, counted from 1; the n-th call at all if no action is named.
    #[serde(default)]
    pub call: Option<u64>,
    /// Calls that name this instance.
    #[serde(default)]
    pub instance: Option<InstanceId>,
    /// Calls from this long after the beginning on.
    #[serde(default, with = "jiff::fmt::serde::unsigned_duration::friendly::compact::optional")]
    pub from: Option<Duration>,
    /// Calls until this long after the beginning.
    #[serde(default, with = "jiff::fmt::serde::unsigned_duration::friendly::compact::optional")]
    pub until: Option<Duration>,
    /// With this probability; always if absent.
    #[serde(default)]
    pub chance: Option<f64>,
    /// At most so many times; without limit if absent.
    #[serde(default)]
    pub times: Option<u32>,
    /// What happens.
    #[serde(rename = "do", with = "serde_yaml::with::singleton_map")]
    pub what: What,
}

/// What happens to a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// There is no connection: not one byte is sent. Over HTTP it looks like `lose-request`.
    NoConnection,
    /// The connection breaks before the cloud executes the call.
    LoseRequest,
    /// The connection breaks after the cloud has executed the call.
    LoseReply,
    /// `RequestLimitExceeded`.
    Throttle,
    /// `InternalServerError`, not executed.
    InternalError,
    /// Status 502 from something in between; not executed.
    BadGateway,
    /// Status 502 although the call was executed.
    BadGatewayAfter,
    /// The answer ends in the middle, although the call was executed.
    Truncate,
    /// The answer is a web page, although the call was executed.
    NotJson,
    /// The answer takes this much longer.
    Slow(#[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")] Duration),
    /// A read answers with what was so long ago, at most a minute.
    Stale(#[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")] Duration),
    /// The operation is accepted, and ends in FAILED with this message.
    Fail(String),
    /// The guest ignores this soft stop.
    Hang,
    /// The type is sold out: refused with `ResourcesSoldOut.SpecifiedInstanceType`.
    SoldOut,
    /// The token is not accepted any longer: `AuthFailure.TokenFailure`.
    ExpireToken,
    /// The instances that the call names are gone before it is looked at.
    Vanish,
    /// Refused with this code.
    Refuse(String),
}

impl What {
    /// Whether it refuses a call with an error code of its own, which need not be one that the action declares.
    pub(crate) fn writes_code(&self) -> bool {
        matches!(self, Self::InternalError | Self::SoldOut | Self::Refuse(_))
    }
}

/// The script, with the count of what has struck already.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script {
    faults: Vec<Fault>,
    struck: Vec<u32>,
}

/// A fault that strikes one call.
#[derive(Clone, Debug)]
pub(crate) struct Strike {
    pub(crate) what: What,
    /// The one instance of the call that it is meant for.
    only: Option<InstanceId>,
}

impl Strike {
    /// Whether it is meant for this instance.
    pub(crate) fn hits(&self, id: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.as_str() == id)
    }
}

/// A call, as far as the script looks at it.
pub(crate) struct Target<'a> {
    pub(crate) action: &'a str,
    /// The how-manieth call of this action it is, from 1.
    pub(crate) nth: u64,
    /// The how-manieth call at all, from 1.
    pub(crate) total: u64,
    pub(crate) ids: &'a [String],
    pub(crate) at: Timestamp,
    pub(crate) began: Timestamp,
}

impl Script {
    pub(crate) fn new(faults: Vec<Fault>) -> Self {
        Self { struck: vec![0; faults.len()], faults }
    }

    /// All that happens to this call.
    pub(crate) fn strike(&mut self, chance: Chance, target: &Target<'_>) -> Vec<Strike> {
        let mut strikes = Vec::new();
        for (index, (fault, struck)) in self.faults.iter().zip(&mut self.struck).enumerate() {
            let lucky = fault.chance.is_some_and(|probability| {
                !chance.happens(Purpose::Fault, &[index as u64, target.total], probability)
            });
            if fault.fits(target) && !lucky && fault.times.is_none_or(|times| *struck < times) {
                *struck += 1;
                strikes.push(Strike { what: fault.what.clone(), only: fault.instance.clone() });
            }
        }
        strikes
    }
}

impl Fault {
    /// A fault that strikes every call; narrow it by setting its fields.
    pub fn always(what: What) -> Self {
        Self {
            action: None,
            call: None,
            instance: None,
            from: None,
            until: None,
            chance: None,
            times: None,
            what,
        }
    }

    /// The same, for the calls of one action.
    #[must_use]
    pub fn on(self, action: &str) -> Self {
        Self { action: Some(action.to_owned()), ..self }
    }

    /// The same, only for the `call`-th one, counted from 1.
    #[must_use]
    pub fn nth(self, call: u64) -> Self {
        Self { call: Some(call), ..self }
    }

    fn fits(&self, target: &Target<'_>) -> bool {
        let nth = if self.action.is_some() { target.nth } else { target.total };
        self.action.as_deref().is_none_or(|action| action == target.action)
            && self.call.is_none_or(|call| call == nth)
            && self.instance.as_ref().is_none_or(|id| target.ids.iter().any(|named| named == id.as_str()))
            && self.from.is_none_or(|from| target.at >= target.began + from)
            && self.until.is_none_or(|until| target.at < target.began + until)
    }
}
