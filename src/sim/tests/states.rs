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

fn refused(caller: &mut Caller, action: &str, params: &Value) -> String {
    caller.cvm(action, params).expect_err("it is refused")
}

#[test]
fn a_batch_with_one_bad_instance_is_refused_whole_and_names_it() {
    let mut caller = Caller::demo();
    let ids = json!({"InstanceIds": ["ins-0web0001", "ins-0web0003"]});
    let refusal = caller.answer(Service::Cvm, "StopInstances", &ids).outcome.unwrap_err();
    assert_eq!(refusal.code, "UnsupportedOperation.InstanceStateStopped");
    assert!(refusal.message.contains("ins-0web0003"), "{}", refusal.message);
    assert_eq!(caller.world.power_of(&"ins-0web0001".into()).unwrap().as_str(), "RUNNING");
}

#[test]
fn awkward_instances_are_refused_for_what_they_are() {
    let resize = |id: &str, to: &str| json!({"InstanceIds": [id], "InstanceType": to});
    for (id, action, code) in [
        ("ins-0isolat1", "StopInstances", "UnsupportedOperation.InstanceStateShutdown"),
        ("ins-0expire1", "StartInstances", "UnsupportedOperation.InstanceStateFreezing"),
        ("ins-0nopay01", "StopInstances", "UnsupportedOperation.StoppedModeStopCharging"),
        ("ins-0busy001", "StopInstances", "OperationDenied.InstanceOperationInProgress"),
    ] {
        let ids = json!({"InstanceIds": [id]});
        assert_eq!(refused(&mut Caller::demo(), action, &ids), code, "{action} {id}");
    }
    for (id, to, code) in [
        ("ins-0nopay01", "S5.LARGE8", "UnsupportedOperation.StoppedModeStopCharging"),
        ("ins-0web0003", "S6.LARGE16", "ResourcesSoldOut.SpecifiedInstanceType"),
        ("ins-0web0003", "S9.HUGE", "ResourceUnavailable.InstanceType"),
        ("ins-0web0003", "huge", "InvalidInstanceType.Malformed"),
        ("ins-0web0003", "S5.MEDIUM4", "UnsupportedOperation.OriginalInstanceTypeInvalid"),
        ("ins-0web0001", "S5.LARGE8", "UnsupportedOperation.InstanceStateRunning"),
        ("ins-0spot001", "S5.LARGE8", "UnsupportedOperation.NoInstanceTypeSupportSpot"),
        ("ins-0local01", "S5.LARGE8", "UnsupportedOperation.LocalDataDiskChangeInstanceFamily"),
        ("ins-0host001", "S5.LARGE8", "InvalidParameter.HostIdStandardInstanceTypeNotSupport"),
        ("ins-0small01", "S5.MEDIUM4", "InvalidPermission"),
    ] {
        let code_given = refused(&mut Caller::demo(), "ResetInstancesType", &resize(id, to));
        assert_eq!(code_given, code, "{id} to {to}");
    }
    let two = json!({"InstanceIds": ["ins-0web0001", "ins-0web0002"], "InstanceType": "S5.LARGE8"});
    assert_eq!(
        refused(&mut Caller::demo(), "ResetInstancesType", &two),
        "InvalidParameterValue.LimitExceeded"
    );
    let mut poor = Caller::with(|fleet| fleet.balance = 0.1);
    let dear = resize("ins-0web0003", "S5.LARGE8");
    assert_eq!(refused(&mut poor, "ResetInstancesType", &dear), "InvalidAccount.InsufficientBalance");
}

#[test]
fn a_resize_of_a_stopped_instance_boots_it_or_not() {
    let resize = json!({"InstanceIds": ["ins-0web0003"], "InstanceType": "S5.LARGE8"});
    let mut ends = std::collections::BTreeSet::new();
    for (boots, seeds) in [(ResizeBoots::Always, 1), (ResizeBoots::Never, 1), (ResizeBoots::Random, 20)] {
        for seed in 0..seeds {
            let fleet = Fleet { resize_boots: boots, ..Fleet::demo() };
            let mut caller = Caller::new(World::new(fleet, seed, BEGAN.parse().unwrap()));
            caller.cvm("ResetInstancesType", &resize).unwrap();
            let seen = caller.settle("ins-0web0003");
            assert_eq!((&seen["InstanceType"], &seen["CPU"]), (&json!("S5.LARGE8"), &json!(4)));
            assert_eq!(seen["LatestOperationState"], "SUCCESS");
            ends.insert((format!("{boots:?}"), seen["InstanceState"].as_str().unwrap().to_owned()));
        }
    }
    let expected =
        [("Always", "RUNNING"), ("Never", "STOPPED"), ("Random", "RUNNING"), ("Random", "STOPPED")];
    assert_eq!(ends, expected.map(|(boots, state)| (boots.to_owned(), state.to_owned())).into());
}

#[test]
fn durations_are_as_drawn_and_shrink_with_the_speed() {
    for (speed, shortest, longest) in [(1.0, 6.4, 9.6), (10.0, 0.64, 0.96)] {
        let mut took = std::collections::BTreeSet::new();
        for seed in 0..20 {
            let world = World::new(Fleet::demo(), seed, BEGAN.parse().unwrap()).speed(speed);
            let mut caller = Caller::new(world);
            caller.cvm("StopInstances", &json!({"InstanceIds": ["ins-0web0001"]})).unwrap();
            let began = caller.now;
            caller.world.advance(began + Duration::from_mins(1));
            let ended = caller.world.log().iter().rfind(|entry| {
                matches!(&entry.what, Happening::Changed { effect: Effect::Ended { failed: None, .. }, .. })
            });
            took.insert(crate::clock::between(began, ended.unwrap().at));
        }
        assert!(took.len() > 15, "they differ: {took:?}");
        for time in [took.first().unwrap(), took.last().unwrap()] {
            assert!((shortest..=longest).contains(&time.as_secs_f64()), "{time:?} at speed {speed}");
        }
    }
}

#[test]
fn stop_charging_gives_back_the_cores_and_the_plain_address() {
    let mut caller = Caller::demo();
    let stop = json!({"InstanceIds": ["ins-0web0001", "ins-0local01"], "StoppedMode": "STOP_CHARGING"});
    caller.cvm("StopInstances", &stop).unwrap();
    let seen = caller.settle("ins-0web0001");
    assert_eq!(seen["StopChargingMode"], "STOP_CHARGING");
    assert_eq!(seen["PublicIpAddresses"], Value::Null);
    let local = caller.settle("ins-0local01");
    assert_eq!(local["StopChargingMode"], "KEEP_CHARGING", "local disks are charged on");
    let ids = json!({"InstanceIds": ["ins-0web0001"]});
    caller.cvm("StartInstances", &ids).unwrap();
    let seen = caller.settle("ins-0web0001");
    assert_ne!(seen["PublicIpAddresses"], json!(["203.0.113.11"]));
    assert_eq!(seen["StopChargingMode"], "NOT_APPLICABLE");
}

#[test]
fn passwords_follow_the_rule_of_the_strictest_instance() {
    let reset = |ids: &[&str], password: &str| json!({"InstanceIds": ids, "Password": password});
    let mut caller = Caller::demo();
    let weak = reset(&["ins-0web0003"], "short");
    assert_eq!(
        refused(&mut caller, "ResetInstancesPassword", &weak),
        "InvalidParameterValue.InvalidPassword"
    );
    let mixed = reset(&["ins-0web0003", "ins-0win0001"], "Abcdef12");
    assert_eq!(
        refused(&mut caller, "ResetInstancesPassword", &mixed),
        "InvalidParameterValue.InvalidPassword"
    );
    let refusal = caller.answer(Service::Cvm, "ResetInstancesPassword", &weak).outcome.unwrap_err();
    assert!(!refusal.message.contains("short "), "{}", refusal.message);
    let mut long = reset(&["ins-0web0003"], "Abcdef12");
    long["UserName"] = json!("u".repeat(65));
    assert_eq!(refused(&mut caller, "ResetInstancesPassword", &long), "InvalidParameterValue.TooLong");
    caller.cvm("ResetInstancesPassword", &reset(&["ins-0web0003"], "Abcdef12")).unwrap();
    let again = reset(&["ins-0web0003"], "Abcdef12");
    assert_eq!(refused(&mut caller, "ResetInstancesPassword", &again), "MutexOperation.TaskRunning");
}

#[test]
fn keys_are_bound_replaced_and_unbound() {
    let bind = |id: &str, key: &str| json!({"InstanceIds": [id], "KeyIds": [key]});
    let mut caller = Caller::demo();
    for (params, code) in [
        (bind("ins-0web0003", "ops"), "InvalidKeyPairId.Malformed"),
        (bind("ins-0web0003", "skey-00000000"), "InvalidKeyPairId.NotFound"),
        (bind("ins-0win0001", "skey-0ops0001"), "UnsupportedOperation.InstanceOsWindows"),
        (bind("ins-0web0001", "skey-0ops0001"), "UnsupportedOperation.InstanceStateRunning"),
    ] {
        assert_eq!(refused(&mut caller, "AssociateInstancesKeyPairs", &params), code);
    }
    caller.cvm("StopInstances", &json!({"InstanceIds": ["ins-0db00001"]})).unwrap();
    caller.settle("ins-0db00001");
    caller.cvm("AssociateInstancesKeyPairs", &bind("ins-0db00001", "skey-0ops0001")).unwrap();
    let seen = caller.settle("ins-0db00001");
    assert_eq!(seen["LoginSettings"]["KeyIds"], json!(["skey-0ops0001"]), "the old key works no more");
    let pairs = caller.cvm("DescribeKeyPairs", &json!({"KeyIds": ["skey-0ops0001"]})).unwrap();
    assert_eq!(pairs["KeyPairSet"][0]["AssociatedInstanceIds"], json!(["ins-0db00001"]));
    caller.cvm("DisassociateInstancesKeyPairs", &bind("ins-0db00001", "skey-0ops0001")).unwrap();
    assert_eq!(caller.settle("ins-0db00001")["LoginSettings"]["KeyIds"], json!([]));
}

#[test]
fn a_key_pair_is_imported_once() {
    let import = |name: &str, key: &str| json!({"KeyName": name, "ProjectId": 0, "PublicKey": key});
    let key = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC7 me@example";
    let mut caller = Caller::demo();
    let imported = caller.cvm("ImportKeyPair", &import("mine", key)).unwrap();
    let found = caller.cvm("DescribeKeyPairs", &json!({})).unwrap();
    assert_eq!(found["TotalCount"], 3);
    assert_eq!(found["KeyPairSet"][2]["KeyId"], imported["KeyId"]);
    for (params, code) in [
        (import("mine2", key), "InvalidPublicKey.Duplicate"),
        (import("mine", "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC8"), "InvalidKeyPairName.Duplicate"),
        (import("ed", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI"), "InvalidPublicKey.Malformed"),
        (import("has-dash", key), "InvalidKeyPairNameIncludeIllegalChar"),
        (import("", key), "InvalidKeyPairNameEmpty"),
        (import(&"n".repeat(26), key), "InvalidKeyPairNameTooLong"),
    ] {
        assert_eq!(refused(&mut caller, "ImportKeyPair", &params), code);
    }
}

#[test]
fn a_type_on_which_the_guest_is_dead_or_mute() {
    let mut caller = Caller::with(|fleet| {
        fleet.resize_boots = ResizeBoots::Never;
        let guest = |name: &str| fleet.instances.iter().position(|spec| spec.name == name).unwrap();
        let (dead, mute) = (guest("web-3"), guest("web-1"));
        fleet.instances[dead].guest.dead_on = vec!["S5.LARGE8".into()];
        fleet.instances[mute].guest.mute_on = vec!["S5.MEDIUM4".into()];
    });
    let resize = json!({"InstanceIds": ["ins-0web0003"], "InstanceType": "S5.LARGE8"});
    caller.cvm("ResetInstancesType", &resize).unwrap();
    caller.settle("ins-0web0003");
    caller.cvm("StartInstances", &json!({"InstanceIds": ["ins-0web0003"]})).unwrap();
    let seen = caller.settle("ins-0web0003");
    assert_eq!(
        (&seen["InstanceState"], &seen["LatestOperationState"]),
        (&json!("STOPPED"), &json!("FAILED"))
    );
    let now = caller.now;
    assert!(!caller.world.accepts(now, "127.0.1.11", 10_022));
    assert!(caller.world.accepts(now, "127.0.1.12", 10_022));
}

#[test]
fn force_stop_takes_a_running_instance_down_and_up_again() {
    let mut caller = Caller::demo();
    let forced = json!({"InstanceIds": ["ins-0web0001"], "InstanceType": "S5.LARGE8", "ForceStop": true});
    caller.cvm("ResetInstancesType", &forced).unwrap();
    let seen = caller.settle("ins-0web0001");
    assert_eq!((&seen["InstanceType"], &seen["InstanceState"]), (&json!("S5.LARGE8"), &json!("RUNNING")));
}
