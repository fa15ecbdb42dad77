//! Workflow and inventory in, plan out.

use std::collections::{BTreeMap, BTreeSet};

use super::choice::Choice;
use super::intent::{Intent, KeyIntent};
use super::inventory::OptionalRead;
use super::key::Key;
use super::resize::{self, Market};
use super::{EndPower, Found, InstancePlan, Inventory, Plan, PriceChange, Refusal, Step, Warning};
use crate::cloud::{
    Charging, Instance, InstanceId, Isolation, PowerState, Restriction, StopMode, StoppedCharging,
};
use crate::workflow::{OnFailure, Resize, Target, Workflow};

/// Why there is no plan at all. What hinders single instances is in the plan, as [`Refusal`]s.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// `at-most` is exceeded.
    #[error("the match finds {found} instances, and `at-most` is {at_most}: {}", examples(.names, *.found))]
    TooMany {
        /// How many it finds.
        found: usize,
        /// How many it may find.
        at_most: usize,
        /// The names of the first few.
        names: Vec<String>,
    },
    /// The inventory was made for another workflow.
    #[error("the workflow loads an SSH key, and the inventory holds no keys")]
    KeysNotRead,
}

impl BuildError {
    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::TooMany { .. } => "make the match narrower, or raise `at-most`",
            Self::KeysNotRead => "make the inventory with `survey` and the same workflow",
        }
    }
}

/// How many instances a complaint names.
const EXAMPLES: usize = 5;

fn examples(names: &[String], found: usize) -> String {
    let more = if found > names.len() { ", …" } else { "" };
    names.join(", ") + more
}

/// Makes the plan. `digest` is the SHA-256 of the workflow's text and parameters, in hexadecimal.
///
/// Instances come in the order in which the workflow names them, each once, or by name and id if it matches them.
/// A match that finds nothing makes a plan without instances and a note: nothing to do is no failure, since a fleet
/// may be empty at night.
///
/// An instance that needs nothing is left alone whatever is wrong with it, unless its power is between two states or
/// an operation runs on it: then nobody can say that it needs nothing.
pub fn build(workflow: &Workflow, inventory: &Inventory, digest: String) -> Result<Plan, BuildError> {
    if let Some(error) = too_many(workflow, inventory) {
        return Err(error);
    }
    let key = named_key(workflow, inventory)?;
    let by_id: BTreeMap<_, _> = inventory.instances.iter().map(|found| (&found.id, found)).collect();
    let context = Context { workflow, inventory, key: key.as_ref() };
    let instances = ids(workflow, inventory)
        .into_iter()
        .map(|id| by_id.get(id).map_or_else(|| not_found(id), |instance| context.plan(instance)))
        .collect();
    let mut plan = Plan {
        workflow: workflow.name.clone(),
        digest,
        region: workflow.region.clone(),
        account: inventory.account.clone(),
        stop: workflow.stop.clone(),
        password: workflow.changes.reset_password.as_ref().map(|reset| reset.password.clone()),
        import_key: match &key {
            Some(Key::New(import)) => Some(import.clone()),
            Some(Key::Known(_) | Key::Missing { .. }) | None => None,
        },
        checks: workflow.checks.clone(),
        on_failure: workflow.on_failure,
        rollout: workflow.rollout,
        downtime_budget: workflow.downtime_budget,
        instances,
        notes: Vec::new(),
    };
    plan.drop_unneeded();
    plan.choose_canaries();
    plan.notes = notes(&plan, inventory);
    Ok(plan)
}

/// `at-most` is exceeded.
pub(super) fn too_many(workflow: &Workflow, inventory: &Inventory) -> Option<BuildError> {
    let Target::Match { at_most: Some(at_most), .. } = &workflow.target else { return None };
    let found = inventory.instances.len();
    let name = |instance: &Instance| {
        if instance.name.is_empty() { instance.id.to_string() } else { instance.name.clone() }
    };
    (found > *at_most).then(|| BuildError::TooMany {
        found,
        at_most: *at_most,
        names: sorted(inventory).into_iter().take(EXAMPLES).map(name).collect(),
    })
}

/// The key that the workflow loads, if it loads one.
pub(super) fn named_key(workflow: &Workflow, inventory: &Inventory) -> Result<Option<Key>, BuildError> {
    let Some(load) = &workflow.changes.load_ssh_key else { return Ok(None) };
    let pairs = inventory.keys.as_deref().ok_or(BuildError::KeysNotRead)?;
    Ok(Some(Key::find(&load.key, pairs)))
}

/// The instances by name, then id.
fn sorted(inventory: &Inventory) -> Vec<&Instance> {
    let mut instances: Vec<&Instance> = inventory.instances.iter().collect();
    instances.sort_by_key(|instance| (&instance.name, &instance.id));
    instances
}

/// The instances that the plan is about, each once.
fn ids<'a>(workflow: &'a Workflow, inventory: &'a Inventory) -> Vec<&'a InstanceId> {
    let ids: Vec<&InstanceId> = match &workflow.target {
        Target::Instances(ids) => ids.iter().collect(),
        Target::Match { .. } => sorted(inventory).into_iter().map(|instance| &instance.id).collect(),
    };
    let mut seen = BTreeSet::new();
    ids.into_iter().filter(|id| seen.insert(*id)).collect()
}

fn notes(plan: &Plan, inventory: &Inventory) -> Vec<String> {
    let mut notes = Vec::new();
    if plan.instances.is_empty() {
        notes.push("no instance fits, so there is nothing to do".to_owned());
    }
    if let Some(import) = &plan.import_key {
        notes.push(format!("the SSH key {} is imported before anything stops", import.name));
        if !import.public_key.trim_start().starts_with("ssh-rsa ") {
            notes
                .push("the vendor documents the import of RSA keys only; this key is of another kind".into());
        }
    }
    notes.extend(inventory.unread.iter().map(ToString::to_string));
    notes
}

fn not_found(id: &InstanceId) -> InstancePlan {
    InstancePlan {
        id: id.clone(),
        found: None,
        steps: Vec::new(),
        ends: EndPower::Stopped,
        refusals: vec![Refusal::NotFound],
        warnings: Vec::new(),
        price: None,
        canary: false,
    }
}

/// What the plan of every instance goes by.
struct Context<'a> {
    workflow: &'a Workflow,
    inventory: &'a Inventory,
    key: Option<&'a Key>,
}

/// What is known of the resize of one instance.
#[derive(Default)]
struct ResizePlan {
    step: Option<Step>,
    refusals: Vec<Refusal>,
    warnings: Vec<Warning>,
    price: Option<PriceChange>,
    /// The instance stays as it is.
    keeps: bool,
}

impl<'a> Context<'a> {
    fn plan(&self, instance: &'a Instance) -> InstancePlan {
        let mut intent = Intent::of(self.workflow, instance, self.key);
        let resize = intent.resize.map(|resize| self.resize(instance, resize)).unwrap_or_default();
        if resize.keeps {
            intent.resize = None;
        }
        let keys = if instance.is_windows() { None } else { intent.keys.step() };
        let password = intent.password.clone().map(|user| Step::ResetPassword { user });
        let mut steps: Vec<Step> = keys.into_iter().chain(password).chain(resize.step).collect();
        // They are kept as long as the run lasts.
        steps.shrink_to_fit();
        let mut refusals = self.state_refusals(instance, &intent);
        refusals.extend(self.surroundings_refusals(instance, &intent));
        refusals.extend(key_refusal(instance, &intent));
        refusals.extend(resize.refusals);
        let mut warnings = self.power_warnings(instance, &intent);
        warnings.extend(self.load_balancer_warnings(instance, &intent));
        warnings.extend(login_warnings(instance, &intent));
        warnings.extend(resize.warnings);
        warnings.extend(self.roll_back_warning(&steps));
        InstancePlan {
            id: instance.id.clone(),
            found: Some(Found::from(instance)),
            steps,
            ends: intent.ends,
            refusals,
            warnings,
            price: resize.price,
            canary: false,
        }
    }

    fn resize(&self, instance: &'a Instance, wanted: &Resize) -> ResizePlan {
        let choice = Choice::of(instance, wanted, self.inventory);
        let mut plan = ResizePlan {
            step: choice.step(&instance.instance_type),
            keeps: choice.is_to_keep(),
            warnings: choice.warnings().collect(),
            refusals: choice.refusals,
            price: None,
        };
        let Some(target) = &choice.target else { return plan };
        plan.warnings.extend(resize::warnings(instance, target, &Market::of(instance, self.inventory)));
        match self.inventory.price(&instance.id, &target.to) {
            Some(Ok(price)) => {
                let currency = if self.inventory.is_international() { "USD" } else { "CNY" };
                plan.price = Some(PriceChange { price: price.clone(), currency: currency.to_owned() });
            }
            Some(Err(error)) if plan.refusals.is_empty() => {
                plan.refusals.push(resize::refused_inquiry(error, target, &instance.zone));
            }
            Some(Err(_)) | None => {}
        }
        plan
    }

    /// What the instance's own state forbids.
    fn state_refusals(&self, instance: &Instance, intent: &Intent<'_>) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        if !matches!(instance.power, PowerState::Running | PowerState::Stopped) {
            refusals.push(Refusal::Power(instance.power.clone()));
        }
        if let Some(operation) = instance.latest_operation.as_ref().filter(|_| instance.is_operating()) {
            refusals.push(Refusal::Operating {
                action: operation.action.clone(),
                state: operation.state.clone(),
            });
        }
        if !intent.touches(instance) {
            return refusals;
        }
        if instance.restriction != Restriction::Normal {
            refusals.push(Refusal::Restricted(instance.restriction.to_string()));
        }
        if instance.isolation != Isolation::NotIsolated {
            refusals.push(Refusal::Isolated(instance.isolation.to_string()));
        }
        if intent.changes() {
            if instance.stopped_charging == StoppedCharging::StopCharging {
                refusals.push(Refusal::StoppedWithoutCharge);
            } else if intent.stops(instance) && self.workflow.stop.charging == Charging::Stop {
                refusals.push(Refusal::ChargingStops);
            }
        }
        refusals
    }

    /// What stands around the instance and forbids to touch it.
    fn surroundings_refusals(&self, instance: &Instance, intent: &Intent<'_>) -> Vec<Refusal> {
        if !intent.touches(instance) {
            return Vec::new();
        }
        let inventory = self.inventory;
        let own = inventory.own.as_ref() == Some(&instance.id) && intent.stops(instance);
        let group = inventory.scaling_groups.get(&instance.id);
        let task = inventory.repair_tasks.get(&instance.id);
        let timer = inventory.release_timers.contains(&instance.id);
        [
            own.then_some(Refusal::OwnMachine),
            group.map(|group| Refusal::ScalingGroup { group: group.id.clone(), name: group.name.clone() }),
            task.map(|task| Refusal::RepairTask(format!("{} ({})", task.detail, task.id))),
            timer.then_some(Refusal::ReleaseTimer),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn power_warnings(&self, instance: &Instance, intent: &Intent<'_>) -> Vec<Warning> {
        let mut warnings = Vec::new();
        if intent.stops(instance) {
            match self.workflow.stop.mode {
                StopMode::Soft => {}
                StopMode::SoftFirst => warnings.push(Warning::MayHardStop),
                StopMode::Hard => warnings.push(Warning::HardStop),
            }
            if self.workflow.stop.charging == Charging::Stop {
                warnings.push(Warning::StopsCharging);
            }
        }
        match (&instance.power, intent.ends) {
            (PowerState::Stopped, EndPower::Running) => warnings.push(Warning::WillStart),
            (PowerState::Running, EndPower::Stopped) => warnings.push(Warning::StaysStopped),
            _ => {}
        }
        if intent.touches(instance) && self.inventory.lacks(OptionalRead::ScalingGroups) {
            warnings.push(Warning::ScalingNotChecked);
        }
        warnings
    }

    /// Passwords and keys are not known beforehand, so they can't be given back.
    fn roll_back_warning(&self, steps: &[Step]) -> Option<Warning> {
        let lasting: Vec<String> = steps
            .iter()
            .filter_map(|step| match step {
                Step::LoadSshKeys { .. } => Some("the SSH keys bound before".to_owned()),
                Step::ResetPassword { .. } => Some("the former password".to_owned()),
                Step::Resize { .. } => None,
            })
            .collect();
        (self.workflow.on_failure == OnFailure::RollBack && !lasting.is_empty())
            .then_some(Warning::NotRolledBack(lasting))
    }

    fn load_balancer_warnings(&self, instance: &Instance, intent: &Intent<'_>) -> Vec<Warning> {
        let uses = self.inventory.load_balancers.get(&instance.id).filter(|_| intent.stops(instance));
        let mut warnings: Vec<Warning> = Vec::new();
        for usage in uses.into_iter().flatten() {
            let warning = Warning::LoadBalancer {
                id: usage.id.clone(),
                listener: usage.listener.clone(),
                health_check: usage.health_check,
            };
            if !warnings.contains(&warning) {
                warnings.push(warning);
            }
        }
        warnings
    }
}

fn key_refusal(instance: &Instance, intent: &Intent<'_>) -> Option<Refusal> {
    match &intent.keys {
        KeyIntent::Load { .. } | KeyIntent::Missing { .. } if instance.is_windows() => {
            Some(Refusal::WindowsTakesNoKeys)
        }
        KeyIntent::Keep | KeyIntent::Load { .. } => None,
        KeyIntent::Missing { wanted, near } => {
            Some(Refusal::KeyNotFound { wanted: wanted.clone(), near: near.clone() })
        }
    }
}

/// What becomes of the ways to log in: a bound key switches password login off, a password set later opens it again.
fn login_warnings(instance: &Instance, intent: &Intent<'_>) -> Vec<Warning> {
    if instance.is_windows() {
        return Vec::new();
    }
    let mut warnings = Vec::new();
    let loads = if let KeyIntent::Load { dropped, .. } = &intent.keys {
        if !dropped.is_empty() {
            warnings.push(Warning::KeysDropped(dropped.clone()));
        }
        true
    } else {
        false
    };
    match (loads, intent.password.is_some()) {
        (true, false) => warnings.push(Warning::PasswordLoginOff),
        (loads, true) if loads || !instance.keys.is_empty() => warnings.push(Warning::PasswordLoginOn),
        _ => {}
    }
    warnings
}
