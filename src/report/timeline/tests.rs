//! What an instance went through, for every way that a run can go.

use super::*;
use crate::journal::{Failure, Intent, Verdict};
use crate::report::staged::{
    Staged, at, fleet, instance, interrupted, overnight, password, plan, resize, stop, three,
};

/// `stopping 1-9, stopped 9-9.2`; what has not ended ends with `…`.
fn way(track: &Track) -> String {
    let seconds = |moment: Timestamp| between(at(0), moment).as_secs_f64();
    let one = |own: &Stretch| {
        let more = if own.open { "…" } else { "" };
        format!("{} {}-{}{more}", own.activity.words(), seconds(own.from), seconds(own.until))
    };
    track.stretches.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn ways(staged: &Staged, now: Option<Timestamp>) -> Vec<String> {
    timeline(&staged.records, now).unwrap().1.tracks.iter().map(way).collect()
}

fn one(tell: impl FnOnce(&mut Staged)) -> Staged {
    let mut staged = Staged::new(plan(vec![instance("i", "web-1")]));
    tell(&mut staged);
    staged
}

const STOPPED: &str = "stopping 1-9";

#[test]
fn done_failed_and_stranded() {
    let told = ways(&three(), None);
    assert_eq!(
        told,
        [
            "stopping 1-9, stopped 9-9.2, resetting password 9.2-11.2, stopped 11.2-11.4, resizing 11.4-17.4, \
             stopped 17.4-17.8, starting 17.8-23.8, checking 23.8-24.8",
            "stopping 2-10, stopped 10-10.2, resetting password 10.2-12.2, stopped 12.2-13, starting 13-19",
            "stopping 3-11, stopped 11-11.2, resetting password 11.2-13.2, stopped 13.2-33",
        ]
    );
}

#[test]
fn interrupted_and_brought_back() {
    let (story, timeline) = timeline(&interrupted().records, None).unwrap();
    assert_eq!(way(&timeline.tracks[0]), "stopping 1-9, stopped 9-9.2, starting 9.2-15.2");
    assert_eq!(timeline.tracks[1], Track::default());
    assert_eq!((timeline.until, timeline.gaps.len(), story.ended()), (at(15_300), 0, false));
}

#[test]
fn resumed_after_a_night_in_which_it_was_down() {
    let (_, timeline) = timeline(&overnight().records, None).unwrap();
    assert_eq!(timeline.gaps, [Gap { from: at(35_400), until: at(32_400_000) }]);
    // The resize that was never executed is no resize: it was stopped all night.
    assert_eq!(
        way(&timeline.tracks[1]),
        "stopping 25-33, stopped 33-33.2, resetting password 33.2-35.2, stopped 35.2-32402.1, \
         resizing 32402.1-32408, stopped 32408-32408.4, starting 32408.4-32414.4, checking 32414.4-32415.4"
    );
    let came_to: Vec<_> = timeline.tracks[1].calls.iter().map(|call| call.came_to.words()).collect();
    assert_eq!(
        came_to,
        ["done, took 8.0s", "done, took 2.0s", "not executed", "done, took 5.9s", "done, took 6.0s"]
    );
}

#[test]
fn unchanged_and_not_begun_go_through_nothing() {
    let unchanged = one(|staged| staged.ended(500, "i", Verdict::Unchanged));
    assert_eq!(ways(&unchanged, None), [""]);
    let not_begun = one(|staged| staged.not_begun(500, "i"));
    assert_eq!(ways(&not_begun, None), [""]);
    assert_eq!(timeline(&not_begun.records, None).unwrap().1.tracks[0].extent(), None);
}

#[test]
fn what_is_still_going_on_lasts_until_now_if_somebody_has_the_run() {
    let running = one(|staged| {
        staged.stopped(1000, "i");
        staged.intended(9200, "i", resize());
        staged.accepted(9300, "i");
    });
    assert_eq!(ways(&running, None), [format!("{STOPPED}, stopped 9-9.2, resizing 9.2-9.3…")]);
    assert_eq!(ways(&running, Some(at(15_000))), [format!("{STOPPED}, stopped 9-9.2, resizing 9.2-15…")]);
    assert_eq!(timeline(&running.records, Some(at(15_000))).unwrap().1.until, at(15_000));
    // A clock that is behind takes nothing away.
    assert_eq!(ways(&running, Some(at(0))), ways(&running, None));
}

#[test]
fn an_answer_that_was_lost_is_still_the_call() {
    let lost = one(|staged| {
        staged.stopped(1000, "i");
        staged.intended(9000, "i", password());
        let error = CloudError::new(crate::cloud::ErrorKind::Network, crate::cloud::Sent::Maybe, "reset");
        staged.tell(10_000, Some("i"), Event::Lost { error });
        staged.achieved(12_000, "i", 3000);
    });
    assert_eq!(ways(&lost, None), [format!("{STOPPED}, resetting password 9-12, stopped 12-12…")]);
    let calls = &timeline(&lost.records, None).unwrap().1.tracks[0].calls;
    assert_eq!(calls[1].came_to, CameTo::Done { took: Duration::from_secs(3) });
    assert_eq!(calls[1].request, None);
}

#[test]
fn a_stop_that_left_no_trace_interrupted_nothing() {
    let nothing = one(|staged| {
        staged.seen(500, "i", PowerState::Running, "S5.MEDIUM4");
        staged.intended(1000, "i", stop());
        staged.tell(4000, Some("i"), Event::NotExecuted);
    });
    assert_eq!(ways(&nothing, None), [""]);
}

#[test]
fn the_powers_own_ways_are_seen_between_calls() {
    let by_itself = one(|staged| {
        staged.stopped(1000, "i");
        staged.call(9000, 15_000, "i", resize(), (PowerState::Starting, "S5.LARGE8"));
        staged.seen(18_000, "i", PowerState::Running, "S5.LARGE8");
    });
    assert_eq!(ways(&by_itself, None), [format!("{STOPPED}, resizing 9-15, starting 15-18")]);
}

#[test]
fn rolled_back_it_is_stopped_a_second_time() {
    let back = one(|staged| {
        staged.stopped(1000, "i");
        staged.call(9000, 15_000, "i", resize(), (PowerState::Stopped, "S5.LARGE8"));
        staged.call(15_000, 21_000, "i", Intent::Start, (PowerState::Running, "S5.LARGE8"));
        let failure = Failure::Check { number: 1, message: "port 22 is closed".to_owned() };
        staged.tell(26_000, Some("i"), Event::Failed { failure: failure.clone() });
        staged.tell(26_000, Some("i"), Event::RollBackBegan { to: "S5.MEDIUM4".into() });
        staged.call(26_000, 34_000, "i", stop(), (PowerState::Stopped, "S5.LARGE8"));
        let former = Intent::Resize { to: "S5.MEDIUM4".into() };
        staged.call(34_500, 40_000, "i", former, (PowerState::Stopped, "S5.MEDIUM4"));
        staged.call(40_000, 46_000, "i", Intent::Start, (PowerState::Running, "S5.MEDIUM4"));
        staged.ended(46_000, "i", Verdict::Failed { failure });
    });
    assert_eq!(
        ways(&back, None),
        [format!(
            "{STOPPED}, resizing 9-15, starting 15-21, stopping 26-34, stopped 34-34.5, resizing 34.5-40, starting 40-46"
        )]
    );
    let page = crate::report::html(&back.records, crate::report::staged::view()).unwrap();
    assert!(page.contains("<td>resize S5.MEDIUM4 → S5.LARGE8 (4 cores, 8 GiB)</td><td>rolled back</td>"));
}

#[test]
fn tries_that_come_to_the_same_are_together() {
    let (_, timeline) = timeline(&three().records, None).unwrap();
    let told: Vec<_> =
        timeline.tracks[2].tries().map(|tries| (tries.len(), tries[0].words.as_str())).collect();
    assert_eq!(
        told,
        [(1, "stopping"), (1, "resetting password of root"), (1, "resizing to S5.LARGE8"), (3, "starting")]
    );
}

#[test]
fn stretches_follow_each_other_whatever_happens() {
    let (_, timeline) = timeline(&fleet(120).records, None).unwrap();
    for track in &timeline.tracks {
        assert!(!track.stretches.is_empty());
        for pair in track.stretches.windows(2) {
            assert!(pair[0].from < pair[0].until && pair[0].until <= pair[1].from, "{}", way(track));
            assert_ne!(pair[0].activity, pair[1].activity, "{}", way(track));
            assert!(!pair[0].open);
        }
        assert!(track.calls.iter().all(|call| call.came_to != CameTo::Open));
    }
}
