//! Which failures are fair: each has one story that justifies it, and the world's log has to tell that story.

use std::time::Duration;

use jiff::Timestamp;
use pitstop::clock::between;
use pitstop::cloud::{Action, CloudError, RequestId};
use pitstop::journal::{Event, Failure, Halt};
use pitstop::run::Pace;
use pitstop::sim::{Actor, Effect, ForeignAct, Happening, InstanceSpec, What};

use crate::checks::{Tale, is_mutation};

/// A call that leaves no trace so often in a row is given up.
const VANISHES: usize = 3;

impl Tale<'_> {
    /// Why this failure is not fair; `None` if it is.
    pub(crate) fn unjustified(&self, failure: &Failure) -> Option<String> {
        let failed = self
            .records()
            .find(|record| matches!(&record.event, Event::Failed { failure: own } if own == failure));
        let Some(at) = failed.or_else(|| self.records().last()).map(|record| record.at) else {
            return Some("no record says why".to_owned());
        };
        let by_somebody = || self.foreign().any(|entry| entry.at <= at);
        let (fair, wanted) = match failure {
            Failure::Drifted { .. } | Failure::Interference { .. } | Failure::DeadEnd { .. } => {
                (by_somebody(), "nobody else did anything")
            }
            Failure::Gone => {
                let vanished =
                    |what: &Happening| matches!(what, Happening::Changed { effect: Effect::Vanished, .. });
                (self.foreign().any(|entry| entry.at <= at && vanished(&entry.what)), "it had not vanished")
            }
            Failure::Refused { action, error } => (
                self.was_refused(*action, error, at)
                    || self.was_unread(*action, at)
                    || self.vanished(*action, at),
                "nothing kept refusing it",
            ),
            Failure::Operation { action, request, .. } => {
                (self.failed(*action, request), "nothing made that operation fail")
            }
            Failure::TimedOut { request, .. } => {
                (self.was_under_way(request.as_ref(), at), "its operation had ended, and that could be seen")
            }
            Failure::NoEffect { request, .. } => (
                self.undone(request, at) || self.last_reads(at).iter().any(|(read, _)| self.is_stale(read)),
                "its effect could be seen",
            ),
            Failure::CutShort { .. } => (
                self.too_many_failed(at) || self.a_canary_failed() || !self.scenario.carries_on,
                "not too many others had failed",
            ),
            Failure::OverBudget { .. } => (self.story.plan.downtime_budget.is_some(), "there is no budget"),
            Failure::RolledBack { cause, .. } => return self.unjustified(cause),
            Failure::NotRolledBack { cause, why, .. } => {
                let why = why.as_deref().and_then(|why| self.unjustified(why));
                return self.unjustified(cause).or(why);
            }
            Failure::Check { .. } => (by_somebody() || self.is_mute(), "its guest was well"),
        };
        (!fair).then(|| wanted.to_owned())
    }

    /// Why it is not fair that it was not begun with; `None` if it is.
    pub(crate) fn unjustified_halt(&self, why: Halt) -> Option<String> {
        let ordered =
            || self.story.records.iter().any(|record| matches!(record.event, Event::Ordered { .. }));
        let import = || {
            self.story.records.iter().any(|record| matches!(record.event, Event::KeyImportIntended { .. }))
        };
        let (fair, wanted) = match why {
            Halt::TooManyFailures => (self.too_many_failed(Timestamp::MAX), "not too many others had failed"),
            Halt::CanaryFailed => (self.a_canary_failed(), "no canary had failed"),
            Halt::Declined => (!self.scenario.carries_on, "nobody wanted the others spared"),
            Halt::KeyNotImported => (import(), "no key was to be imported"),
            Halt::Ordered => (ordered(), "nobody ordered it"),
            Halt::Abandoned => (false, "nobody gave it up"),
        };
        (!fair).then(|| wanted.to_owned())
    }

    /// More others had failed by then than the workflow allows.
    fn too_many_failed(&self, by: Timestamp) -> bool {
        let failed = self.story.plan.instances.iter().filter(|other| {
            other.id != self.own.id
                && self.story.records.iter().any(|record| {
                    record.at <= by
                        && record.instance.as_ref() == Some(&other.id)
                        && matches!(record.event, Event::Failed { .. })
                })
        });
        failed.count() > self.story.plan.rollout.max_failures
    }

    fn a_canary_failed(&self) -> bool {
        let canaries = self.story.plan.instances.iter().filter(|own| own.canary);
        let failed = |id| {
            self.story.records.iter().any(|record| {
                record.instance.as_ref() == Some(id) && matches!(record.event, Event::Failed { .. })
            })
        };
        canaries.map(|own| &own.id).any(failed)
    }

    /// The cloud refused it for a reason that neither waiting nor looking again mends.
    fn was_refused(&self, action: Action, error: &CloudError, at: Timestamp) -> bool {
        let code = error.code.as_deref().unwrap_or_default();
        let scripted = |what: &What| match what {
            What::Refuse(wanted) => wanted == code,
            What::SoldOut => code.starts_with("ResourcesSoldOut"),
            // A new token mends it the first time only.
            What::ExpireToken => code == "AuthFailure.TokenFailure",
            _ => false,
        };
        let sold_out = || {
            let events = self.scenario.fleet.events.iter();
            let mut acts = events.map(|event| &event.act);
            code.starts_with("ResourcesSoldOut") && acts.any(|act| matches!(act, ForeignAct::SellOut(_)))
        };
        let struck = self.happenings().any(|entry| match &entry.what {
            Happening::Call { action: called, faults, refused, .. } => {
                called == action.api_name()
                    && entry.at <= at
                    && refused.as_deref() == Some(code)
                    && faults.iter().any(scripted)
            }
            _ => false,
        });
        let by_somebody = !code.is_empty() && self.foreign().any(|entry| entry.at <= at);
        struck || sold_out() || by_somebody
    }

    /// It could not be read for as long as an instance in its condition is waited for.
    fn was_unread(&self, action: Action, at: Timestamp) -> bool {
        let pace = Pace::default();
        let untouched = !self.happenings().any(|entry| match &entry.what {
            Happening::Call { action, .. } => is_mutation(action) && entry.at <= at,
            _ => false,
        });
        let patience = if untouched && action == Action::Stop { pace.visibility * 2 } else { pace.recovery };
        // From the first read that failed after the last that did not.
        let last = self.last_reads(at).first().map_or(Timestamp::MIN, |(read, _)| read.landed);
        let blind = self.happenings().filter(|entry| match &entry.what {
            Happening::Call { action, faults, .. } => {
                action == "DescribeInstances" && !faults.is_empty() && (last..=at).contains(&entry.at)
            }
            _ => false,
        });
        // The call was under way for a while before it arrived.
        let slack = Duration::from_secs(10);
        blind.map(|entry| entry.at).min().is_some_and(|since| between(since, at) + slack >= patience)
    }

    /// Its last calls of this action got lost, one like the other.
    fn vanished(&self, action: Action, at: Timestamp) -> bool {
        let calls = self.happenings().filter_map(|entry| match &entry.what {
            Happening::Call { action: called, request, refused, .. }
                if called == action.api_name() && entry.at <= at =>
            {
                // It never came to the cloud, or was refused there, whatever came back.
                Some(request.is_none() || refused.is_some())
            }
            _ => None,
        });
        let lost_in_a_row = calls.collect::<Vec<_>>().into_iter().rev().take_while(|lost| *lost).count();
        let given_up: Vec<_> = self
            .records()
            .filter(|record| record.at <= at)
            .rev()
            .skip_while(|record| !matches!(record.event, Event::NotExecuted))
            .take_while(|record| !matches!(record.event, Event::Accepted { .. } | Event::Achieved { .. }))
            .filter(|record| matches!(record.event, Event::NotExecuted))
            .collect();
        // A process that ended before it could send what it had written down has lost that call, too.
        given_up.len() >= VANISHES && lost_in_a_row + self.story.cuts >= VANISHES
    }

    /// The fault script or the guest made this operation fail.
    fn failed(&self, action: Action, request: &RequestId) -> bool {
        let struck = self.happenings().any(|entry| match &entry.what {
            Happening::Call { request: Some(own), faults, .. } => {
                own == request.as_str()
                    && faults.iter().any(|what| matches!(what, What::Fail(_) | What::Hang))
            }
            _ => false,
        });
        let guest = self.spec().map(|spec| &spec.guest);
        struck
            || (action == Action::Stop && guest.is_some_and(|guest| guest.stubborn))
            || (action == Action::Start && guest.is_some_and(|guest| !guest.dead_on.is_empty()))
    }

    fn spec(&self) -> Option<&InstanceSpec> {
        self.scenario.fleet.instances.iter().find(|spec| spec.id == self.own.id)
    }

    fn is_mute(&self) -> bool {
        self.spec().is_some_and(|spec| !spec.guest.mute_on.is_empty() || !spec.guest.dead_on.is_empty())
    }

    /// By all that could be known at that time the operation was under way, or somebody else's that hid it. Where it is
    /// not known whether it was executed, any operation will do.
    fn was_under_way(&self, request: Option<&RequestId>, at: Timestamp) -> bool {
        let known = self.known_of(at);
        let ends = |wanted: &str| {
            self.happenings().find_map(|entry| match &entry.what {
                Happening::Changed { request, effect: Effect::Ended { .. }, .. } if request == wanted => {
                    Some(entry.at)
                }
                _ => None,
            })
        };
        self.happenings().any(|entry| match &entry.what {
            Happening::Began { request: own, by, .. } => {
                let concerns = request.is_none_or(|wanted| own == wanted.as_str()) || *by == Actor::Somebody;
                concerns && entry.at <= at && ends(own).is_none_or(|ended| ended >= known)
            }
            _ => false,
        })
    }

    /// That operation was somebody else's, taken for ours, or somebody else acted after it began: its effect may be gone.
    fn undone(&self, request: &RequestId, at: Timestamp) -> bool {
        let began = self.happenings().find_map(|entry| match &entry.what {
            Happening::Began { request: own, by, .. } if own == request.as_str() => Some((entry.at, *by)),
            _ => None,
        });
        began.is_some_and(|(began, by)| {
            by == Actor::Somebody || self.foreign().any(|entry| (began..=at).contains(&entry.at))
        })
    }
}
