//! What calls do to instances.

use super::*;

#[test]
fn the_main_road_from_stop_to_start() {
    let mut caller = Caller::with(|fleet| fleet.resize_boots = ResizeBoots::Never);
    let id = "ins-0web0001";
    let ids = json!({"InstanceIds": [id]});
    let stop = caller.answer(Service::Cvm, "StopInstances", &ids);
    stop.outcome.unwrap();
    let seen = caller.settle(id);
    assert_eq!(seen["InstanceState"], "STOPPED");
    assert_eq!(seen["LatestOperation"], "StopInstances");
    assert_eq!(seen["LatestOperationState"], "SUCCESS");
    assert_eq!(seen["LatestOperationRequestId"], stop.request_id);
    assert_eq!(seen["StopChargingMode"], "KEEP_CHARGING");

    let keys = json!({"InstanceIds": [id], "KeyIds": ["skey-0ops0001"]});
    caller.cvm("AssociateInstancesKeyPairs", &keys).unwrap();
    assert_eq!(caller.settle(id)["LoginSettings"]["KeyIds"], json!(["skey-0ops0001"]));

    let password = json!({"InstanceIds": [id], "Password": "Correct-Horse-1"});
    caller.cvm("ResetInstancesPassword", &password).unwrap();
    caller.settle(id);
    assert_eq!(caller.world.password_of(&id.into()).unwrap().0, "root");

    let resize = json!({"InstanceIds": [id], "InstanceType": "S5.LARGE8"});
    caller.cvm("ResetInstancesType", &resize).unwrap();
    let seen = caller.settle(id);
    assert_eq!(
        (&seen["InstanceType"], &seen["CPU"], &seen["Memory"]),
        (&json!("S5.LARGE8"), &json!(4), &json!(8))
    );
    assert_eq!(seen["InstanceState"], "STOPPED");

    caller.cvm("StartInstances", &ids).unwrap();
    assert_eq!(caller.settle(id)["InstanceState"], "RUNNING");
    caller.wait(Duration::from_secs(10));
    let now = caller.now;
    assert!(caller.world.accepts(now, "127.0.1.11", 10_022));
    assert!(!caller.world.accepts(now, "127.0.1.11", 10_023));
}
