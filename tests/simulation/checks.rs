//! Pitstop's promises, held against the world's own log.

use std::collections::BTreeSet;

use pitstop::cloud::{InstanceId, PowerState};
use pitstop::journal::{Event, Failure, Record, Verdict};
use pitstop::plan::{EndPower, InstancePlan, Step};
use pitstop::run::Conclusion;
use pitstop::sim::{Actor, Effect, Happening, LogEntry, What};
use pitstop::workflow::OnFailure;
use serde_json::{Value, json};

use crate::scenario::{MUTATIONS, Scenario};
use crate::second_thoughts;
use crate::story::{End, PASSWORD, Story, sorted};

/// An instance makes fewer calls than this, however often the process ends.
const MOST_CALLS: usize = 400;

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
        wrong.extend(tale.sent_while_stopped());
        found.extend(wrong.into_iter().map(|what| format!("{}: {what}", own.id)));
    }
    found
}

fn is_mutation(action: &str) -> bool {
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
struct Tale<'a> {
    story: &'a Story,
    own: &'a InstancePlan,
    verdict: Option<&'a Verdict>,
    end: Option<&'a End>,
    /// Somebody else did something to it, or to what it needs.
    interfered: bool,
    scenario: &'a Scenario,
}

impl<'a> Tale<'a> {
    fn of(scenario: &'a Scenario, story: &'a Story, own: &'a InstancePlan) -> Self {
        let outcome = story.outcome.as_ref();
        let verdict = outcome.and_then(|outcome| {
            outcome.instances.iter().find(|(id, _)| *id == own.id).and_then(|(_, it)| it.as_ref())
        });
        let end = story.ends.get(&own.id).and_then(Option::as_ref);
        let mut tale = Self { story, own, verdict, end, interfered: false, scenario };
        tale.interfered = tale.happenings().any(|entry| match &entry.what {
            Happening::Began { by, .. } | Happening::Changed { by, .. } => *by == Actor::Somebody,
            Happening::Call { .. } | Happening::KeyImported { .. } => false,
        });
        tale
    }

    fn id(&self) -> &'a InstanceId {
        &self.own.id
    }

    /// What happened to it, calls that named it included.
    fn happenings(&self) -> impl Iterator<Item = &'a LogEntry> + use<'a> {
        let own = self.id();
        self.story.log.iter().filter(move |entry| match &entry.what {
            Happening::Call { ids, .. } => ids.iter().any(|id| id == own.as_str()),
            Happening::Began { id, .. } | Happening::Changed { id, .. } => id == own,
            Happening::KeyImported { .. } => false,
        })
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

    fn touched(&self) -> bool {
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
        let twice = table.into_iter().filter(|(_, times)| *times > 1 && !self.interfered);
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
        if self.interfered {
            return found;
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
        {
            found.push(format!("P3: it is {}, and should be {wanted}: {:?}", end.power, self.verdict));
        }
        if self.verdict == Some(&Verdict::Done) {
            let made = second_thoughts::made(self.story, self.own);
            found.extend(made.iter().filter_map(|step| lacks(step, end)));
        }
        found.extend(second_thoughts::ends_as_told(self.verdict, end, self.touched()));
        found
    }

    /// P9: what had no trouble of its own is done, whatever befell the others.
    fn undisturbed(&self) -> Option<String> {
        let troubled = self.interfered
            || self.trouble()
            || self.end.is_none()
            || self.verdict == Some(&Verdict::Done)
            || self.verdict == Some(&Verdict::Unchanged)
            || self.verdict.is_none()
            || matches!(self.verdict, Some(Verdict::NotBegun { .. }))
            || second_thoughts::is_over_budget(self.verdict)
            || matches!(self.verdict, Some(Verdict::Failed { failure: Failure::CutShort { .. } }));
        // A read that shows the past can hide that an operation ended in time.
        let misled = matches!(second_thoughts::root(self.verdict), Some(Failure::TimedOut { .. }))
            && self.met(|what| matches!(what, What::Stale(_)));
        // It is not begun with what can't be read for minutes.
        let unread = !self.touched()
            && matches!(self.verdict, Some(Verdict::Failed { failure: Failure::Refused { .. } }))
            && !self.happenings().any(|entry| match &entry.what {
                Happening::Call { action, .. } => is_mutation(action),
                _ => false,
            });
        // A call that leaves no trace time after time is given up in the end.
        let own = |record: &&Record| record.instance.as_ref() == Some(&self.own.id);
        let vanished =
            self.story.records.iter().filter(own).filter(|record| record.event == Event::NotExecuted);
        let given_up = vanished.count() >= 3
            && matches!(self.verdict, Some(Verdict::Failed { failure: Failure::Refused { .. } }));
        (!troubled && !misled && !unread && !given_up)
            .then(|| format!("P9: it had no trouble of its own, and ended {:?}", self.verdict))
    }

    /// It met something that waiting and looking again do not mend.
    fn trouble(&self) -> bool {
        let spec = self.scenario.fleet.instances.iter().find(|spec| spec.id == *self.id());
        let guest = spec.is_some_and(|spec| {
            spec.guest.stubborn || !spec.guest.dead_on.is_empty() || !spec.guest.mute_on.is_empty()
        });
        // Somebody may have bought the last one.
        let sold_out = self
            .scenario
            .fleet
            .events
            .iter()
            .any(|event| matches!(event.act, pitstop::sim::ForeignAct::SellOut(_)));
        guest
            || sold_out
            || self.happenings().any(|entry| match &entry.what {
                Happening::Call { faults, action, .. } => faults.iter().any(|what| is_lasting(what, action)),
                _ => false,
            })
    }

    /// A call that named it met such a fault.
    fn met(&self, fits: fn(&What) -> bool) -> bool {
        self.happenings().any(|entry| match &entry.what {
            Happening::Call { faults, .. } => faults.iter().any(fits),
            _ => false,
        })
    }

    /// P4: the world never had to refuse a change because of the instance's state.
    fn sent_while_stopped(&self) -> Vec<String> {
        let misled = self.interfered
            || self.story.log.iter().any(|entry| match &entry.what {
                Happening::Call { faults, .. } => faults.iter().any(|what| matches!(what, What::Stale(_))),
                _ => false,
            });
        if misled {
            return Vec::new();
        }
        let changes = ["AssociateInstancesKeyPairs", "ResetInstancesPassword", "ResetInstancesType"];
        self.happenings()
            .filter_map(|entry| match &entry.what {
                Happening::Call { action, refused: Some(code), faults, ids, .. }
                    if changes.contains(&action.as_str())
                        && !faults.iter().any(|what| matches!(what, What::Refuse(_)))
                        && (code.contains("InstanceState")
                            || code.contains("Operation.InstanceOperation")
                            || code.starts_with("OperationDenied")
                            || code.starts_with("MutexOperation")
                            || code == "InvalidInstance.NotSupported")
                        && ids.iter().all(|id| self.is_calm(id)) =>
                {
                    Some(format!("P4: {action} was sent at {}, and refused with {code}", entry.at))
                }
                _ => None,
            })
            .collect()
    }

    /// Nobody else touched that instance.
    fn is_calm(&self, id: &str) -> bool {
        !self.story.log.iter().any(|entry| match &entry.what {
            Happening::Began { id: own, by, .. } | Happening::Changed { id: own, by, .. } => {
                own.as_str() == id && *by == Actor::Somebody
            }
            _ => false,
        })
    }
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

/// A fault that neither waiting nor looking again mends.
fn is_lasting(what: &What, action: &str) -> bool {
    match what {
        What::Fail(_) | What::Hang | What::SoldOut | What::Vanish | What::Refuse(_) => true,
        // A new token mends it the first time only.
        What::ExpireToken => is_mutation(action),
        What::NoConnection
        | What::LoseRequest
        | What::LoseReply
        | What::Throttle
        | What::InternalError
        | What::BadGateway
        | What::BadGatewayAfter
        | What::Truncate
        | What::NotJson
        | What::Slow(_)
        | What::Stale(_) => false,
    }
}
