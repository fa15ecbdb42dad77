//! What a workflow wants of one instance, before anybody asks whether it can be had.

use std::collections::BTreeSet;

use super::key::Key;
use super::{EndPower, Step};
use crate::cloud::{Instance, KeyId, PowerState};
use crate::workflow::{Resize, Start, Workflow};

/// The changes that are not there yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Intent<'a> {
    /// The keys to bind.
    pub(super) keys: KeyIntent,
    /// Whose password to set.
    pub(super) password: Option<String>,
    /// What size to give it.
    pub(super) resize: Option<&'a Resize>,
    /// The power to end with.
    pub(super) ends: EndPower,
}

/// What becomes of the keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum KeyIntent {
    /// They stay.
    Keep,
    /// These are bound afterwards.
    Load {
        /// All known keys, sorted.
        keys: Vec<KeyId>,
        /// And the one to import.
        imported: bool,
        /// Those that are bound now and no longer.
        dropped: Vec<KeyId>,
    },
    /// There is no such key.
    Missing {
        /// What was asked for.
        wanted: String,
        /// One that comes near.
        near: Option<String>,
    },
}

impl<'a> Intent<'a> {
    /// What `workflow` wants of `instance`; `key` is the key that the workflow names.
    pub(super) fn of(workflow: &'a Workflow, instance: &Instance, key: Option<&Key>) -> Self {
        let changes = &workflow.changes;
        let keep_existing = changes.load_ssh_key.as_ref().is_some_and(|load| load.keep_existing);
        Self {
            keys: key.map_or(KeyIntent::Keep, |key| KeyIntent::of(key, keep_existing, &instance.keys)),
            password: changes
                .reset_password
                .as_ref()
                .map(|reset| reset.user.clone().unwrap_or_else(|| instance.administrator().to_owned())),
            resize: changes.resize.as_ref().filter(|resize| !has_size(instance, resize)),
            ends: match (workflow.start, &instance.power) {
                (Start::Always, _) | (Start::AsFound, PowerState::Running) => EndPower::Running,
                (Start::Never | Start::AsFound, _) => EndPower::Stopped,
            },
        }
    }

    /// Some change is not there yet.
    pub(super) fn changes(&self) -> bool {
        self.keys != KeyIntent::Keep || self.password.is_some() || self.resize.is_some()
    }

    /// The instance runs, and has to be stopped for this.
    pub(super) fn stops(&self, instance: &Instance) -> bool {
        instance.power == PowerState::Running && (self.changes() || self.ends == EndPower::Stopped)
    }

    /// Something is done to the instance, be it only a start.
    pub(super) fn touches(&self, instance: &Instance) -> bool {
        self.changes() || instance.power != self.ends.state()
    }
}

/// It has the wanted size already.
fn has_size(instance: &Instance, resize: &Resize) -> bool {
    match resize {
        Resize::Type(to) => instance.instance_type == *to,
        Resize::Shape { cpu, memory_gib } => instance.cpu == *cpu && instance.memory_gib == *memory_gib,
        // With a later one it may still become an earlier one: the market tells.
        Resize::Prefer(types) => types.first() == Some(&instance.instance_type),
    }
}

impl KeyIntent {
    fn of(key: &Key, keep_existing: bool, bound: &[KeyId]) -> Self {
        let bound: BTreeSet<&KeyId> = bound.iter().collect();
        let kept = if keep_existing { bound.clone() } else { BTreeSet::new() };
        let (wanted, imported) = match key {
            Key::Known(id) => (kept.into_iter().chain([id]).collect::<BTreeSet<_>>(), false),
            Key::New(_) => (kept, true),
            Key::Missing { wanted, near } => {
                return Self::Missing { wanted: wanted.clone(), near: near.clone() };
            }
        };
        if wanted == bound && !imported {
            return Self::Keep;
        }
        let dropped = bound.difference(&wanted).map(|&key| key.clone()).collect();
        Self::Load { keys: wanted.into_iter().cloned().collect(), imported, dropped }
    }

    /// The step that this is, if there can be one.
    pub(super) fn step(&self) -> Option<Step> {
        match self {
            Self::Load { keys, imported, .. } => {
                Some(Step::LoadSshKeys { keys: keys.clone(), imported: *imported })
            }
            Self::Keep | Self::Missing { .. } => None,
        }
    }
}
