//! Runs in this process and in virtual time, on the rig of the tests.

use std::sync::Arc;

use pitstop::journal::{Journal, Memory, Place, Store, Verdict};
use pitstop::plan::Approval;
use pitstop::sim::Fleet;

use super::figures::Figures;
use super::made;
use super::rig::Rig;

/// The size of the run that is made for experience.
const BEFORE: usize = 100;

/// How many instances there are in all, of small fleets: so many runs are made that figures mean something.
const ENOUGH: usize = 1_000;

/// What runs of such a fleet cost; of a fleet of none, only the run for experience is made.
pub(crate) fn figures(size: usize, boots: bool) -> Figures {
    let store: Arc<dyn Store> = Arc::new(Memory::default());
    one(0, BEFORE, boots, &store);
    if size == 0 {
        return Figures::default();
    }
    let all = (1..=runs(size)).map(|seed| one(seed, size, boots, &store));
    all.reduce(Figures::and).unwrap_or_default()
}

/// How many runs are made of such a fleet.
pub(crate) fn runs(size: usize) -> u64 {
    (ENOUGH / size.max(1)).clamp(1, 100) as u64
}

/// One run of such a fleet, with the experience that is in the store.
pub(crate) fn one(seed: u64, size: usize, boots: bool, store: &Arc<dyn Store>) -> Figures {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(run(seed, size, boots, store))
}

async fn run(seed: u64, size: usize, boots: bool, store: &Arc<dyn Store>) -> Figures {
    let fleet = Fleet::parse(&made::fleet(size, boots), "the made-up fleet").expect("it is a fleet");
    let rig = Rig { seed, fleet, store: Arc::clone(store), ..Rig::default() };
    let scene = rig.scene();
    let plan = rig.plan(&scene, &made::workflow(size)).await.approve(Approval::Program);
    let plan = plan.unwrap_or_else(|plan| panic!("refused: {:?}", plan.instances.first()));
    let mut chance = [0; 10];
    chance[..8].copy_from_slice(&seed.to_be_bytes());
    let by = "the benchmark".to_owned();
    let journal = Journal::begin(Arc::clone(store), scene.clock.clone(), plan, Place::InProcess, by, chance);
    let journal = journal.await.expect("a journal in memory");
    let ran = Box::pin(rig.drive(scene, journal)).await;
    let undone = ran.outcome.instances.iter().find(|(_, verdict)| verdict.as_ref() != Some(&Verdict::Done));
    assert!(undone.is_none(), "{undone:?}");
    Figures { records: ran.records.len(), ..Figures::of(size, &ran.log) }
}
