//! What goes wrong when it is asked to.

use super::*;
use crate::cloud::PowerState;

const ID: &str = "ins-0web0001";

fn ids() -> Value {
    json!({"InstanceIds": [ID]})
}

fn caller(script: Vec<Fault>) -> Caller {
    Caller::with(|fleet| fleet.faults = script)
}

/// How many operations of this action began on the instance.
fn begun(caller: &Caller, action: &str) -> usize {
    let began =
        |entry: &&LogEntry| matches!(&entry.what, Happening::Began { action: own, .. } if own == action);
    caller.world.log().iter().filter(began).count()
}

#[test]
fn lost_calls_differ_in_their_effect() {
    for (what, effect) in [
        (What::NoConnection, 0),
        (What::LoseRequest, 0),
        (What::LoseReply, 1),
        (What::BadGateway, 0),
        (What::BadGatewayAfter, 1),
        (What::Truncate, 1),
        (What::NotJson, 1),
    ] {
        let mut caller = caller(vec![Fault::always(what.clone()).on("StopInstances").nth(1)]);
        let response = caller.send(Service::Cvm, "StopInstances", &ids());
        assert!(response.as_ref().and_then(open).is_none(), "{what:?} gave {response:?}");
        assert_eq!(begun(&caller, "StopInstances"), effect, "{what:?}");
    }
}

#[test]
fn refusals_change_nothing() {
    for (what, code) in [
        (What::Throttle, "RequestLimitExceeded"),
        (What::InternalError, "InternalServerError"),
        (What::ExpireToken, "AuthFailure.TokenFailure"),
        (What::SoldOut, "ResourcesSoldOut.SpecifiedInstanceType"),
        (What::Refuse("InvalidInstance.NotSupported".into()), "InvalidInstance.NotSupported"),
        (What::Vanish, "InvalidInstanceId.NotFound"),
    ] {
        let mut caller = caller(vec![Fault::always(what)]);
        assert_eq!(caller.cvm("StopInstances", &ids()), Err(code.to_owned()));
        assert_eq!(begun(&caller, "StopInstances"), 0, "{code}");
    }
}

#[test]
fn an_instance_that_vanished_is_shown_no_more() {
    let mut fault = Fault::always(What::Vanish).on("StopInstances");
    fault.instance = Some(ID.into());
    let mut caller = caller(vec![fault]);
    let both = json!({"InstanceIds": [ID, "ins-0web0002"]});
    assert_eq!(caller.cvm("StopInstances", &both), Err("InvalidInstanceId.NotFound".to_owned()));
    caller.wait(Duration::from_secs(1));
    let seen = caller.cvm("DescribeInstances", &both).unwrap();
    assert_eq!(seen["TotalCount"], 1);
    assert_eq!(seen["InstanceSet"][0]["InstanceId"], "ins-0web0002");
}

#[test]
fn a_failed_operation_says_so_and_changes_nothing() {
    let mut caller = caller(vec![Fault::always(What::Fail("No room.".into())).on("ResetInstancesType")]);
    let resize = json!({"InstanceIds": ["ins-0web0003"], "InstanceType": "S5.LARGE8"});
    caller.cvm("ResetInstancesType", &resize).unwrap();
    let seen = caller.settle("ins-0web0003");
    assert_eq!(
        (&seen["LatestOperationState"], &seen["LatestOperationErrorMsg"]),
        (&json!("FAILED"), &json!("No room."))
    );
    assert_eq!((&seen["InstanceType"], &seen["InstanceState"]), (&json!("S5.MEDIUM4"), &json!("STOPPED")));
}

#[test]
fn a_soft_stop_that_hangs_ends_running_after_five_minutes() {
    let mut caller = caller(vec![Fault::always(What::Hang).on("StopInstances")]);
    caller.cvm("StopInstances", &ids()).unwrap();
    caller.wait(Duration::from_secs(295));
    assert_eq!(caller.look(ID)["InstanceState"], "STOPPING");
    caller.wait(Duration::from_secs(6));
    let seen = caller.look(ID);
    assert_eq!(
        (&seen["InstanceState"], &seen["LatestOperationState"]),
        (&json!("RUNNING"), &json!("FAILED"))
    );
}

#[test]
fn soft_first_cuts_the_power_after_five_minutes_and_hard_at_once() {
    for (mode, seconds) in [("SOFT_FIRST", 320), ("HARD", 10)] {
        let mut caller = Caller::demo();
        let stop = json!({"InstanceIds": ["ins-0stubb01"], "StopType": mode});
        caller.cvm("StopInstances", &stop).unwrap();
        caller.wait(Duration::from_secs(seconds));
        assert_eq!(caller.look("ins-0stubb01")["InstanceState"], "STOPPED", "{mode}");
    }
}

#[test]
fn a_stale_read_shows_what_was() {
    let mut fault = Fault::always(What::Stale(Duration::from_secs(30))).on("DescribeInstances");
    fault.times = Some(1);
    let mut caller = caller(vec![fault]);
    caller.cvm("StopInstances", &ids()).unwrap();
    caller.wait(Duration::from_secs(20));
    let seen = caller.look(ID);
    assert_eq!((&seen["InstanceState"], &seen["LatestOperation"]), (&json!("RUNNING"), &Value::Null));
    assert_eq!(caller.look(ID)["InstanceState"], "STOPPED");
}

#[test]
fn a_stop_shows_late_but_holds_the_instance_at_once() {
    let mut caller =
        Caller::with(|fleet| fleet.timings.lag = Spread { base: Duration::from_secs(2), spread: 0.0 });
    caller.cvm("StopInstances", &ids()).unwrap();
    assert_eq!(caller.look(ID)["InstanceState"], "RUNNING");
    let refused = caller.cvm("StopInstances", &ids()).unwrap_err();
    assert_eq!(refused, "UnsupportedOperation.InstanceStateStopping");
    caller.wait(Duration::from_secs(2));
    let seen = caller.look(ID);
    assert_eq!(
        (&seen["InstanceState"], &seen["LatestOperationState"]),
        (&json!("STOPPING"), &json!("OPERATING"))
    );
}

#[test]
fn conditions_of_a_fault_all_must_hold() {
    let text = "
- { action: StopInstances, call: 2, do: lose-reply }
- { instance: ins-0web0002, chance: 1.0, times: 1, do: { refuse: ResourceInUse } }
- { from: 10s, until: 20s, do: throttle }
- { action: DescribeInstances, do: { slow: 3s } }
- { action: DescribeInstances, chance: 0.0, do: not-json }
";
    let mut caller = caller(Fault::parse_script(text, "the test").unwrap());
    let second = json!({"InstanceIds": ["ins-0web0002"]});
    assert_eq!(caller.cvm("StopInstances", &second), Err("ResourceInUse".to_owned()));
    assert!(caller.send(Service::Cvm, "StopInstances", &second).is_none());
    caller.look(ID);
    caller.wait(Duration::from_secs(10));
    assert_eq!(caller.cvm("DescribeZones", &json!({})), Err("RequestLimitExceeded".to_owned()));
    caller.wait(Duration::from_secs(10));
    caller.cvm("DescribeZones", &json!({})).unwrap();
}

#[test]
fn other_people_start_stop_resize_and_destroy() {
    let at = |seconds: u64, instance: &str, act| EventSpec {
        after: Duration::from_secs(seconds),
        instance: instance.into(),
        act,
    };
    let mut caller = Caller::with(|fleet| {
        fleet.resize_boots = ResizeBoots::Never;
        fleet.events = vec![
            at(5, ID, ForeignAct::Stop),
            at(6, ID, ForeignAct::Start),
            at(7, "ins-0web0003", ForeignAct::Resize("S5.LARGE8".into())),
            at(8, "ins-0web0002", ForeignAct::Vanish),
            at(9, "ins-0db00001", ForeignAct::SellOut("S5.LARGE16".into())),
            at(10, "ins-0batch01", ForeignAct::Restrict),
        ];
    });
    caller.wait(Duration::from_secs(30));
    caller.world.advance(caller.now);
    let power = |id: &str| caller.world.power_of(&id.into()).cloned();
    assert_eq!(power(ID), Some(PowerState::Stopped), "the start came while the stop ran, and was refused");
    assert_eq!(power("ins-0web0002"), None);
    assert_eq!(caller.world.type_of(&"ins-0web0003".into()), Some(&"S5.LARGE8".into()));
    let foreign = |entry: &LogEntry| matches!(&entry.what, Happening::Began { by: Actor::Somebody, action, .. } if action == "StopInstances");
    assert!(caller.world.log().iter().any(foreign));
    let sold_out = json!({"InstanceIds": ["ins-0web0003"], "InstanceType": "S5.LARGE16"});
    assert_eq!(
        caller.cvm("ResetInstancesType", &sold_out),
        Err("ResourcesSoldOut.SpecifiedInstanceType".to_owned())
    );
    assert_eq!(
        caller.cvm("StopInstances", &json!({"InstanceIds": ["ins-0batch01"]})),
        Err("UnsupportedOperation.InstanceStateBanning".to_owned())
    );
}
