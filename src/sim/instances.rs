//! DescribeInstances and DescribeInstancesStatus: what the API shows of an instance.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::api::{Context, fields, page, well_formed};
use super::call::{Call, Refused, Wanted};
use super::fleet::{InstanceSpec, region_of};
use super::machine::{Face, Machine};
use super::world::World;
use crate::cloud::{BATCH, ChargeType};

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

/// The network that all instances are in.
pub(crate) const VPC: &str = "vpc-0sim0001";
const SUBNET: &str = "subnet-0sim0001";
const SECURITY_GROUP: &str = "sg-0sim0001";
const IMAGE: &str = "img-0sim0001";

impl World {
    pub(crate) fn describe_instances(
        &self,
        call: &Call<'_>,
        context: &Context<'_>,
    ) -> Result<Map<String, Value>, Refused> {
        if !call.texts("InstanceIds").is_empty() && !call.objects("Filters").is_empty() {
            let message = "`InstanceIds` and `Filters` can't be given together.";
            return Err(Refused::new("InvalidParameter", message));
        }
        let filters = call.filters(&FILTERS, 5)?;
        let found = self
            .seen(call, context)?
            .into_iter()
            .filter(|(machine, face)| filters.iter().all(|wanted| fits(&machine.spec, face, wanted)));
        let (total, page) = page(call, found)?;
        let set: Vec<Value> = page.into_iter().map(|(machine, face)| self.instance(machine, face)).collect();
        Ok(fields([("TotalCount", json!(total)), ("InstanceSet", Value::Array(set))]))
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

    fn instance(&self, machine: &Machine, face: &Face) -> Value {
        let mut fields = self.lasting(&machine.spec);
        fields.extend(passing(face));
        Value::Object(fields)
    }

    /// The fields that no operation changes.
    fn lasting(&self, spec: &InstanceSpec) -> Map<String, Value> {
        let id = spec.id.as_str().trim_start_matches("ins-");
        let tags: Vec<Value> =
            spec.tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
        let disks = spec.data_disks.iter().enumerate();
        let data_disks: Vec<Value> = disks
            .map(|(number, kind)| {
                json!({
                    "DiskSize": 100, "DiskType": kind, "DiskId": format!("disk-{number}{}", &id[1..]),
                    "DeleteWithInstance": true, "Encrypt": false,
                })
            })
            .collect();
        let prepaid = spec.charge_type == ChargeType::Prepaid;
        fields([
            ("Placement", json!({"Zone": spec.zone, "ProjectId": 0, "HostId": spec.host, "HostIds": null})),
            ("InstanceId", json!(spec.id)),
            ("InstanceName", json!(spec.name)),
            ("InstanceChargeType", json!(spec.charge_type)),
            (
                "SystemDisk",
                json!({"DiskType": spec.system_disk, "DiskId": format!("disk-{id}"), "DiskSize": 50}),
            ),
            ("DataDisks", Value::Array(data_disks)),
            ("PrivateIpAddresses", json!([spec.private_ip])),
            ("VirtualPrivateCloud", json!({"VpcId": VPC, "SubnetId": SUBNET, "AsVpcGateway": false})),
            ("ImageId", json!(IMAGE)),
            ("RenewFlag", json!(prepaid.then_some("NOTIFY_AND_MANUAL_RENEW"))),
            ("CreatedTime", json!(stamp(self.began - CREATED_BEFORE))),
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
            ("GPUInfo", Value::Null),
            ("LicenseType", json!("TencentCloud")),
            ("DisableApiTermination", json!(false)),
            ("HostName", json!(spec.name)),
            ("DefaultLoginUser", json!(login_user(&spec.os))),
            ("DefaultLoginPort", json!(if is_windows(&spec.os) { 3389 } else { 22 })),
            ("EnableJumboFrame", json!(false)),
        ])
    }
}

/// The fields that operations change.
fn passing(face: &Face) -> Map<String, Value> {
    let operation = face.operation.as_ref();
    let public = !face.public_ips.is_empty();
    fields([
        ("InstanceType", json!(face.size.name)),
        ("CPU", json!(face.size.cpu)),
        ("Memory", json!(face.size.memory)),
        (
            "CpuTopology",
            json!({"CoreCount": face.size.cpu.div_ceil(2), "ThreadPerCore": face.size.cpu.min(2)}),
        ),
        ("RestrictState", json!(face.restriction)),
        ("InstanceState", json!(face.power)),
        ("StopChargingMode", json!(face.stopped_charging)),
        ("LoginSettings", json!({"KeyIds": face.keys})),
        ("PublicIpAddresses", if public { json!(face.public_ips) } else { Value::Null }),
        (
            "InternetAccessible",
            json!({
                "InternetChargeType": "TRAFFIC_POSTPAID_BY_HOUR",
                "InternetMaxBandwidthOut": if public { 10 } else { 0 },
            }),
        ),
        ("LatestOperation", json!(operation.map(|operation| &operation.action))),
        ("LatestOperationState", json!(operation.map(|operation| &operation.state))),
        ("LatestOperationRequestId", json!(operation.map(|operation| &operation.request))),
        ("LatestOperationErrorMsg", json!(operation.map(|operation| &operation.message))),
    ])
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
