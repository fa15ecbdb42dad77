//! What reads show.

use super::*;

fn names(set: &Value) -> Vec<&str> {
    set.as_array().unwrap().iter().map(|one| one["InstanceName"].as_str().unwrap()).collect()
}

#[test]
fn filters_are_and_values_are_or() {
    let mut caller = Caller::demo();
    let mut find = |filters: Value| {
        let found = caller.cvm("DescribeInstances", &json!({"Filters": filters, "Limit": 100})).unwrap();
        names(&found["InstanceSet"]).join(" ")
    };
    assert_eq!(find(json!([{"Name": "tag:role", "Values": ["web", "db"]}])), "db-1 web-1 web-2 web-3");
    assert_eq!(
        find(json!([
            {"Name": "tag:role", "Values": ["web"]}, {"Name": "instance-state", "Values": ["STOPPED"]},
        ])),
        "web-3"
    );
    assert_eq!(find(json!([{"Name": "instance-name", "Values": ["win-1"]}])), "win-1");
    assert_eq!(find(json!([{"Name": "zone", "Values": ["ap-guangzhou-4"]}])), "web-2");
    assert_eq!(find(json!([{"Name": "private-ip-address", "Values": ["127.0.1.21"]}])), "db-1");
    assert_eq!(find(json!([{"Name": "tag-key", "Values": ["schedule"]}])), "batch-1 batch-2");
}

#[test]
fn pages_are_twenty_long_unless_asked_otherwise() {
    let mut caller = Caller::new(World::new(Fleet::generated(3, 250), 1, BEGAN.parse().unwrap()));
    let ids: Vec<String> = (0..100).map(|number| format!("ins-{number:08}")).collect();
    for (params, expected) in [
        (json!({}), (250, 20)),
        (json!({"Limit": 100}), (250, 100)),
        (json!({"Limit": 100, "Offset": 200}), (250, 50)),
        (json!({"Offset": 250}), (250, 0)),
        (json!({"InstanceIds": ids}), (100, 20)),
        (json!({"InstanceIds": ids, "Limit": 100}), (100, 100)),
    ] {
        let found = caller.cvm("DescribeInstances", &params).unwrap();
        let length = found["InstanceSet"].as_array().unwrap().len();
        assert_eq!((found["TotalCount"].as_u64().unwrap(), length), expected, "{params}");
    }
    let status = caller.cvm("DescribeInstancesStatus", &json!({"InstanceIds": [ids[0]]})).unwrap();
    assert_eq!(status["InstanceStatusSet"][0]["InstanceId"], "ins-00000000");
}

#[test]
fn pages_of_a_list_follow_what_happens_between_them() {
    let mut caller = Caller::demo();
    let web = json!({"Filters": [{"Name": "tag:role", "Values": ["web"]}], "Limit": 1, "Offset": 1});
    let other = json!({"Filters": [{"Name": "tag:role", "Values": ["db"]}], "Limit": 1});
    let mut page = |wanted: &Value, total: u64, name: &str, state: &str| {
        let found = caller.cvm("DescribeInstances", wanted).unwrap();
        let shown = &found["InstanceSet"][0];
        assert_eq!(found["TotalCount"], total);
        assert_eq!(
            (shown["InstanceName"].as_str(), shown["InstanceState"].as_str()),
            (Some(name), Some(state))
        );
    };
    page(&web, 3, "web-2", "RUNNING");
    page(&other, 1, "db-1", "RUNNING");
    page(&web, 3, "web-2", "RUNNING");
    caller.cvm("StopInstances", &json!({"InstanceIds": ["ins-0web0002"]})).unwrap();
    caller.settle("ins-0web0002");
    let found = caller.cvm("DescribeInstances", &web).unwrap();
    assert_eq!(found["InstanceSet"][0]["InstanceState"], "STOPPED");

    let mut gone = Caller::with(|fleet| {
        fleet.events = vec![EventSpec {
            after: Duration::from_secs(5),
            instance: "ins-0web0001".into(),
            act: ForeignAct::Vanish,
        }];
    });
    assert_eq!(gone.cvm("DescribeInstances", &web).unwrap()["TotalCount"], 3);
    gone.wait(Duration::from_secs(10));
    let found = gone.cvm("DescribeInstances", &web).unwrap();
    assert_eq!((&found["TotalCount"], names(&found["InstanceSet"])), (&json!(2), vec!["web-3"]));
}

#[test]
fn an_unknown_id_is_absent_and_no_error() {
    let found = Caller::demo().cvm("DescribeInstances", &json!({"InstanceIds": ["ins-00000000"]})).unwrap();
    assert_eq!((&found["TotalCount"], &found["InstanceSet"]), (&json!(0), &json!([])));
}

#[test]
fn other_regions_show_nothing_of_this_one() {
    let mut caller = Caller::with(|fleet| fleet.zones.push("ap-shanghai-2".to_owned()));
    caller.region = "ap-shanghai";
    let ids = json!({"InstanceIds": ["ins-0web0001"]});
    assert_eq!(caller.cvm("DescribeInstances", &ids).unwrap()["TotalCount"], 0);
    assert_eq!(caller.cvm("StopInstances", &ids), Err("InvalidInstanceId.NotFound".to_owned()));
    assert_eq!(caller.cvm("DescribeZones", &json!({})).unwrap()["TotalCount"], 1);
    assert_eq!(caller.cvm("DescribeRegions", &json!({})).unwrap()["TotalCount"], 2);

    let since = json!({"Limit": 100, "Offset": 0, "StartDate": "2020-01-01 00:00:00"});
    let group = json!({"InstanceIds": ["ins-0group01"]});
    let backends = json!({"Backends": [{"VpcId": "vpc-0sim0001", "PrivateIp": "127.0.1.105"}]});
    let balancer = json!({"LoadBalancerIds": ["lb-0sim0001"]});
    let mut counts = |region: &'static str| {
        caller.region = region;
        let mut count = |service, action: &str, params: &Value, set: &str| {
            let answer = caller.answer(service, action, params).outcome;
            answer.map(|found| found[set].as_array().unwrap().len()).map_err(|refusal| refusal.code)
        };
        [
            count(Service::Cvm, "DescribeInstances", &json!({}), "InstanceSet"),
            count(Service::Cvm, "DescribeTaskInfo", &since, "RepairTaskInfoSet"),
            count(Service::Cvm, "DescribeInstancesActionTimer", &json!({}), "ActionTimers"),
            count(Service::As, "DescribeAutoScalingInstances", &group, "AutoScalingInstanceSet"),
            count(Service::Clb, "DescribeLBListeners", &backends, "LoadBalancers"),
            count(Service::Clb, "DescribeTargetHealth", &balancer, "LoadBalancers"),
        ]
    };
    let unknown = || Err("InvalidParameter.LBIdNotFound".to_owned());
    assert_eq!(counts("ap-shanghai"), [Ok(0), Ok(0), Ok(0), Ok(0), Ok(0), unknown()]);
    assert!(counts(DEMO_REGION).iter().all(|count| count.as_ref().is_ok_and(|count| *count > 0)));
}

#[test]
fn types_stock_and_prices() {
    let mut caller = Caller::demo();
    let options =
        caller.cvm("DescribeInstancesModification", &json!({"InstanceIds": ["ins-0web0001"]})).unwrap();
    let option = |name: &str| {
        let set = options["InstanceTypeConfigStatusSet"].as_array().unwrap();
        set.iter().find(|option| option["InstanceTypeConfig"]["InstanceType"] == name).unwrap()["Status"]
            .clone()
    };
    assert_eq!(option("S5.LARGE8"), "SELL");
    assert_eq!(option("S6.LARGE16"), "UNAVAILABLE");
    assert_eq!(option("S5.MEDIUM4"), "UNAVAILABLE");

    let filters = json!({"Filters": [
        {"Name": "zone", "Values": ["ap-guangzhou-3"]},
        {"Name": "instance-type", "Values": ["S6.LARGE16", "SA2.LARGE8"]},
        {"Name": "instance-charge-type", "Values": ["POSTPAID_BY_HOUR"]},
    ]});
    let offers = caller.cvm("DescribeZoneInstanceConfigInfos", &filters).unwrap();
    let words: Vec<_> = offers["InstanceTypeQuotaSet"]
        .as_array()
        .unwrap()
        .iter()
        .map(|offer| {
            format!("{} {}", offer["Status"].as_str().unwrap(), offer["StatusCategory"].as_str().unwrap())
        })
        .collect();
    assert_eq!(words, ["SELL UnderStock", "SOLD_OUT WithoutStock"]);
    let configs = json!({"Filters": [{"Name": "instance-family", "Values": ["S5"]}]});
    let configs = caller.cvm("DescribeInstanceTypeConfigs", &configs).unwrap();
    assert_eq!(configs["InstanceTypeConfigSet"].as_array().unwrap().len(), 12, "six types in two zones");

    let mut price = |id: &str, to: &str| {
        let params = json!({"InstanceIds": [id], "InstanceType": to});
        caller.cvm("InquiryPriceResetInstancesType", &params).unwrap()["Price"]["InstancePrice"].clone()
    };
    assert_eq!(price("ins-0web0001", "S5.LARGE8")["UnitPriceDiscount"], 0.5);
    assert!(price("ins-0small01", "S5.2XLARGE16")["DiscountPrice"].as_f64().unwrap() > 1000.0);
}

#[test]
fn downgrade_quotas() {
    let params = json!({"InstanceIds": ["ins-0small01", "ins-0web0001"], "Operation": "INSTANCE_DEGRADE"});
    let quotas = Caller::demo().cvm("DescribeInstancesOperationLimit", &params).unwrap();
    let counts: Vec<_> = quotas["InstanceOperationLimitSet"]
        .as_array()
        .unwrap()
        .iter()
        .map(|quota| (quota["CurrentCount"].as_i64().unwrap(), quota["LimitCount"].as_i64().unwrap()))
        .collect();
    assert_eq!(counts, [(5, 5), (-1, -1)]);
}

#[test]
fn groups_balancers_repairs_and_timers() {
    let mut caller = Caller::demo();
    let ids = json!({"InstanceIds": ["ins-0group01", "ins-0web0001"]});
    let members = caller.answer(Service::As, "DescribeAutoScalingInstances", &ids).outcome.unwrap();
    assert_eq!(members["TotalCount"], 1);
    assert_eq!(members["AutoScalingInstanceSet"][0]["AutoScalingGroupId"], "asg-0sim0001");

    let backends = json!({"Backends": [
        {"VpcId": "vpc-0sim0001", "PrivateIp": "127.0.1.105"},
        {"VpcId": "vpc-0sim0001", "PrivateIp": "127.0.1.11"},
    ]});
    let found = caller.answer(Service::Clb, "DescribeLBListeners", &backends).outcome.unwrap();
    assert_eq!(found["LoadBalancers"].as_array().unwrap().len(), 1);
    let target = &found["LoadBalancers"][0]["Listeners"][0]["Targets"][0];
    assert_eq!((&target["PrivateIp"], &target["Port"]), (&json!("127.0.1.105"), &json!(10_080)));

    let balancers = json!({"LoadBalancerIds": ["lb-0sim0001", "lb-0sim0002"]});
    let health = |caller: &mut Caller| {
        let answer = caller.answer(Service::Clb, "DescribeTargetHealth", &balancers).outcome.unwrap();
        let detail = |number: usize| {
            let rule = &answer["LoadBalancers"][number]["Listeners"][0]["Rules"][0];
            rule["Targets"][0]["HealthStatusDetail"].as_str().unwrap().to_owned()
        };
        (detail(0), detail(1))
    };
    caller.wait(Duration::from_secs(5));
    assert_eq!(health(&mut caller), ("Alive".to_owned(), "Close".to_owned()));
    caller.cvm("StopInstances", &json!({"InstanceIds": ["ins-0lbchk01"]})).unwrap();
    assert_eq!(health(&mut caller), ("Dead".to_owned(), "Close".to_owned()));

    let tasks = json!({"Limit": 100, "Offset": 0, "TaskStatus": [1, 2, 4]});
    assert_eq!(caller.cvm("DescribeTaskInfo", &tasks).unwrap()["TotalCount"], 0, "only today's");
    let mut since = tasks;
    since["StartDate"] = json!("2020-01-01 00:00:00");
    let found = caller.cvm("DescribeTaskInfo", &since).unwrap();
    assert_eq!(found["RepairTaskInfoSet"][0]["InstanceId"], "ins-0repair1");

    let timers = caller.cvm("DescribeInstancesActionTimer", &json!({})).unwrap();
    assert_eq!(timers["ActionTimers"][0]["InstanceId"], "ins-0timer01");
}

#[test]
fn the_demo_fleet_holds_what_the_documentation_promises() {
    let fleet = Fleet::demo();
    assert_eq!(fleet.credentials[0].secret_id, DEMO_SECRET_ID);
    assert!(fleet.regions().all(|region| region == DEMO_REGION));
    for spec in &fleet.instances {
        let address: std::net::IpAddr = spec.private_ip.parse().unwrap();
        assert!(address.is_loopback(), "{} is at {address}", spec.id);
    }
    assert_eq!(Fleet::generated(1, 10_000).instances.len(), 10_000);
    assert_eq!(
        format!("{:?}", Fleet::generated(1, 50).instances),
        format!("{:?}", Fleet::generated(1, 50).instances)
    );
}

#[test]
fn a_bad_fleet_is_refused_with_what_is_wrong() {
    let demo = include_str!("../demo.yaml");
    let parse = |text: &str| {
        let error = Fleet::parse(text, "the test").expect_err("it is refused");
        let source = std::error::Error::source(&error).map(ToString::to_string);
        format!("{error} {}", source.unwrap_or_default())
    };
    assert!(parse(&demo.replace("ins-0web0002", "ins-0web0001")).contains("twice"));
    assert!(parse(&demo.replace("id: ins-0web0002", "id: web-2")).contains("not an instance id"));
    assert!(parse(&demo.replace("zone: ap-guangzhou-4", "zone: mars-1")).contains("mars-1"));
    assert!(parse(&demo.replace("balance:", "balnace:")).contains("balnace"));
    assert!(
        parse(&demo.replace("stop: { base: 8s", "stop: { base: 8 parsecs")).contains("timings.stop.base")
    );
}

#[tokio::test(start_paused = true)]
async fn in_process_under_paused_time() {
    use crate::clock::Clock;
    use crate::tencent::wire::{Transport, TransportError};

    let began: Timestamp = BEGAN.parse().unwrap();
    let clock = Clock::simulated(began);
    let fleet = Fleet { faults: vec![Fault::always(What::LoseReply).nth(3)], ..Fleet::demo() };
    let lines = tempfile::NamedTempFile::new().unwrap();
    let transport = InProcess::new(World::new(fleet, 1, began), clock.clone())
        .recorded(Recorder::append(lines.path()).unwrap());
    let key = DEMO_SECRET_KEY.into();
    let ids = json!({"InstanceIds": ["ins-0web0001"], "Password": "Correct-Horse-1"});
    let request = |action| signed(Service::Cvm, action, &ids, clock.now(), DEMO_SECRET_ID, &key);

    clock.sleep(Duration::from_secs(4)).await;
    assert!(transport.accepts("127.0.1.11", 10_022));
    let sent = clock.now();
    let response = transport.send(request("ResetInstancesPassword")).await.unwrap();
    let latency = crate::clock::between(sent, clock.now());
    assert!((15..=46).contains(&latency.as_millis()), "{latency:?}");
    let refusal = open(&response).unwrap().outcome.unwrap_err();
    assert_eq!(refusal.code, "UnsupportedOperation.InstanceStateRunning");
    transport.send(request("DescribeZones")).await.unwrap();
    let lost = transport.send(request("DescribeZones")).await;
    assert!(matches!(lost, Err(TransportError::MaybeSent(_))));
    let lines = std::fs::read_to_string(lines.path()).unwrap();
    assert_eq!(lines.lines().count(), 3);
    assert!(!lines.contains("Correct-Horse-1"), "{lines}");
    transport.with_world(|world| assert!(world.log().len() >= 3));
}
