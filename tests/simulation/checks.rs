//! Pitstop's promises, held against the world's own log.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use pitstop::clock::between;
use pitstop::cloud::{Action, InstanceId, PowerState};
use pitstop::journal::{Event, Record, Verdict};
use pitstop::plan::{EndPower, InstancePlan, Step};
use pitstop::run::{Conclusion, Pace};
use pitstop::sim::{Actor, Effect, Happening, LogEntry, What};
use pitstop::workflow::OnFailure;
use serde_json::{Value, json};

use crate::scenario::{MUTATIONS, Scenario};
use crate::second_thoughts;
use crate::story::{End, PASSWORD, Story, sorted};
use crate::witness::{Read, Shown};

/// An instance makes fewer calls than this, however often the process ends.
const MOST_CALLS: usize = 400;
/// The cloud's answers show what happens this much later at most: the operations' longest lag, and a call's way.
const LAG: Duration = Duration::from_secs(20);

/// What is wrong with the story; empty if all promises were kept.
pub(crate) fn violations(scenario: &Scenario, story: &Story) -> Vec<String> {
    let mut found = story.problems.clone();
    found.extend(foreign_calls(story));
    found.extend(bodies(story));
    found.extend(secrets(story));
    found.extend(liveness(story));
    for own in &story.plan.instances {
        let tale = Tale::of(scenario, story, own);
        let mut wrong = Vec::new();
        wrong.extend(tale.stops());
        wrong.extend(tale.order_of_changes());
        wrong.extend(tale.nothing_twice());
        wrong.extend(tale.left_alone());
        wrong.extend(tale.end());
        wrong.extend(tale.undisturbed());
        wrong.extend(tale.decided_on_what_was_seen());
        wrong.extend(tale.arrived_while_stopped());
        wrong.extend(tale.sent_in_time());
        found.extend(wrong.into_iter().map(|what| format!("{}: {what}", own.id)));
    }
    found
}

pub(crate) fn is_mutation(action: &str) -> bool {
    MUTATIONS.contains(&action)
}

/// P6: only planned instances are named by calls that change something.
fn foreign_calls(story: &Story) -> Vec<String> {
    let planned: BTreeSet<&str> = story.plan.instances.iter().map(|own| own.id.as_str()).collect();
    let calls = story.log.iter().filter_map(|entry| match &entry.what {
        Happening::Call { action, ids, .. } if is_mutation(action) => Some((action, ids)),
        _ => None,
    });
    calls
        .flat_map(|(action, ids)| ids.iter().map(move |id| (action, id)))
        .filter(|(_, id)| !planned.contains(id.as_str()))
        .map(|(action, id)| format!("P6: {action} named {id}, which is not planned"))
        .collect()
}

/// P4: what every body must and must not hold.
fn bodies(story: &Story) -> Vec<String> {
    let mut found = Vec::new();
    for sent in &story.sent {
        if !is_mutation(&sent.action) && sent.action != "ImportKeyPair" {
            found.push(format!("P6: {} was called", sent.action));
        }
        if sent.parameters.contains_key("ForceStop") {
            found.push(format!("P4: {} had ForceStop", sent.action));
        }
        let text = Value::from_iter(sent.parameters.clone()).to_string();
        if text.contains(PASSWORD) != (sent.action == "ResetInstancesPassword") {
            found.push(format!("P8: {} should hold the password if it sets it, and only then", sent.action));
        }
        if sent.action != "StopInstances" {
            continue;
        }
        let mode = serde_json::to_value(story.plan.stop.mode).unwrap();
        let word = json!(mode.as_str().unwrap().to_uppercase().replace('-', "_"));
        if sent.parameters.get("StopType") != Some(&word) {
            found.push(format!("P4: a stop of another kind than {word} was sent: {text}"));
        }
        if sent.parameters.get("StoppedMode") != Some(&json!("KEEP_CHARGING")) {
            found.push(format!("P4: a stop without KEEP_CHARGING was sent: {text}"));
        }
    }
    found
}

/// P8: the password stands nowhere.
fn secrets(story: &Story) -> Option<String> {
    let records = story.records.iter();
    let shown = records.flat_map(|record| [serde_json::to_string(record).unwrap(), format!("{record:?}")]);
    shown
        .chain(story.texts.iter().cloned())
        .find(|text| text.contains(PASSWORD))
        .map(|text| format!("P8: the password stands in {text}"))
}

fn liveness(story: &Story) -> Vec<String> {
    let mut found = Vec::new();
    let calls = story.log.iter().filter(|entry| matches!(entry.what, Happening::Call { .. })).count();
    let most = MOST_CALLS * story.plan.instances.len() * story.lives.max(1);
    if calls > most {
        found.push(format!("{calls} calls are more than {most}"));
    }
    if let Some(outcome) = &story.outcome {
        let stranded = outcome.instances.iter().any(|(_, it)| matches!(it, Some(Verdict::Stranded { .. })));
        if stranded != (outcome.conclusion() == Conclusion::PersonNeeded) {
            found.push("P3: stranded instances and the need of a person go together".to_owned());
        }
    }
    found
}

/// What the log tells of one instance.
pub(crate) struct Tale<'a> {
    pub(crate) story: &'a Story,
    pub(crate) own: &'a InstancePlan,
    pub(crate) verdict: Option<&'a Verdict>,
    end: Option<&'a End>,
    pub(crate) scenario: &'a Scenario,
    /// When the world answered a request, and what struck it.
    served: BTreeMap<&'a str, (Timestamp, &'a [What])>,
}

/// What was true of an instance when a call arrived.
struct Truth {
    power: PowerState,
    /// Who brought it into that state.
    power_by: Actor,
    /// Whose operation was under way.
    busy: Option<Actor>,
}

impl<'a> Tale<'a> {
    fn of(scenario: &'a Scenario, story: &'a Story, own: &'a InstancePlan) -> Self {
        let outcome = story.outcome.as_ref();
        let verdict = outcome.and_then(|outcome| {
            outcome.instances.iter().find(|(id, _)| *id == own.id).and_then(|(_, it)| it.as_ref())
        });
        let end = story.ends.get(&own.id).and_then(Option::as_ref);
        let served = story.log.iter().filter_map(|entry| match &entry.what {
            Happening::Call { request: Some(request), faults, .. } => {
                Some((request.as_str(), (entry.at, faults.as_slice())))
            }
            _ => None,
        });
        Self { story, own, verdict, end, scenario, served: served.collect() }
    }

    fn id(&self) -> &'a InstanceId {
        &self.own.id
    }

    /// What happened to it, calls that named it included.
    pub(crate) fn happenings(&self) -> impl Iterator<Item = &'a LogEntry> + use<'a> {
        let own = self.id();
        self.story.log.iter().filter(move |entry| match &entry.what {
            Happening::Call { ids, .. } => ids.iter().any(|id| id == own.as_str()),
            Happening::Began { id, .. } | Happening::Changed { id, .. } => id == own,
            Happening::KeyImported { .. } => false,
        })
    }

    /// What somebody else did to it.
    pub(crate) fn foreign(&self) -> impl Iterator<Item = &'a LogEntry> + use<'a> {
        self.happenings().filter(|entry| match &entry.what {
            Happening::Began { by, .. } | Happening::Changed { by, .. } => *by == Actor::Somebody,
            Happening::Call { .. } | Happening::KeyImported { .. } => false,
        })
    }

    /// The journal's records of it.
    pub(crate) fn records(&self) -> impl DoubleEndedIterator<Item = &'a Record> + use<'a> {
        let own = self.id();
        self.story.records.iter().filter(move |record| record.instance.as_ref() == Some(own))
    }

    /// What the last answers before then showed of it: of several that came at that moment, any may have been the last.
    pub(crate) fn last_reads(&self, by: Timestamp) -> Vec<(&'a Read, &'a Shown)> {
        let own = self.id().as_str();
        let reads = &self.story.reads;
        let by = reads.partition_point(|read| read.landed <= by);
        let shown = |read: &'a Read| Some((read, read.shown.iter().find(|shown| shown.id == own)?));
        let mut of_it = reads[..by].iter().rev().filter_map(shown);
        let Some(last) = of_it.next() else { return Vec::new() };
        let together = of_it.take_while(|(read, _)| read.landed == last.0.landed);
        std::iter::once(last).chain(together).collect()
    }

    /// The earliest moment that what was known by then can have been true at: the cloud answers late, and sometimes with
    /// the past.
    pub(crate) fn known_of(&self, by: Timestamp) -> Timestamp {
        let stale = |faults: &[What]| {
            faults.iter().map(|what| if let What::Stale(age) = what { *age } else { Duration::ZERO }).sum()
        };
        let known = self.last_reads(by).into_iter().filter_map(|(read, _)| {
            let (at, faults) = self.served.get(read.request.as_str())?;
            let age: Duration = stale(faults);
            Some(*at - age - LAG)
        });
        known.min().unwrap_or(Timestamp::MIN)
    }

    /// The operations that our calls began.
    fn operations(&self) -> Vec<&'a str> {
        let began = self.happenings().filter_map(|entry| match &entry.what {
            Happening::Began { action, by: Actor::Caller, .. } => Some(action.as_str()),
            _ => None,
        });
        began.collect()
    }

    fn effects(&self) -> Vec<&'a Effect> {
        let changed = self.happenings().filter_map(|entry| match &entry.what {
            Happening::Changed { by: Actor::Caller, effect, .. } => Some(effect),
            _ => None,
        });
        changed.collect()
    }

    pub(crate) fn touched(&self) -> bool {
        !self.operations().is_empty()
    }

    fn ran(&self) -> bool {
        self.own.found.as_ref().is_some_and(|found| found.power == PowerState::Running)
    }

    /// P1: one stop, and one more each time that it was handed back early or was powered on by our resize,
    /// and one for a roll-back.
    fn stops(&self) -> Option<String> {
        let stops = self.operations().iter().filter(|action| **action == "StopInstances").count();
        let suspensions = self
            .story
            .records
            .iter()
            .filter(|record| record.instance.as_ref() == Some(self.id()) && record.event == Event::Suspended)
            .count();
        let resizes: Vec<&str> = self
            .happenings()
            .filter_map(|entry| match &entry.what {
                // Somebody else's resize to the same type can't be told from one of ours whose answer was lost.
                Happening::Began { action, request, .. } if action == "ResetInstancesType" => {
                    Some(request.as_str())
                }
                _ => None,
            })
            .collect();
        let boots = self.happenings().filter(|entry| match &entry.what {
            Happening::Changed { request, effect: Effect::Power { to: PowerState::Running, .. }, .. } => {
                resizes.contains(&request.as_str())
            }
            _ => false,
        });
        let boots = if self.own.ends == EndPower::Stopped { boots.count() } else { 0 };
        let second = second_thoughts::stops_for_roll_back(self.story, self.id());
        let most = usize::from(self.ran()) + suspensions + boots + second;
        (stops > most).then(|| format!("P1: it was stopped {stops} times, and {most} were due"))
    }

    /// P1: keys, then the password, then the size.
    fn order_of_changes(&self) -> Option<String> {
        let places: Vec<_> = self
            .effects()
            .into_iter()
            .filter_map(|effect| match effect {
                Effect::Keys { .. } => Some(0),
                Effect::Password { .. } => Some(1),
                Effect::Resized { .. } => Some(2),
                _ => None,
            })
            .collect();
        (!places.is_sorted()).then(|| format!("P1: the changes were made in the order {places:?}"))
    }

    /// P5: no change is made twice.
    fn nothing_twice(&self) -> Vec<String> {
        let effects = self.effects();
        let count = |wanted: fn(&Effect) -> bool| effects.iter().filter(|effect| wanted(effect)).count();
        let back = second_thoughts::resizes_back(self.story, self.id(), &effects);
        let table = [
            ("resized", count(|effect| matches!(effect, Effect::Resized { .. })) - back),
            ("given keys", count(|effect| matches!(effect, Effect::Keys { .. }))),
            ("given a password", count(|effect| matches!(effect, Effect::Password { .. }))),
        ];
        let twice = table.into_iter().filter(|(_, times)| *times > 1);
        twice.map(|(what, times)| format!("P5: it was {what} {times} times")).collect()
    }

    /// P2 and the verdicts that say that nothing was done.
    fn left_alone(&self) -> Option<String> {
        let called = self.happenings().find_map(|entry| match &entry.what {
            Happening::Call { action, .. } if is_mutation(action) => Some(action),
            _ => None,
        })?;
        if self.own.is_unchanged() {
            return Some(format!("P2: there is nothing to change, and {called} was sent"));
        }
        match self.verdict {
            Some(Verdict::Unchanged) => Some(format!("P2: it is called unchanged, and {called} was sent")),
            Some(Verdict::NotBegun { .. }) if self.touched() => {
                Some("it is called not begun, and operations were made on it".to_owned())
            }
            _ => None,
        }
    }

    fn wanted_power(&self) -> PowerState {
        self.own.ends.state()
    }

    /// P3: the power is what the workflow says, or the verdict says that it isn't.
    fn end(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.story.outcome.is_some() && self.verdict.is_none() && self.story.problems.is_empty() {
            found.push("it has no verdict".to_owned());
        }
        let Some(end) = self.end else { return found };
        let as_found = self.own.found.as_ref().map(|own| own.power.clone());
        let wanted = match self.verdict {
            None | Some(Verdict::Stranded { .. }) => None,
            Some(Verdict::Unchanged | Verdict::NotBegun { .. }) => as_found,
            Some(Verdict::Failed { .. }) if !self.touched() => as_found,
            Some(Verdict::Failed { .. })
                if self.story.plan.on_failure == OnFailure::LeaveStopped
                    && !second_thoughts::is_over_budget(self.verdict) =>
            {
                None
            }
            Some(Verdict::Done | Verdict::Failed { .. }) => Some(self.wanted_power()),
        };
        if let Some(wanted) = wanted
            && end.power != wanted
            && !self.moved_by_somebody()
        {
            found.push(format!("P3: it is {}, and should be {wanted}: {:?}", end.power, self.verdict));
        }
        if self.verdict == Some(&Verdict::Done) {
            let made = second_thoughts::made(self.story, self.own);
            let lacking = made.iter().filter(|step| !self.changed_by_somebody(step.action()));
            found.extend(lacking.filter_map(|step| lacks(step, end)));
        }
        if !self.changed_by_somebody(Action::Resize) {
            found.extend(second_thoughts::ends_as_told(self.verdict, end, self.touched()));
        }
        found
    }

    /// Somebody else moved its power after what the verdict rests on; or ever, if it was left alone.
    fn moved_by_somebody(&self) -> bool {
        let ended = self.records().find(|record| matches!(record.event, Event::Ended { .. }));
        let since = match ended {
            Some(ended) if self.touched() => self.known_of(ended.at),
            _ => Timestamp::MIN,
        };
        let moved =
            |what: &Happening| matches!(what, Happening::Changed { effect: Effect::Power { .. }, .. });
        self.foreign().any(|entry| entry.at >= since && moved(&entry.what))
    }

    /// The last change of this kind was somebody else's.
    fn changed_by_somebody(&self, action: Action) -> bool {
        let last = self.happenings().filter_map(|entry| match (&entry.what, action) {
            (Happening::Changed { by, effect: Effect::Resized { .. }, .. }, Action::Resize)
            | (Happening::Changed { by, effect: Effect::Keys { .. }, .. }, Action::LoadSshKeys)
            | (Happening::Changed { by, effect: Effect::Password { .. }, .. }, Action::ResetPassword) => {
                Some(*by)
            }
            _ => None,
        });
        last.last() == Some(Actor::Somebody)
    }

    /// P9: what had no trouble of its own is done, whatever befell the others.
    fn undisturbed(&self) -> Option<String> {
        let why = match self.verdict {
            None | Some(Verdict::Done | Verdict::Unchanged) => return None,
            Some(Verdict::NotBegun { why }) => self.unjustified_halt(*why),
            Some(Verdict::Failed { failure } | Verdict::Stranded { failure, .. }) => {
                self.unjustified(failure)
            }
        }?;
        Some(format!("P9: it had no trouble of its own ({why}), and ended {:?}", self.verdict))
    }

    /// P4: every change was decided on when a recent answer showed the instance STOPPED and nothing under way.
    fn decided_on_what_was_seen(&self) -> Vec<String> {
        let fresh = Pace::default().fresh;
        let changes = self.records().filter_map(|record| match &record.event {
            Event::Intended { intent, .. } if is_change(intent.action().api_name()) => {
                Some((record.at, intent.action()))
            }
            _ => None,
        });
        changes
            .filter(|(at, action)| self.was_sent(*at, *action))
            .filter(|(at, _)| {
                !self.last_reads(*at).into_iter().any(|(read, shown)| {
                    between(read.landed, *at) <= fresh
                        && shown.power == "STOPPED"
                        && shown.operation.as_deref() != Some("OPERATING")
                })
            })
            .map(|(at, action)| {
                let seen = self.last_reads(at);
                format!("P4: {action} was decided on at {at}, when the last that was seen was {seen:?}")
            })
            .collect()
    }

    /// A call that was about to be sent then was sent: what was decided too long before is not.
    fn was_sent(&self, at: Timestamp, action: Action) -> bool {
        let calls = self.story.log.iter().filter(|entry| entry.at >= at);
        let of_it = calls.filter(|entry| match &entry.what {
            Happening::Call { action: called, ids, .. } => {
                called == action.api_name() && ids.iter().any(|id| id == self.id().as_str())
            }
            _ => false,
        });
        let next = self.records().find(|record| {
            record.at >= at
                && matches!(record.event, Event::Accepted { .. } | Event::Refused { .. } | Event::NotExecuted)
        });
        let until = next.map_or(Timestamp::MAX, |record| record.at);
        of_it.take_while(|entry| entry.at <= until).next().is_some()
    }

    /// P4: nothing was sent long after it was decided, unless the process hung with it.
    fn sent_in_time(&self) -> Vec<String> {
        let longest = Pace::default().late + self.story.way + Duration::from_secs(1);
        let calls = self.story.log.iter().filter_map(|entry| match &entry.what {
            Happening::Call { action, ids, .. }
                if is_mutation(action) && ids.iter().any(|id| id == self.id().as_str()) =>
            {
                Some((entry.at, action))
            }
            _ => None,
        });
        calls
            .filter(|_| self.story.hung == 0)
            .filter_map(|(at, action)| {
                let decided = self.records().rev().find(|record| {
                    matches!(&record.event, Event::Intended { intent, .. } if intent.action().api_name() == action)
                        && record.at <= at
                });
                let late = between(decided?.at, at);
                (late > longest).then(|| format!("P4: {action} arrived at {at}, {late:?} after it was decided"))
            })
            .collect()
    }

    /// P4: a change arrived while the instance was STOPPED with nothing under way. If not, then because of what somebody
    /// else did, which no answer had shown yet, or because the answer that it rests on was from the past.
    fn arrived_while_stopped(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for (entry, truth) in self.truths() {
            let Happening::Call { action, refused, .. } = &entry.what else { continue };
            let blame = match truth {
                Truth { busy: Some(by), .. } => by,
                Truth { power: PowerState::Stopped, .. } => continue,
                Truth { power_by, .. } => power_by,
            };
            let intended = self.records().rev().find(|record| {
                matches!(&record.event, Event::Intended { intent, .. } if intent.action().api_name() == action)
                    && record.at <= entry.at
            });
            let stale = intended.is_some_and(|intended| {
                self.last_reads(intended.at).iter().any(|(read, _)| self.is_stale(read))
            });
            if blame == Actor::Caller && !stale {
                let busy = if truth.busy.is_some() { " and an operation of ours under way" } else { "" };
                let (at, power) = (entry.at, truth.power);
                wrong.push(format!(
                    "P4: {action} arrived at {at}, {power}{busy}, and was answered {refused:?}"
                ));
            }
        }
        wrong
    }

    pub(crate) fn is_stale(&self, read: &Read) -> bool {
        let faults = self.served.get(read.request.as_str()).map(|(_, faults)| *faults).unwrap_or_default();
        faults.iter().any(|what| matches!(what, What::Stale(_)))
    }

    /// Every call that would change it, with what was true before it.
    fn truths(&self) -> Vec<(&'a LogEntry, Truth)> {
        let found = self.scenario.fleet.instances.iter().find(|spec| spec.id == *self.id());
        let mut power = found.map_or(PowerState::Stopped, |spec| spec.state.clone());
        let (mut power_by, mut busy) = (Actor::Somebody, None::<Actor>);
        // A call stands in the log after what it began: what was true before that is kept for it.
        let mut before: Option<(&str, Truth)> = None;
        let mut truths = Vec::new();
        for entry in self.happenings() {
            match &entry.what {
                Happening::Began { request, by, .. } => {
                    before = Some((request, Truth { power: power.clone(), power_by, busy }));
                    busy = Some(*by);
                }
                Happening::Changed { by, effect, .. } => match effect {
                    Effect::Power { to, .. } => (power, power_by) = (to.clone(), *by),
                    Effect::Ended { .. } | Effect::Vanished => busy = None,
                    _ => {}
                },
                Happening::Call { action, request, .. } if is_change(action) => {
                    let kept = before.take().filter(|(of, _)| Some(*of) == request.as_deref());
                    let now = || Truth { power: power.clone(), power_by, busy };
                    truths.push((entry, kept.map_or_else(now, |(_, truth)| truth)));
                }
                Happening::Call { .. } | Happening::KeyImported { .. } => {}
            }
        }
        truths
    }
}

/// The calls that are only allowed while an instance is stopped.
fn is_change(action: &str) -> bool {
    ["AssociateInstancesKeyPairs", "ResetInstancesPassword", "ResetInstancesType"].contains(&action)
}

/// What an instance that is done lacks of a step.
fn lacks(step: &Step, end: &End) -> Option<String> {
    match step {
        Step::Resize { to, .. } => {
            (end.instance_type != *to).then(|| format!("P3: it is done, and is a {}", end.instance_type))
        }
        Step::ResetPassword { .. } => {
            (!end.has_password).then(|| "P3: it is done, and its password is another".to_owned())
        }
        Step::LoadSshKeys { keys, imported } => {
            let more = usize::from(*imported);
            let fits = keys.iter().all(|key| end.keys.contains(key)) && end.keys.len() == keys.len() + more;
            (!fits).then(|| format!("P3: it is done, and its keys are {:?}", sorted(&end.keys)))
        }
    }
}
