//! A whole fleet, measured as benches/fleet does it: as gently as one instance, and for no more work each.

use std::sync::Arc;

use pitstop::journal::{Memory, Store};

use crate::rig;

#[path = "../../benches/fleet/figures.rs"]
#[expect(dead_code, reason = "the benchmark's table needs the rest")]
mod figures;
#[path = "../../benches/fleet/in_virtual_time.rs"]
#[expect(dead_code, reason = "the benchmark makes many runs")]
mod in_virtual_time;
#[path = "../../benches/fleet/made.rs"]
mod made;

/// So many of a hundred instances have at most this much downtime added, in seconds.
fn added(figures: &figures::Figures, percent: usize) -> f64 {
    let mut added = figures.added.clone();
    added.sort_unstable();
    added[(added.len() * percent).div_ceil(100) - 1].as_secs_f64()
}

#[test]
fn a_fleet_costs_each_instance_no_more_than_a_few_cost() {
    let store: Arc<dyn Store> = Arc::new(Memory::default());
    in_virtual_time::one(0, 60, false, &store);
    let [few, many] = [30, 240].map(|size| in_virtual_time::one(1, size, false, &store));
    assert_eq!((many.throttled, many.refused, many.left_down), (0, 0, 0));
    assert!(added(&many, 99) <= 2.0, "{:?}", many.added);
    let calls: usize = many.calls.values().sum();
    assert!(calls <= 240 * 3, "{:?}", many.calls);

    // Integers, so that nothing is lost: a tenth more is too much.
    let grows = |few_have: usize, many_have: usize| many_have * 30 * 10 > few_have * 240 * 11;
    assert!(!grows(few.records, many.records), "records: {} of 30, {} of 240", few.records, many.records);
    assert!(!grows(few.looks, many.looks), "looks: {} of 30, {} of 240", few.looks, many.looks);
}
