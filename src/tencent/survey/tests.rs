//! The reads of a plan, as they are sent and as they are read.

use serde_json::json;

use super::*;
use crate::cloud::{Cloud, PowerState, Sent, Stock};
use crate::tencent::scripted::{Reply, answer, client, refusal};

fn ids(count: usize) -> Vec<InstanceId> {
    (0..count).map(|n| InstanceId::new(format!("ins-{n:03}"))).collect()
}

/// A page of instances with these numbers.
fn page(total: usize, numbers: impl IntoIterator<Item = usize>) -> Reply {
    let told = |n| json!({ "InstanceId": format!("ins-{n:03}"), "InstanceName": format!("web-{n}") });
    let set: Vec<Value> = numbers.into_iter().map(told).collect();
    answer(json!({ "TotalCount": total, "InstanceSet": set }))
}

#[tokio::test(start_paused = true)]
async fn a_fleet_of_several_pages() {
    let (client, transport) = client([page(230, 0..100), page(230, 100..200), page(230, 200..230)]);
    let found = client.find(&Filter::default()).await.unwrap();
    assert_eq!(found.len(), 230);
    let body = |offset: usize| json!({ "Limit": 100, "Offset": offset });
    assert_eq!(transport.bodies(), [body(0), body(100), body(200)]);
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_appears_between_two_pages_hides_and_doubles_none() {
    // A new instance at the top pushes number 99 onto the second page.
    let first = [page(120, 0..100), page(121, 99..120)];
    let second = [page(121, 0..100), page(121, 100..121)];
    let (client, transport) = client(first.into_iter().chain(second));
    let found = client.find(&Filter::default()).await.unwrap();
    assert_eq!(found.len(), 121);
    assert!(transport.is_done());
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_vanishes_between_two_pages_hides_none() {
    // Number 0 is gone, so number 100 moves onto the first page, which was read already.
    let first = [page(120, 0..100), page(119, 101..120)];
    let second = [page(119, 1..101), page(119, 101..120)];
    let (client, _) = client(first.into_iter().chain(second));
    let found = client.find(&Filter::default()).await.unwrap();
    assert_eq!(found.len(), 119);
    assert!(found.iter().any(|one| one.id.as_str() == "ins-100"));
}

#[tokio::test(start_paused = true)]
async fn a_list_that_never_settles_is_read_three_times_and_not_for_ever() {
    let replies = (0..3).flat_map(|n| [page(102 + n, 0..100), page(101, 100..101)]);
    let (client, transport) = client(replies);
    assert_eq!(client.find(&Filter::default()).await.unwrap().len(), 101);
    assert!(transport.is_done());
}

#[tokio::test(start_paused = true)]
async fn a_search_that_is_not_told_its_list_has_found_nothing_out() {
    let (client, _) = client([answer(json!({ "TotalCount": 1, "InstanceSet": null }))]);
    let error = client.find(&Filter::default()).await.unwrap_err();
    assert_eq!((error.kind, error.sent), (ErrorKind::Network, Sent::No));
}

#[tokio::test(start_paused = true)]
async fn the_vendors_vague_filters_are_made_exact() {
    let told = |id: &str, name: &str, role: &str| {
        json!({ "InstanceId": id, "InstanceName": name, "InstanceState": "RUNNING",
                "Tags": [{ "Key": "role", "Value": role }] })
    };
    let set =
        json!([told("ins-1", "web-1", "web"), told("ins-2", "web-10", "web"), told("ins-3", "web-1", "db")]);
    let (client, transport) = client([answer(json!({ "TotalCount": 3, "InstanceSet": set }))]);
    let filter = Filter {
        name: Some("web-1".into()),
        tags: [("role".into(), "web".into())].into(),
        states: vec![PowerState::Running],
        zones: vec![],
    };
    let found = client.find(&filter).await.unwrap();
    assert_eq!(found.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["ins-1"]);
    let names: Vec<_> = transport.bodies()[0]["Filters"].as_array().unwrap().clone();
    assert_eq!(names.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_tag_that_nobody_uses_finds_nothing() {
    let (client, _) = client([refusal("InvalidParameterValue.TagKeyNotFound")]);
    assert_eq!(client.find(&Filter::default()).await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn resize_options_are_told_once_per_type() {
    let option = |name: &str, status: &str| json!({ "Status": status, "Message": "gone", "InstanceTypeConfig": { "InstanceType": name, "CPU": 4, "Memory": 8 } });
    let set = json!([
        option("S5.LARGE8", "UNAVAILABLE"),
        option("S5.LARGE8", "SELL"),
        option("S6.LARGE8", "UNAVAILABLE")
    ]);
    let (client, transport) = client([answer(json!({ "InstanceTypeConfigStatusSet": set }))]);
    let options = client.resize_options(&"ins-1".into()).await.unwrap();
    let told: Vec<_> = options
        .iter()
        .map(|option| (option.instance_type.as_str(), option.available, option.reason.as_deref()))
        .collect();
    assert_eq!(told, [("S5.LARGE8", true, None), ("S6.LARGE8", false, Some("gone"))]);
    assert_eq!(transport.bodies(), [json!({ "InstanceIds": ["ins-1"] })]);
}

#[tokio::test(start_paused = true)]
async fn an_action_that_the_site_lacks_is_told_by_its_code() {
    let (client, _) = client([refusal("InvalidAction")]);
    let error = client.resize_options(&"ins-1".into()).await.unwrap_err();
    assert_eq!((error.code.as_deref(), error.sent), (Some("InvalidAction"), Sent::No));
}

#[tokio::test(start_paused = true)]
async fn offers_are_merged_over_ways_of_payment() {
    let offer = |charge: &str, status: &str, stock: &str| {
        json!({ "Zone": "ap-guangzhou-3", "InstanceType": "S5.LARGE8", "InstanceChargeType": charge, "Cpu": 4,
                "Memory": 8, "Status": status, "StatusCategory": stock, "SoldOutReason": "sold out" })
    };
    let set = json!([
        offer("PREPAID", "SOLD_OUT", "WithoutStock"),
        offer("POSTPAID_BY_HOUR", "SELL", "UnderStock"),
        offer("SPOTPAID", "SELL", "EnoughStock"),
    ]);
    let (client, transport) = client([answer(json!({ "InstanceTypeQuotaSet": set }))]);
    let offers = client.type_offers(&["ap-guangzhou-3".into()], &["S5.LARGE8".into()]).await.unwrap();
    let [offer] = offers.as_slice() else { panic!("{offers:?}") };
    assert_eq!((offer.on_sale, offer.stock, offer.reason.as_deref()), (true, Stock::Low, None));
    let filters = json!([
        { "Name": "zone", "Values": ["ap-guangzhou-3"] }, { "Name": "instance-type", "Values": ["S5.LARGE8"] },
    ]);
    assert_eq!(transport.bodies(), [json!({ "Filters": filters })]);
}

#[tokio::test(start_paused = true)]
async fn many_types_are_asked_for_in_chunks_and_no_type_asks_for_all() {
    let none = || answer(json!({ "InstanceTypeQuotaSet": [] }));
    let (client, transport) = client([none(), none(), none()]);
    let types: Vec<InstanceType> = (0..150).map(|n| InstanceType::new(format!("T{n}.X"))).collect();
    client.type_offers(&["z-1".into()], &types).await.unwrap();
    client.type_offers(&["z-1".into()], &[]).await.unwrap();
    let bodies = transport.bodies();
    let values = |index: usize| bodies[index]["Filters"][1]["Values"].as_array().map(Vec::len);
    assert_eq!([values(0), values(1), values(2)], [Some(100), Some(50), None]);
}

#[tokio::test(start_paused = true)]
async fn prices_of_both_ways_of_payment() {
    let table = [
        (json!({ "OriginalPrice": 100.45, "DiscountPrice": 56.31 }), Price::Once(56.31)),
        (json!({ "DiscountPrice": -12.5, "UnitPrice": 0, "UnitPriceDiscount": null }), Price::Once(-12.5)),
        (json!({ "UnitPrice": 0.8, "UnitPriceDiscount": 0.4, "ChargeUnit": "HOUR" }), Price::PerHour(0.4)),
        (json!({ "UnitPrice": 0.8, "DiscountPrice": 0 }), Price::PerHour(0.8)),
    ];
    for (told, expected) in table {
        let (client, _) = client([answer(json!({ "Price": { "InstancePrice": told } }))]);
        let price = client.resize_price(&"ins-1".into(), &"S5.LARGE8".into()).await.unwrap();
        assert_eq!(price, expected);
    }
    let (client, _) = client([answer(json!({ "Price": null }))]);
    assert!(client.resize_price(&"ins-1".into(), &"S5.LARGE8".into()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn quotas_in_chunks_of_a_hundred() {
    let told = json!([
        { "InstanceId": "ins-000", "CurrentCount": 2, "LimitCount": 5 },
        { "InstanceId": "ins-001", "CurrentCount": -1, "LimitCount": -1 },
    ]);
    let replies = [
        answer(json!({ "InstanceOperationLimitSet": told })),
        answer(json!({ "InstanceOperationLimitSet": null })),
    ];
    let (client, transport) = client(replies);
    let quotas = client.downgrade_quota(&ids(150)).await.unwrap();
    assert_eq!(quotas[&"ins-000".into()], Quota { used: 2, limit: Some(5) });
    assert_eq!(quotas[&"ins-001".into()], Quota { used: 0, limit: None });
    let bodies = transport.bodies();
    assert_eq!(bodies[0]["Operation"], "INSTANCE_DEGRADE");
    assert_eq!(bodies[1]["InstanceIds"].as_array().unwrap().len(), 50);
}

#[tokio::test(start_paused = true)]
async fn members_of_scaling_groups() {
    let told = json!([{ "InstanceId": "ins-001", "AutoScalingGroupId": "asg-1", "AutoScalingGroupName": "web",
                        "LifeCycleState": "IN_SERVICE" }]);
    let (client, transport) = client([answer(json!({ "TotalCount": 1, "AutoScalingInstanceSet": told }))]);
    let groups = client.scaling_groups(&ids(3)).await.unwrap();
    assert_eq!(groups.len(), 1);
    assert_eq!(groups[&"ins-001".into()].name, "web");
    let request = &transport.requests()[0];
    assert_eq!(request.origin, "https://as.tencentcloudapi.com");
    assert_eq!(request.header("x-tc-version"), Some("2018-04-19"));
    assert_eq!(transport.bodies()[0]["Limit"], 100);
}

/// Two instances with the same address in different networks, and a neighbour that is not ours.
fn fleet() -> Vec<Reply> {
    let told = |id: &str, vpc: &str| json!({ "InstanceId": id, "VirtualPrivateCloud": { "VpcId": vpc }, "PrivateIpAddresses": ["10.0.0.2"] });
    let target = |address: &str| json!({ "PrivateIp": address, "Port": 80, "Weight": 10 });
    let balancers = json!({ "LoadBalancers": [{ "LoadBalancerId": "lb-1", "Listeners": [
        { "ListenerId": "lbl-1", "Rules": null, "Targets": [target("10.0.0.2"), target("10.0.0.9")] },
        { "ListenerId": "lbl-2", "Rules": [{ "Targets": [target("10.0.0.2")] }], "Targets": null },
        { "ListenerId": "lbl-3", "Targets": [target("10.0.0.2")] },
    ] }] });
    let health = |detail: &str| json!([{ "Targets": [{ "IP": "10.0.0.2", "Port": 80, "HealthStatusDetail": detail }] }]);
    let healths = json!({ "LoadBalancers": [{ "LoadBalancerId": "lb-1", "Listeners": [
        { "ListenerId": "lbl-1", "Rules": health("Alive") }, { "ListenerId": "lbl-2", "Rules": health("Close") },
    ] }] });
    vec![
        answer(json!({ "InstanceSet": [told("ins-1", "vpc-1"), told("ins-2", "vpc-2")] })),
        answer(balancers),
        answer(json!({ "LoadBalancers": [] })),
        answer(healths),
    ]
}

#[tokio::test(start_paused = true)]
async fn load_balancers_with_and_without_a_health_check() {
    let (client, transport) = client(fleet());
    let instances = client.look(&ids(2)).await.unwrap();
    let uses = client.load_balancers(&instances.iter().collect::<Vec<_>>()).await.unwrap();
    assert_eq!(uses.keys().map(InstanceId::as_str).collect::<Vec<_>>(), ["ins-1"]);
    let told: Vec<_> = uses[&"ins-1".into()]
        .iter()
        .map(|used| (used.listener.as_str(), used.port, used.health_check))
        .collect();
    assert_eq!(told, [("lbl-1", 80, Some(true)), ("lbl-2", 80, Some(false)), ("lbl-3", 80, None)]);
    let backends = |vpc: &str| json!({ "Backends": [{ "VpcId": vpc, "PrivateIp": "10.0.0.2" }] });
    let bodies = transport.bodies();
    assert_eq!(bodies[1..3], [backends("vpc-1"), backends("vpc-2")]);
    assert_eq!(bodies[3], json!({ "LoadBalancerIds": ["lb-1"] }));
}

#[tokio::test(start_paused = true)]
async fn without_permission_for_health_checks_the_membership_is_still_told() {
    let mut replies = fleet();
    replies[3] = refusal("UnauthorizedOperation");
    let (client, _) = client(replies);
    let instances = client.look(&ids(2)).await.unwrap();
    let uses = client.load_balancers(&instances.iter().collect::<Vec<_>>()).await.unwrap();
    assert!(uses[&"ins-1".into()].iter().all(|used| used.health_check.is_none()));
}

#[tokio::test(start_paused = true)]
async fn repairs_that_wait_even_if_they_were_announced_long_ago() {
    let task = |id: &str, instance: &str, status: u64| json!({ "TaskId": id, "InstanceId": instance, "TaskStatus": status, "TaskDetail": "disk", "TaskTypeName": "x" });
    let set =
        json!([task("rep-1", "ins-000", 1), task("rep-2", "ins-001", 3), task("rep-3", "ins-other", 2)]);
    let (client, transport) = client([answer(json!({ "TotalCount": 3, "RepairTaskInfoSet": set }))]);
    let tasks = client.repair_tasks(&ids(2)).await.unwrap();
    assert_eq!(tasks.keys().map(InstanceId::as_str).collect::<Vec<_>>(), ["ins-000"]);
    let body = &transport.bodies()[0];
    // The clock of these tests shows 2027-01-15 16:00 in China.
    assert_eq!(body["StartDate"], "2026-01-15 16:00:00");
    assert_eq!((&body["TaskStatus"], &body["Product"]), (&json!([1, 2, 4]), &json!("CVM")));
}

#[tokio::test(start_paused = true)]
async fn release_timers_that_have_not_gone_off() {
    let timer = |id: &str, status: &str| json!({ "InstanceId": id, "Status": status, "TimerAction": "TerminateInstances" });
    let set = json!([timer("ins-000", "UNDO"), timer("ins-001", "DONE"), timer("ins-other", "UNDO")]);
    let (client, _) = client([answer(json!({ "ActionTimers": set }))]);
    assert_eq!(client.release_timers(&ids(3)).await.unwrap(), ["ins-000".into()]);
}

#[tokio::test(start_paused = true)]
async fn keys_and_the_caller() {
    let key = json!({ "KeyId": "skey-1", "KeyName": "ops", "PublicKey": "ssh-rsa AAAA ops\n" });
    let replies = [
        answer(json!({ "TotalCount": 1, "KeyPairSet": [key] })),
        answer(json!({ "AccountId": "100000000001", "Arn": "qcs::cam::uin/100000000001:uin/1" })),
        answer(json!({ "AccountId": "" })),
    ];
    let (client, transport) = client(replies);
    let keys = client.key_pairs().await.unwrap();
    assert_eq!((keys[0].name.as_str(), keys[0].public_key.as_str()), ("ops", "ssh-rsa AAAA ops"));
    assert_eq!(client.caller().await.unwrap().account, "100000000001");
    assert!(client.caller().await.is_err(), "an account without a number is none");
    assert_eq!(transport.requests()[1].origin, "https://sts.tencentcloudapi.com");
    assert_eq!(client.own_instance().await, None, "without metadata nobody is asked");
}

#[tokio::test(start_paused = true)]
async fn nothing_to_ask_about_is_not_asked() {
    let (client, transport) = client([]);
    assert!(client.downgrade_quota(&[]).await.unwrap().is_empty());
    assert!(client.scaling_groups(&[]).await.unwrap().is_empty());
    assert!(client.repair_tasks(&[]).await.unwrap().is_empty());
    assert!(client.release_timers(&[]).await.unwrap().is_empty());
    assert!(client.load_balancers(&[]).await.unwrap().is_empty());
    assert!(transport.actions().is_empty());
}
