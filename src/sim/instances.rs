//! DescribeInstances and DescribeInstancesStatus: what the API shows of an instance.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::api::{Body, Context, fields, page, well_formed};
use super::call::{Call, Refused, Wanted};
use super::fleet::{InstanceSpec, region_of};
use super::machine::{Face, Machine};
use super::world::World;
use crate::cloud::{
    BATCH, ChargeType, InstanceType, KeyId, OperationState, PowerState, Restriction, StoppedCharging,
};

const FILTERS: [&str; 20] = [
    "zone",
    "project-id",
    "host-id",
    "dedicated-cluster-id",
    "vpc-id",
    "subnet-id",
    "instance-id",
    "uuid",
    "security-group-id",
    "instance-name",
    "instance-charge-type",
    "instance-state",
    "private-ip-address",
    "public-ip-address",
    "ipv6-address",
    "tag-key",
    "tag-value",
    "tag:",
    "creation-start-time",
    "creation-end-time",
];

/// Those of them that ask for what operations change.
const PASSING_FILTERS: [&str; 2] = ["instance-state", "public-ip-address"];

/// The network that all instances are in.
pub(crate) const VPC: &str = "vpc-0sim0001";
const SUBNET: &str = "subnet-0sim0001";
const SECURITY_GROUP: &str = "sg-0sim0001";
const IMAGE: &str = "img-0sim0001";

impl World {
    pub(crate) fn describe_instances(
        &mut self,
        call: &Call<'_>,
        context: &Context<'_>,
    ) -> Result<Body, Refused> {
        let named = !call.texts("InstanceIds").is_empty();
        if named && !call.objects("Filters").is_empty() {
            let message = "`InstanceIds` and `Filters` can't be given together.";
            return Err(Refused::new("InvalidParameter", message));
        }
        let filters = call.filters(&FILTERS, 5)?;
        let lasts = !self.vanished && filters.iter().all(|wanted| !PASSING_FILTERS.contains(&wanted.name));
        if lasts && !named {
            return self.listed(call, context, &filters);
        }
        let found = self
            .seen(call, context)?
            .into_iter()
            .filter(|(machine, face)| filters.iter().all(|wanted| fits(&machine.spec, face, wanted)));
        let (total, page) = page(call, found)?;
        Ok(set(total, page.into_iter()))
    }

    /// One page of a list that stays the same whatever happens: it is put together once, and not once a page.
    fn listed(
        &mut self,
        call: &Call<'_>,
        context: &Context<'_>,
        filters: &[Wanted<'_>],
    ) -> Result<Body, Refused> {
        let (offset, limit) = call.page()?;
        let asked = format!("{} {filters:?}", call.region);
        let known = self.listing.as_ref().filter(|listing| listing.asked == asked);
        let places = if let Some(listing) = known {
            Arc::clone(&listing.places)
        } else {
            let fits = |machine: &Machine| {
                region_of(&machine.spec.zone) == Some(call.region)
                    && filters.iter().all(|wanted| fits(&machine.spec, &machine.face, wanted))
            };
            let machines = self.machines.iter().enumerate();
            machines.filter(|(_, machine)| fits(machine)).map(|(place, _)| place).collect()
        };
        self.listing = Some(Listing { asked, places: Arc::clone(&places) });
        let page = places.iter().skip(offset).take(limit).map(|place| &self.machines[*place]);
        let seen = context.seen();
        let page = page.filter_map(|machine| machine.shown(seen).map(|face| (machine, face)));
        Ok(set(places.len(), page))
    }

    pub(crate) fn describe_instances_status(
        &self,
        call: &Call<'_>,
        context: &Context<'_>,
    ) -> Result<Map<String, Value>, Refused> {
        let (total, page) = page(call, self.seen(call, context)?.into_iter())?;
        let set: Vec<Value> = page
            .into_iter()
            .map(|(machine, face)| json!({"InstanceId": machine.spec.id, "InstanceState": face.power}))
            .collect();
        Ok(fields([("TotalCount", json!(total)), ("InstanceStatusSet", Value::Array(set))]))
    }

    /// The machines that a read names, or all, as they are shown; those that are not there are left out.
    fn seen(&self, call: &Call<'_>, context: &Context<'_>) -> Result<Vec<(&Machine, &Face)>, Refused> {
        let ids = well_formed(call, BATCH)?;
        let seen = context.seen();
        let shown = |index: usize| {
            let machine = &self.machines[index];
            let here = region_of(&machine.spec.zone) == Some(call.region);
            machine.shown(seen).filter(|_| here).map(|face| (machine, face))
        };
        Ok(if ids.is_empty() {
            (0..self.machines.len()).filter_map(shown).collect()
        } else {
            let mut places: Vec<usize> = ids.into_iter().filter_map(|id| self.place(id)).collect();
            places.sort_unstable();
            places.dedup();
            places.into_iter().filter_map(shown).collect()
        })
    }
}

/// A list of instances that was asked for, and their places.
#[derive(Clone)]
pub(crate) struct Listing {
    asked: String,
    places: Arc<[usize]>,
}

/// The answer of DescribeInstances.
fn set<'a>(total: usize, page: impl Iterator<Item = (&'a Machine, &'a Face)>) -> Body {
    let set: Vec<String> = page.map(|(machine, face)| instance(machine, face)).collect();
    Body::Text(format!(r#""TotalCount":{total},"InstanceSet":[{}]"#, set.join(",")))
}

/// An instance as JSON. It is by far the most frequent answer, so its lasting part is rendered once per instance.
fn instance(machine: &Machine, face: &Face) -> String {
    let passing = serde_json::to_string(&Passing::of(face)).unwrap_or_default();
    format!("{{{},{}", machine.lasting, passing.strip_prefix('{').unwrap_or(&passing))
}

/// The fields that no operation changes, as JSON without the braces.
pub(crate) fn lasting(spec: &InstanceSpec, began: Timestamp) -> String {
    let id = spec.id.as_str().trim_start_matches("ins-");
    let tags: Vec<Value> = spec.tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    let disks = spec.data_disks.iter().enumerate();
    let data_disks: Vec<Value> = disks
        .map(|(number, kind)| {
            json!({
                "DiskSize": 100, "DiskType": kind, "DiskId": format!("disk-{number}{}", &id[1..]),
                "DeleteWithInstance": true, "Encrypt": false,
            })
        })
        .collect();
    let mut placement = fields([("Zone", json!(spec.zone)), ("ProjectId", json!(0)), ("HostIds", json!([]))]);
    if let Some(host) = &spec.host {
        placement.insert("HostId".to_owned(), json!(host));
    }
    let prepaid = spec.charge_type == ChargeType::Prepaid;
    let fields = fields([
        ("Placement", Value::Object(placement)),
        ("InstanceId", json!(spec.id)),
        ("InstanceName", json!(spec.name)),
        ("InstanceChargeType", json!(spec.charge_type)),
        ("SystemDisk", json!({"DiskType": spec.system_disk, "DiskId": format!("disk-{id}"), "DiskSize": 50})),
        ("DataDisks", Value::Array(data_disks)),
        ("PrivateIpAddresses", json!([spec.private_ip])),
        ("VirtualPrivateCloud", json!({"VpcId": VPC, "SubnetId": SUBNET, "AsVpcGateway": false})),
        ("ImageId", json!(IMAGE)),
        ("RenewFlag", json!(prepaid.then_some("NOTIFY_AND_MANUAL_RENEW"))),
        ("CreatedTime", json!(stamp(began - CREATED_BEFORE))),
        ("ExpiredTime", json!(spec.expires.map(stamp))),
        ("OsName", json!(spec.os)),
        ("SecurityGroupIds", json!([SECURITY_GROUP])),
        ("Tags", Value::Array(tags)),
        ("Uuid", json!(format!("00000000-0000-4000-8000-0000{id}"))),
        ("DisasterRecoverGroupIds", json!([])),
        ("CamRoleName", json!("")),
        ("HpcClusterId", json!("")),
        ("DedicatedClusterId", json!("")),
        ("RdmaIpAddresses", json!([])),
        ("IsolatedSource", json!(spec.isolation)),
        ("LicenseType", json!("TencentCloud")),
        ("DisableApiTermination", json!(false)),
        ("HostName", json!(spec.name)),
        ("DefaultLoginUser", json!(login_user(&spec.os))),
        ("DefaultLoginPort", json!(if is_windows(&spec.os) { 3389 } else { 22 })),
        ("EnableJumboFrame", json!(false)),
    ]);
    let text = Value::Object(fields).to_string();
    text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or_default().to_owned()
}

/// The fields that operations change.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Passing<'a> {
    instance_type: &'a InstanceType,
    #[serde(rename = "CPU")]
    cpu: u32,
    memory: u32,
    cpu_topology: Topology,
    restrict_state: &'a Restriction,
    instance_state: &'a PowerState,
    stop_charging_mode: &'a StoppedCharging,
    login_settings: Login<'a>,
    public_ip_addresses: Option<&'a [String]>,
    internet_accessible: Internet,
    latest_operation: Option<&'a str>,
    latest_operation_state: Option<&'a OperationState>,
    latest_operation_request_id: Option<&'a str>,
    latest_operation_error_msg: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Topology {
    core_count: u32,
    thread_per_core: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Login<'a> {
    key_ids: &'a [KeyId],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Internet {
    internet_charge_type: &'static str,
    internet_max_bandwidth_out: u32,
}

impl<'a> Passing<'a> {
    fn of(face: &'a Face) -> Self {
        let operation = face.operation.as_ref();
        let public = !face.public_ips.is_empty();
        let cpu = face.size.cpu;
        Self {
            instance_type: &face.size.name,
            cpu,
            memory: face.size.memory,
            cpu_topology: Topology { core_count: cpu.div_ceil(2), thread_per_core: cpu.min(2) },
            restrict_state: &face.restriction,
            instance_state: &face.power,
            stop_charging_mode: &face.stopped_charging,
            login_settings: Login { key_ids: &face.keys },
            public_ip_addresses: public.then_some(&face.public_ips),
            internet_accessible: Internet {
                internet_charge_type: "TRAFFIC_POSTPAID_BY_HOUR",
                internet_max_bandwidth_out: if public { 10 } else { 0 },
            },
            latest_operation: operation.map(|operation| operation.action.as_str()),
            latest_operation_state: operation.map(|operation| &operation.state),
            latest_operation_request_id: operation.map(|operation| operation.request.as_str()),
            latest_operation_error_msg: operation.map(|operation| operation.message.as_str()),
        }
    }
}

/// How old all instances are.
const CREATED_BEFORE: std::time::Duration = std::time::Duration::from_hours(24 * 100);

/// A time as the vendor writes it.
pub(crate) fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

pub(crate) fn is_windows(os: &str) -> bool {
    os.to_ascii_lowercase().contains("windows")
}

/// The administrator of an operating system (CVM API, ResetInstancesPassword).
pub(crate) fn login_user(os: &str) -> &'static str {
    if is_windows(os) {
        "Administrator"
    } else if os.to_ascii_lowercase().contains("ubuntu") {
        "ubuntu"
    } else {
        "root"
    }
}

fn fits(spec: &InstanceSpec, face: &Face, wanted: &Wanted<'_>) -> bool {
    let any = |values: &[String]| values.iter().any(|value| wanted.has(value));
    match wanted.name {
        "zone" => wanted.has(&spec.zone),
        "project-id" => wanted.has("0"),
        "host-id" => spec.host.as_deref().is_some_and(|host| wanted.has(host)),
        "vpc-id" => wanted.has(VPC),
        "subnet-id" => wanted.has(SUBNET),
        "instance-id" => wanted.has(spec.id.as_str()),
        "security-group-id" => wanted.has(SECURITY_GROUP),
        "instance-name" => wanted.has(&spec.name),
        "instance-charge-type" => wanted.has(spec.charge_type.as_str()),
        "instance-state" => wanted.has(face.power.as_str()),
        "private-ip-address" => wanted.has(&spec.private_ip),
        "public-ip-address" => any(&face.public_ips),
        "tag-key" => spec.tags.keys().any(|key| wanted.has(key)),
        "tag-value" => spec.tags.values().any(|value| wanted.has(value)),
        "creation-start-time" | "creation-end-time" => true,
        name => name
            .strip_prefix("tag:")
            .is_some_and(|key| spec.tags.get(key).is_some_and(|value| wanted.has(value))),
    }
}
