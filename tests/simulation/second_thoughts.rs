//! Where a run goes another way than planned: to the next type, back to the former one, or no further for its budget.

use pitstop::cloud::{InstanceId, InstanceType};
use pitstop::journal::{Event, Failure, Verdict};
use pitstop::plan::{InstancePlan, Step};
use pitstop::sim::Effect;

use crate::story::{End, Story};

fn events<'a>(story: &'a Story, id: &InstanceId) -> impl Iterator<Item = &'a Event> + use<'a> {
    let id = id.clone();
    let own = story.records.iter().filter(move |record| record.instance.as_ref() == Some(&id));
    own.map(|record| &record.event)
}

/// The type that the instance goes back to, if a roll-back began.
pub(crate) fn back_to<'a>(story: &'a Story, id: &InstanceId) -> Option<&'a InstanceType> {
    events(story, id).find_map(|event| match event {
        Event::RollBackBegan { to } => Some(to),
        _ => None,
    })
}

/// How many stops are due for a roll-back.
pub(crate) fn stops_for_roll_back(story: &Story, id: &InstanceId) -> usize {
    usize::from(back_to(story, id).is_some())
}

/// How many of the effects are the roll-back's: one resize to the former type.
pub(crate) fn resizes_back(story: &Story, id: &InstanceId, effects: &[&Effect]) -> usize {
    let back = back_to(story, id);
    effects
        .iter()
        .filter(|effect| matches!(effect, Effect::Resized { to, .. } if Some(to) == back))
        .count()
        .min(1)
}

/// The steps as they were made in the end: what they fell back to.
pub(crate) fn made(story: &Story, own: &InstancePlan) -> Vec<Step> {
    let fallback = events(story, &own.id).filter_map(|event| match event {
        Event::FellBack { to, .. } => Some(to),
        _ => None,
    });
    let fallback = fallback.last();
    own.steps.iter().map(|step| fallback.map_or_else(|| step.clone(), |to| step.fallen_back_to(to))).collect()
}

/// The downtime budget ran out, or would have.
pub(crate) fn is_over_budget(verdict: Option<&Verdict>) -> bool {
    matches!(verdict, Some(Verdict::Failed { failure: Failure::OverBudget { .. } }))
}

/// `on-failure: roll-back` and `downtime-budget` do what the verdict says that they did.
pub(crate) fn ends_as_told(verdict: Option<&Verdict>, end: &End, touched: bool) -> Option<String> {
    match verdict? {
        Verdict::Failed { failure: Failure::RolledBack { to, .. } } if end.instance_type != *to => {
            Some(format!("it is called rolled back to {to}, and is a {}", end.instance_type))
        }
        Verdict::Failed { failure: Failure::OverBudget { used, .. } } if used.is_zero() && touched => {
            Some("it is called not stopped for its budget, and operations were made on it".to_owned())
        }
        _ => None,
    }
}
