//! Signatures, tokens, regions, parameters, limits, and that the same calls get the same answers.

use super::*;

fn empty() -> Value {
    json!({})
}

#[test]
fn a_signature_must_fit_to_the_letter() {
    let mut caller = Caller::demo();
    caller.cvm("DescribeZones", &empty()).unwrap();

    caller.secret_key = "another".into();
    assert_eq!(caller.cvm("DescribeZones", &empty()), Err("AuthFailure.SignatureFailure".to_owned()));
    caller.secret_id = "AKIDnobody".to_owned();
    assert_eq!(caller.cvm("DescribeZones", &empty()), Err("AuthFailure.SecretIdNotFound".to_owned()));
}

#[test]
fn what_was_signed_is_what_must_arrive() {
    let at = BEGAN.parse().unwrap();
    let good = || {
        let key = DEMO_SECRET_KEY.into();
        signed(Service::Cvm, "DescribeZones", &empty(), at, DEMO_SECRET_ID, &key)
    };
    let set = |name: &'static str, value: &str| {
        let mut request = good();
        request.headers.retain(|(own, _)| *own != name);
        request.headers.push((name, value.to_owned()));
        request
    };
    let mut other_body = good();
    other_body.body = b"{ }".to_vec().into();
    let stranger = good().header("authorization").unwrap().replace("/cvm/", "/cdb/");
    for (request, code) in [
        (good(), None),
        (other_body, Some("AuthFailure.SignatureFailure")),
        (set("content-type", "application/json; charset=utf-8"), Some("AuthFailure.SignatureFailure")),
        (set("host", "127.0.0.1:2"), Some("AuthFailure.SignatureFailure")),
        (set("authorization", "Bearer x"), Some("AuthFailure.InvalidAuthorization")),
        (set("authorization", &stranger), Some("AuthFailure.InvalidAuthorization")),
        (set("authorization", ""), Some("MissingParameter")),
        (set("x-tc-timestamp", "yesterday"), Some("AuthFailure.InvalidAuthorization")),
        (set("x-tc-timestamp", "1777931699"), Some("AuthFailure.SignatureExpire")),
        (set("x-tc-version", "2016-01-01"), Some("NoSuchVersion")),
        (set("x-tc-token", "surprise"), Some("AuthFailure.TokenFailure")),
        (set("x-tc-region", "eu-nowhere"), Some("UnsupportedRegion")),
        (set("x-tc-region", ""), Some("MissingParameter")),
        (set("x-tc-action", "TerminateInstances"), Some("InvalidAction")),
    ] {
        let mut world = World::new(Fleet::demo(), 1, at);
        let Delivery::Answer(response) = exchange(&mut world, at, &request, false).delivery else {
            panic!("no fault was asked for")
        };
        let outcome = open(&response).unwrap().outcome;
        assert_eq!(outcome.err().map(|refusal| refusal.code).as_deref(), code, "{:?}", request.headers);
    }
}

#[test]
fn clocks_may_be_five_minutes_apart() {
    let key = DEMO_SECRET_KEY.into();
    let began: Timestamp = BEGAN.parse().unwrap();
    for (seconds, accepted) in [(300, true), (301, false)] {
        for now in [began + Duration::from_secs(seconds), began - Duration::from_secs(seconds)] {
            let request = signed(Service::Cvm, "DescribeZones", &empty(), began, DEMO_SECRET_ID, &key);
            let mut world = World::new(Fleet::demo(), 1, began - Duration::from_hours(1));
            let Delivery::Answer(response) = exchange(&mut world, now, &request, false).delivery else {
                panic!("no fault was asked for")
            };
            assert_eq!(open(&response).unwrap().outcome.is_ok(), accepted, "{now}");
        }
    }
}

#[test]
fn a_temporary_credential_works_with_its_token_until_it_expires() {
    let mut caller = Caller::demo();
    let role = json!({
        "RoleArn": "qcs::cam::uin/100000000001:roleName/ops", "RoleSessionName": "night", "DurationSeconds": 600,
    });
    let granted = caller.answer(Service::Sts, "AssumeRole", &role).outcome.unwrap();
    let text = |name: &str| granted["Credentials"][name].as_str().unwrap().to_owned();
    (caller.secret_id, caller.secret_key) = (text("TmpSecretId"), text("TmpSecretKey").into());
    assert_eq!(caller.cvm("DescribeZones", &empty()), Err("AuthFailure.TokenFailure".to_owned()));
    caller.token = Some(text("Token"));
    caller.cvm("DescribeZones", &empty()).unwrap();
    let who = caller.answer(Service::Sts, "GetCallerIdentity", &empty()).outcome.unwrap();
    assert_eq!((&who["AccountId"], &who["Type"]), (&json!("100000000001"), &json!("CAMRole")));
    caller.wait(Duration::from_mins(10));
    assert_eq!(caller.cvm("DescribeZones", &empty()), Err("AuthFailure.TokenFailure".to_owned()));
}

#[test]
fn a_policy_denies_by_action() {
    let mut caller = Caller::with(|fleet| fleet.credentials[0].denied = vec!["StopInstances".to_owned()]);
    let ids = json!({"InstanceIds": ["ins-0web0001"]});
    assert_eq!(caller.cvm("StopInstances", &ids), Err("AuthFailure.UnauthorizedOperation".to_owned()));
    caller.cvm("DescribeInstances", &ids).unwrap();
}

#[test]
fn parameters_are_checked_by_name_and_type() {
    for (action, params, code) in [
        ("StopInstances", json!({}), "MissingParameter"),
        ("StopInstances", json!({"InstanceIds": []}), "MissingParameter"),
        ("StopInstances", json!({"InstanceIds": "ins-0web0001"}), "InvalidParameter"),
        ("StopInstances", json!({"InstanceIds": ["ins-0web0001"], "Force": true}), "UnknownParameter"),
        ("StopInstances", json!({"InstanceIds": ["web-1"]}), "InvalidInstanceId.Malformed"),
        ("StopInstances", json!({"InstanceIds": ["ins-00000000"]}), "InvalidInstanceId.NotFound"),
        (
            "StopInstances",
            json!({"InstanceIds": ["ins-0web0001"], "StopType": "NOW"}),
            "InvalidParameterValue",
        ),
        (
            "StopInstances",
            json!({"InstanceIds": ["ins-0web0001"], "StopType": "SOFT", "ForceStop": false}),
            "InvalidParameterCombination",
        ),
        ("StopInstances", json!({"InstanceIds": ["ins-0web0001", "ins-0web0001"]}), "InvalidParameterValue"),
        (
            "StopInstances",
            json!({"InstanceIds": vec!["ins-0web0001"; 101]}),
            "InvalidParameterValue.LimitExceeded",
        ),
        ("DescribeInstances", json!({"Limit": 101}), "InvalidParameterValue.LimitExceeded"),
        ("DescribeInstances", json!({"Filters": [{"Name": "colour", "Values": ["red"]}]}), "InvalidFilter"),
        (
            "DescribeInstances",
            json!({"Filters": [{"Name": "zone", "Values": ["1", "2", "3", "4", "5", "6"]}]}),
            "InvalidFilterValue.LimitExceeded",
        ),
        (
            "DescribeInstances",
            json!({"InstanceIds": ["ins-0web0001"], "Filters": [{"Name": "zone", "Values": ["1"]}]}),
            "InvalidParameter",
        ),
        ("DescribeTaskInfo", json!({"Limit": 10}), "MissingParameter"),
    ] {
        assert_eq!(Caller::demo().cvm(action, &params), Err(code.to_owned()), "{action} {params}");
    }
}

#[test]
fn calls_above_the_rate_are_refused_until_the_next_second() {
    let mut caller = Caller::demo();
    let params = empty();
    let code = |caller: &mut Caller| {
        let response = caller.send(Service::Cvm, "DescribeZones", &params).unwrap();
        open(&response).unwrap().outcome.err().map(|refusal| refusal.code)
    };
    for number in 0..10 {
        assert_eq!(code(&mut caller), None, "call {number}");
    }
    assert_eq!(code(&mut caller).as_deref(), Some("RequestLimitExceeded"));
    caller.wait(Duration::from_secs(1));
    assert_eq!(code(&mut caller), None);
}

#[test]
fn each_region_has_rates_of_its_own() {
    let mut caller = Caller::with(|fleet| fleet.zones.push("ap-shanghai-2".to_owned()));
    let mut count = |region, service, action| {
        caller.region = region;
        let admitted = |_: &usize| {
            let response = caller.send(service, action, &empty()).unwrap();
            open(&response).unwrap().outcome.is_ok()
        };
        (0..30).filter(admitted).count()
    };
    assert_eq!(count(DEMO_REGION, Service::Cvm, "DescribeZones"), 10);
    assert_eq!(count("ap-shanghai", Service::Cvm, "DescribeZones"), 10);
    assert_eq!(count(DEMO_REGION, Service::Cvm, "DescribeZones"), 0, "it is still the same second");
    assert_eq!(count(DEMO_REGION, Service::Cvm, "DescribeKeyPairs"), 10);
    // These ask for nothing of a region, and are one for all of them.
    assert_eq!(count(DEMO_REGION, Service::Sts, "GetCallerIdentity"), 20);
    assert_eq!(count("ap-shanghai", Service::Sts, "GetCallerIdentity"), 0);
}

#[test]
fn the_same_seed_calls_and_times_give_the_same_answers() {
    let talk = |seed| {
        let fleet = Fleet {
            faults: Fault::parse_script("[{ chance: 0.2, do: lose-reply }]", "the test").unwrap(),
            ..Fleet::demo()
        };
        let mut caller = Caller::new(World::new(fleet, seed, BEGAN.parse().unwrap()));
        let ids = json!({"InstanceIds": ["ins-0web0001", "ins-0db00001"]});
        let mut heard = Vec::new();
        for action in ["StopInstances", "DescribeInstances", "StartInstances"].into_iter().cycle().take(120) {
            caller.wait(Duration::from_millis(700));
            let response = caller.send(Service::Cvm, action, &ids);
            heard.push(response.map(|response| String::from_utf8(response.body).unwrap()));
        }
        (heard, caller.world.log().to_vec())
    };
    let first = talk(7);
    assert!(first == talk(7));
    assert!(first.0.iter().any(Option::is_none) && first.0.iter().any(Option::is_some));
    assert!(first.0 != talk(8).0);
}

#[test]
fn a_clone_goes_its_own_way() {
    let mut caller = Caller::demo();
    let before = caller.world.clone();
    caller.cvm("StopInstances", &json!({"InstanceIds": ["ins-0web0001"]})).unwrap();
    caller.settle("ins-0web0001");
    assert_eq!(before.power_of(&"ins-0web0001".into()).unwrap().as_str(), "RUNNING");
    assert_eq!(caller.world.power_of(&"ins-0web0001".into()).unwrap().as_str(), "STOPPED");
}

#[test]
fn reads_do_not_move_durations() {
    let took = |reads: u64| {
        let mut caller = Caller::demo();
        caller.cvm("StopInstances", &json!({"InstanceIds": ["ins-0web0001"]})).unwrap();
        for _ in 0..reads {
            caller.look("ins-0web0002");
        }
        caller.world.next_change().unwrap()
    };
    assert_eq!(took(0), took(3));
}
