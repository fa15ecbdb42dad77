//! Which type an instance is to become, of all that a workflow would have.
//!
//! A workflow names one type, one shape, or types in the order in which they are preferred. Of the last, the first one
//! that can be had is taken, and those after it that can be had too are what the run falls back to at the last moment.

use super::resize::{self, Market, Target, refused_inquiry};
use super::{Fallback, Inventory, Refusal, Step, Warning};
use crate::cloud::{Instance, InstanceType};
use crate::workflow::Resize;

/// What becomes of an instance's type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Choice {
    /// The type that it becomes. With a refusal beside it, the one that it would have become.
    pub(super) target: Option<Target>,
    /// What it becomes instead if that can't be had at the last moment, in order.
    pub(super) fallbacks: Vec<Target>,
    /// The types that were preferred, and why they can't be had.
    pub(super) passed_over: Vec<(InstanceType, Refusal)>,
    /// Why it can't be resized.
    pub(super) refusals: Vec<Refusal>,
}

impl Choice {
    /// What `wanted` means for `instance`, by what has been read of the market so far.
    pub(super) fn of(instance: &Instance, wanted: &Resize, inventory: &Inventory) -> Self {
        let market = Market::of(instance, inventory);
        let from = &instance.instance_type;
        match wanted {
            Resize::Type(to) => Self::only(instance, market.named(from, to), inventory),
            Resize::Shape { cpu, memory_gib } => {
                Self::only(instance, market.shaped(from, *cpu, *memory_gib), inventory)
            }
            Resize::Prefer(types) => Self::first(instance, types, inventory),
        }
    }

    /// There is but one.
    fn only(instance: &Instance, target: Result<Target, Refusal>, inventory: &Inventory) -> Self {
        let mut choice = Self { refusals: resize::never(instance), ..Self::default() };
        match target {
            Ok(target) => {
                let market = Market::of(instance, inventory);
                choice.refusals.extend(market.shortage(&target));
                choice.refusals.extend(resize::unfit(instance, &target, inventory));
                choice.target = Some(target);
            }
            // What can't be resized at all was not asked what it could become.
            Err(refusal) if choice.refusals.is_empty() => choice.refusals.push(refusal),
            Err(_) => {}
        }
        choice
    }

    /// The first that can be had. One that the instance has already is better than all after it.
    fn first(instance: &Instance, types: &[InstanceType], inventory: &Inventory) -> Self {
        let own = types.iter().position(|to| *to == instance.instance_type);
        let mut choice = Self::default();
        for to in &types[..own.unwrap_or(types.len())] {
            match can_be_had(instance, to, inventory) {
                Ok(target) if choice.target.is_none() => choice.target = Some(target),
                Ok(target) => choice.fallbacks.push(target),
                Err(why) => choice.passed_over.push((to.clone(), why)),
            }
        }
        match (&choice.target, own) {
            (Some(_), Some(_)) => choice.fallbacks.push(Target {
                to: instance.instance_type.clone(),
                cpu: instance.cpu,
                memory_gib: instance.memory_gib,
            }),
            (None, None) => {
                for (_, why) in std::mem::take(&mut choice.passed_over) {
                    if !choice.refusals.contains(&why) {
                        choice.refusals.push(why);
                    }
                }
            }
            (Some(_), None) | (None, Some(_)) => {}
        }
        choice
    }

    /// It has one of the wanted types, and can have none that is preferred to it: it stays as it is.
    pub(super) fn is_to_keep(&self) -> bool {
        self.target.is_none() && self.refusals.is_empty()
    }

    /// The step that this is.
    pub(super) fn step(&self, from: &InstanceType) -> Option<Step> {
        let Target { to, cpu, memory_gib } = self.target.clone()?;
        let fallback = |Target { to, cpu, memory_gib }| Fallback { to, cpu, memory_gib };
        let fallbacks = self.fallbacks.iter().cloned().map(fallback).collect();
        Some(Step::Resize { from: from.clone(), to, cpu, memory_gib, fallbacks })
    }

    /// What a person should know of the choice.
    pub(super) fn warnings(&self) -> impl Iterator<Item = Warning> {
        self.passed_over.iter().map(|(to, why)| Warning::PassedOver { to: to.clone(), why: why.clone() })
    }
}

/// The type, unless something speaks against it that another type might not have against it.
fn can_be_had(instance: &Instance, to: &InstanceType, inventory: &Inventory) -> Result<Target, Refusal> {
    if let Some(refusal) = resize::never(instance).into_iter().next() {
        return Err(refusal);
    }
    let market = Market::of(instance, inventory);
    let target = market.named(&instance.instance_type, to)?;
    let against = market.shortage(&target);
    let against = against.or_else(|| resize::unfit(instance, &target, inventory).into_iter().next());
    let inquiry = inventory.price(&instance.id, to).and_then(|price| price.as_ref().err());
    let inquiry = inquiry.filter(|error| error.is_about_the_type());
    match against.or_else(|| inquiry.map(|error| refused_inquiry(error, &target, &instance.zone))) {
        Some(refusal) => Err(refusal),
        None => Ok(target),
    }
}
