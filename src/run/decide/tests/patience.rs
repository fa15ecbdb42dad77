//! How long is long enough: only time in which somebody tried counts.

use super::*;

/// What is next for an instance that is down at `now`, after these events at these seconds, for a process that began then.
fn later(events: &[(i64, Event)], began: i64, now: i64) -> String {
    let plan = plan(&instance(UP, OLD), &format!("type: {NEW}"), "");
    let state = events
        .iter()
        .fold(State::default(), |state, (second, event)| state.next(event, at(*second)).unwrap());
    next_of(&plan, &state, instance(DOWN, OLD), Order::CarryOn, (began, now))
}

fn throttled(second: i64) -> Vec<(i64, Event)> {
    refused(to(NEW), ErrorKind::Throttled).into_iter().map(|event| (second, event)).collect()
}

#[test]
fn time_in_which_no_process_ran_does_not_use_up_the_patience_with_a_refusal() {
    let hour = 3600;
    let stopped: Vec<_> = down().into_iter().map(|event| (1, event)).collect();
    let events = [stopped.clone(), throttled(5), throttled(hour + 2)].concat();
    assert_eq!(
        later(&events, hour, hour + 100),
        "resize to S5.LARGE8",
        "dead for an hour, and refused once since"
    );
    assert_eq!(later(&events, 0, hour + 100), "failed: resize: refused", "one process tried for an hour");
    let again = [events, throttled(hour + 950)].concat();
    assert_eq!(
        later(&again, hour, hour + 2000),
        "failed: resize: refused",
        "its own patience has an end, too"
    );
}
