//! Every shipped workflow, cut at every position of its journal and at every call that changes something.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use pitstop::cloud::InstanceId;
use pitstop::journal::Verdict;
use pitstop::sim::{Actor, Effect, Fleet, Happening, ResizeBoots};

use crate::checks::violations;
use crate::fuse::{Cut, Loss};
use crate::scenario::{Life, Scenario};
use crate::story::{End, Story, play};

/// One disturbance of one workflow.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    name: String,
    boots: ResizeBoots,
    seed: u64,
    cut: Option<Cut>,
    loss: Option<Loss>,
    /// The journal is a real file.
    pub(crate) on_disk: bool,
    /// How the undisturbed run ends.
    expected: Arc<Result>,
}

/// Of so many cases one keeps its journal in a real file.
const ON_DISK: usize = 7;

/// How a run ended: what must be equal, wherever it was cut.
#[derive(Debug, Default, PartialEq)]
struct Result {
    ends: BTreeMap<InstanceId, Option<End>>,
    verdicts: Vec<(InstanceId, Option<Verdict>)>,
    changes: BTreeMap<InstanceId, Vec<String>>,
}

impl Result {
    fn of(story: &Story) -> Self {
        let mut changes: BTreeMap<InstanceId, Vec<String>> = BTreeMap::new();
        for entry in &story.log {
            if let Happening::Changed { id, by: Actor::Caller, effect, .. } = &entry.what
                && matches!(effect, Effect::Resized { .. } | Effect::Keys { .. } | Effect::Password { .. })
            {
                changes.entry(id.clone()).or_default().push(format!("{effect:?}"));
            }
        }
        let verdicts = story.outcome.as_ref().map(|outcome| outcome.instances.clone()).unwrap_or_default();
        Self { ends: story.ends.clone(), verdicts, changes }
    }
}

fn workflows() -> Vec<(String, String)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("workflows");
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).unwrap())
        })
        .collect();
    found.sort();
    found
}

impl Case {
    fn scenario(&self) -> Scenario {
        let mut fleet = Fleet::demo();
        fleet.resize_boots = self.boots;
        let (_, workflow) = workflows().into_iter().find(|(name, _)| *name == self.name).unwrap();
        let key_file = fleet.keys[0].public_key.clone();
        let lives = vec![Life { cut: self.cut, dead: Duration::from_secs(2), ..Life::default() }];
        let (seed, on_disk) = (self.seed, self.on_disk);
        Scenario { seed, fleet, workflow, key_file, faults: Vec::new(), lives, on_disk, carries_on: true }
    }

    fn play(&self) -> Option<(Scenario, Story)> {
        let scenario = self.scenario();
        let story = play(&scenario, self.loss)?;
        Some((scenario, story))
    }

    /// What is wrong with it, compared with the undisturbed run.
    pub(crate) fn judge(&self) -> Vec<String> {
        let Some((scenario, story)) = self.play() else { return vec!["there is no plan".to_owned()] };
        let mut found = violations(&scenario, &story);
        let (expected, got) = (&*self.expected, Result::of(&story));
        if *expected != got {
            found.push(format!("it ends otherwise than undisturbed: {got:?} instead of {expected:?}"));
        }
        if !found.is_empty() {
            found.push(story.told());
        }
        found
    }
}

/// All cases.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, _) in workflows() {
        for (boots, seed) in [(ResizeBoots::Always, 1), (ResizeBoots::Never, 2), (ResizeBoots::Random, 3)] {
            let (name, expected) = (name.clone(), Arc::default());
            let mut calm = Case { name, boots, seed, cut: None, loss: None, on_disk: false, expected };
            let Some((_, story)) = calm.play() else { continue };
            calm.expected = Arc::new(Result::of(&story));
            let (appends, mutations) = story.last;
            cases.push(calm.clone());
            for n in 1..=appends {
                for cut in [Cut::BeforeAppend(n), Cut::AfterAppend(n)] {
                    cases.push(Case { cut: Some(cut), ..calm.clone() });
                }
            }
            for n in 1..=mutations {
                for cut in [Cut::BeforeMutation(n), Cut::AfterMutation(n)] {
                    cases.push(Case { cut: Some(cut), ..calm.clone() });
                }
                for loss in [Loss::Before(n), Loss::After(n)] {
                    cases.push(Case { loss: Some(loss), ..calm.clone() });
                }
            }
        }
    }
    for case in cases.iter_mut().step_by(ON_DISK) {
        case.on_disk = true;
    }
    cases
}
