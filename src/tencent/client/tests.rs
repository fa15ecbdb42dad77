//! The changes as they are sent, and the looks as they are read.

use serde_json::json;

use super::*;
use crate::cloud::{ChargeType, Isolation, KeyId, OperationState, PowerState, Restriction, StoppedCharging};
use crate::tencent::scripted::{answer, client, refusal};

fn ids(ids: &[&str]) -> Vec<InstanceId> {
    ids.iter().map(|id| InstanceId::new(*id)).collect()
}

#[tokio::test(start_paused = true)]
async fn changes_as_they_are_sent() {
    let one = || ids(&["ins-1"]);
    let table = [
        (
            Change::Stop { ids: ids(&["ins-1", "ins-2"]), mode: StopMode::Soft, charging: Charging::Keep },
            json!({ "InstanceIds": ["ins-1", "ins-2"], "StopType": "SOFT", "StoppedMode": "KEEP_CHARGING" }),
        ),
        (
            Change::Stop { ids: one(), mode: StopMode::SoftFirst, charging: Charging::Stop },
            json!({ "InstanceIds": ["ins-1"], "StopType": "SOFT_FIRST", "StoppedMode": "STOP_CHARGING" }),
        ),
        (
            Change::Stop { ids: one(), mode: StopMode::Hard, charging: Charging::Keep },
            json!({ "InstanceIds": ["ins-1"], "StopType": "HARD", "StoppedMode": "KEEP_CHARGING" }),
        ),
        (Change::Start { ids: one() }, json!({ "InstanceIds": ["ins-1"] })),
        (
            Change::Resize { id: "ins-1".into(), to: "S5.LARGE8".into() },
            json!({ "InstanceIds": ["ins-1"], "InstanceType": "S5.LARGE8" }),
        ),
        (
            Change::ResetPassword { ids: one(), user: "root".into(), password: "Canary-12".into() },
            json!({ "InstanceIds": ["ins-1"], "Password": "Canary-12", "UserName": "root" }),
        ),
        (
            Change::LoadSshKeys { ids: one(), keys: vec![KeyId::new("skey-1"), KeyId::new("skey-2")] },
            json!({ "InstanceIds": ["ins-1"], "KeyIds": ["skey-1", "skey-2"] }),
        ),
        (
            Change::ImportKey { name: "ops".into(), public_key: "ssh-rsa AAAA".into() },
            json!({ "KeyName": "ops", "ProjectId": 0, "PublicKey": "ssh-rsa AAAA" }),
        ),
    ];
    for (change, expected) in table {
        let (client, transport) = client([answer(json!({}))]);
        assert_eq!(client.apply(&change, &|| Ok(())).await.unwrap().as_str(), "req-1");
        assert_eq!(transport.bodies(), [expected]);
        assert_eq!(transport.actions(), [change.api_name()]);
    }
}

#[tokio::test(start_paused = true)]
async fn calls_that_the_vendor_would_misread_are_not_sent() {
    let (client, transport) = client([]);
    assert_eq!(client.look(&[]).await.unwrap(), []);
    let many: Vec<InstanceId> = (0..101).map(|n| InstanceId::new(format!("ins-{n}"))).collect();
    let errors = [
        client.look(&many).await.unwrap_err(),
        client.apply(&Change::Start { ids: many }, &|| Ok(())).await.unwrap_err(),
        client.apply(&Change::Start { ids: vec![] }, &|| Ok(())).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!((error.kind, error.sent), (ErrorKind::Argument, Sent::No));
    }
    assert!(transport.actions().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_message_that_repeats_the_password_does_not_carry_it_on() {
    let message = "the password Canary-12 is too short";
    let refused = json!({ "Error": { "Code": "InvalidParameterValue.InvalidPassword", "Message": message } });
    let (client, _) = client([answer(refused)]);
    let change =
        Change::ResetPassword { ids: ids(&["ins-1"]), user: "root".into(), password: "Canary-12".into() };
    let error = client.apply(&change, &|| Ok(())).await.unwrap_err();
    assert_eq!(error.message, "the password [hidden] is too short");
    assert_eq!(error.kind, ErrorKind::Argument);
}

#[tokio::test(start_paused = true)]
async fn an_instance_with_all_its_fields() {
    let told = json!({
        "InstanceId": "ins-1", "InstanceName": "web-1", "Placement": { "Zone": "ap-guangzhou-3", "HostId": "" },
        "InstanceState": "STOPPED", "InstanceType": "S5.LARGE8", "CPU": 4, "Memory": 8, "RestrictState": "NORMAL",
        "IsolatedSource": "NOTISOLATED", "StopChargingMode": "KEEP_CHARGING",
        "InstanceChargeType": "POSTPAID_BY_HOUR", "ExpiredTime": null,
        "SystemDisk": { "DiskId": "disk-1", "DiskType": "CLOUD_BSSD", "DiskSize": 50 },
        "DataDisks": [{ "DiskId": "", "DiskType": "LOCAL_SSD", "DiskSize": 100 }],
        "PrivateIpAddresses": ["10.0.0.4"], "PublicIpAddresses": null, "IPv6Addresses": ["2001:db8::1"],
        "VirtualPrivateCloud": { "VpcId": "vpc-1", "SubnetId": "subnet-1" }, "SecurityGroupIds": ["sg-1"],
        "LoginSettings": { "KeyIds": ["skey-1"] }, "OsName": "Ubuntu Server 22.04", "DefaultLoginUser": "ubuntu",
        "GPUInfo": { "GPUCount": 0.5, "GPUType": "T4" }, "Tags": [{ "Key": "role", "Value": "web" }],
        "LatestOperation": "StopInstances", "LatestOperationState": "SUCCESS",
        "LatestOperationRequestId": "req-9", "LatestOperationErrorMsg": null,
        "SomethingNew": { "x": 1 },
    });
    let (client, transport) = client([answer(json!({ "TotalCount": 1, "InstanceSet": [told] }))]);
    let found = client.look(&ids(&["ins-1", "ins-gone"])).await.unwrap();
    assert_eq!(transport.bodies(), [json!({ "InstanceIds": ["ins-1", "ins-gone"], "Limit": 100 })]);
    let [instance] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(instance.power, PowerState::Stopped);
    assert_eq!((instance.cpu, instance.memory_gib), (4, 8));
    assert_eq!(instance.expires, None);
    assert!(instance.data_disks[0].is_local() && instance.data_disks[0].id.is_none());
    assert_eq!(instance.private_ips[0].to_string(), "10.0.0.4");
    assert_eq!(instance.private_ips[1].to_string(), "2001:db8::1");
    assert_eq!(instance.host, None);
    assert!(instance.gpu);
    assert_eq!(instance.tags["role"], "web");
    let operation = instance.latest_operation.as_ref().unwrap();
    assert_eq!(operation.state, OperationState::Success);
    assert_eq!(operation.request.as_ref().unwrap().as_str(), "req-9");
    assert_eq!(operation.message, "");
}

#[tokio::test(start_paused = true)]
async fn an_instance_of_which_nothing_is_told_is_not_safe_to_act_on() {
    let nulls = json!({
        "InstanceId": "ins-1", "InstanceState": null, "Placement": null, "DataDisks": null, "LoginSettings": null,
        "LatestOperation": "", "ExpiredTime": "", "VirtualPrivateCloud": { "VpcId": "" }, "GPUInfo": null,
    });
    let empty = json!({
        "InstanceId": "ins-1", "InstanceState": "", "RestrictState": "", "IsolatedSource": "",
        "StopChargingMode": "", "InstanceChargeType": "", "LatestOperationState": "",
    });
    for told in [nulls, empty, json!({ "InstanceId": "ins-1" })] {
        let (client, _) = client([answer(json!({ "InstanceSet": [told] }))]);
        let found = client.look(&ids(&["ins-1"])).await.unwrap();
        assert_eq!(found[0].power, PowerState::Other(String::new()));
        assert_eq!(
            (&found[0].restriction, &found[0].isolation, &found[0].stopped_charging, &found[0].charge_type),
            (
                &Restriction::Normal,
                &Isolation::NotIsolated,
                &StoppedCharging::NotApplicable,
                &ChargeType::Other(String::new())
            )
        );
        assert_eq!((&found[0].latest_operation, &found[0].vpc, found[0].gpu), (&None, &None, false));
    }
}

#[tokio::test(start_paused = true)]
async fn both_spellings_of_time_are_read() {
    for text in ["2020-09-22T00:00:00+00:00", "2020-09-22T00:00:00Z"] {
        let told = json!({ "InstanceId": "ins-1", "ExpiredTime": text });
        let (client, _) = client([answer(json!({ "InstanceSet": [told] }))]);
        let found = client.look(&ids(&["ins-1"])).await.unwrap();
        assert_eq!(found[0].expires.unwrap().as_second(), 1_600_732_800);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_another_shape_names_the_field_and_no_value() {
    let told = json!({ "InstanceId": "ins-1", "CPU": "canary" });
    let (client, _) = client([answer(json!({ "InstanceSet": [told] }))]);
    let error = client.look(&ids(&["ins-1"])).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the answer to DescribeInstances can't be read: `InstanceSet[0].CPU` is not i64"
    );
}

#[tokio::test(start_paused = true)]
async fn instances_that_are_announced_but_not_told_of_are_not_gone() {
    let told = json!({ "InstanceId": "ins-1" });
    for (fields, problem) in [
        (json!({ "TotalCount": 1, "InstanceSet": null }), "`InstanceSet` is missing"),
        (json!({ "TotalCount": 1 }), "`InstanceSet` is missing"),
        (json!({ "InstanceSet": null }), "`InstanceSet` is missing"),
        (json!({}), "`InstanceSet` is missing"),
        (json!({ "TotalCount": 1, "InstanceSet": [] }), "`TotalCount` is 1, but `InstanceSet` holds 0"),
        (json!({ "TotalCount": 2, "InstanceSet": [told] }), "`TotalCount` is 2, but `InstanceSet` holds 1"),
    ] {
        let (client, _) = client([answer(fields.clone())]);
        let error = client.look(&ids(&["ins-1", "ins-2"])).await.unwrap_err();
        assert_eq!((error.kind, error.sent), (ErrorKind::Network, Sent::No), "{fields}");
        assert!(error.message.ends_with(problem), "{fields}: {error}");
    }
    for fields in [json!({ "TotalCount": 0, "InstanceSet": null }), json!({ "InstanceSet": [] })] {
        let (client, _) = client([answer(fields)]);
        assert_eq!(client.look(&ids(&["ins-1"])).await.unwrap(), []);
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_id_of_a_malformed_form_is_an_identity_error() {
    let (client, _) = client([refusal("InvalidInstanceId.Malformed")]);
    assert_eq!(client.look(&ids(&["x"])).await.unwrap_err().kind, ErrorKind::Identity);
}

/// A machine's metadata service that answers everything with this.
struct Tells(&'static str);

#[async_trait]
impl Metadata for Tells {
    async fn get(
        &self,
        path: &str,
    ) -> Result<Option<secrecy::SecretString>, crate::tencent::wire::TransportError> {
        assert_eq!(path, "instance-id");
        match self.0 {
            "silence" => std::future::pending().await,
            "nothing" => Ok(None),
            text => Ok(Some(text.into())),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_machine_that_this_runs_on() {
    use crate::cloud::Survey as _;
    for (told, expected) in [
        ("ins-own00001\n", Some(InstanceId::new("ins-own00001"))),
        ("<html>please log in</html>", None),
        ("nothing", None),
        ("silence", None),
    ] {
        let client = client([]).0.with_metadata(Arc::new(Tells(told)));
        assert_eq!(client.own_instance().await, expected, "{told}");
    }
}

#[test]
fn a_region_that_is_none_is_refused() {
    let clock = crate::tencent::scripted::clock;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _inside = runtime.enter();
    let transport = crate::tencent::scripted::Scripted::new([], &clock());
    let credentials = Arc::new(crate::tencent::scripted::credential());
    let settings = Settings::of_region("evil.example.com/ap-guangzhou");
    assert!(Client::new(settings, transport, credentials, clock()).is_err());
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_sent_any_more_is_not_sent_again() {
    for permitted in [0, 1, 2] {
        let replies = (0..permitted).map(|_| refusal("RequestLimitExceeded"));
        let (client, transport) = client(replies);
        let permit = || match transport.requests().len() {
            sent if sent < permitted => Ok(()),
            _ => Err(CloudError::new(ErrorKind::Throttled, Sent::No, "too late")),
        };
        let change = Change::Resize { id: "ins-1".into(), to: "S5.LARGE8".into() };
        let error = client.apply(&change, &permit).await.unwrap_err();
        assert_eq!((error.sent, error.message.as_str()), (Sent::No, "too late"));
        assert_eq!(transport.requests().len(), permitted);
    }
}
