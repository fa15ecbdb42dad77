//! DescribeInstances and DescribeKeyPairs (CVM API).
#![expect(clippy::struct_field_names, reason = "the names are the vendor's")]

use std::net::IpAddr;

use jiff::Timestamp;
use serde::Deserialize;

use super::{Word, count, list, said, text, word};
use crate::cloud::{
    ChargeType, Disk, Instance, InstanceId, InstanceType, Isolation, KeyId, KeyPair, Operation,
    OperationState, PowerState, RequestId, Restriction, StoppedCharging,
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Instances {
    pub(crate) total_count: Option<u64>,
    instance_set: Option<Vec<Told>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Told {
    instance_id: Option<String>,
    instance_name: Option<String>,
    placement: Option<Placement>,
    instance_state: Option<Word<PowerState>>,
    instance_type: Option<String>,
    #[serde(rename = "CPU")]
    cpu: Option<i64>,
    memory: Option<i64>,
    restrict_state: Option<Word<Restriction>>,
    isolated_source: Option<Word<Isolation>>,
    stop_charging_mode: Option<Word<StoppedCharging>>,
    instance_charge_type: Option<Word<ChargeType>>,
    expired_time: Option<String>,
    system_disk: Option<ToldDisk>,
    data_disks: Option<Vec<ToldDisk>>,
    private_ip_addresses: Option<Vec<String>>,
    public_ip_addresses: Option<Vec<String>>,
    #[serde(rename = "IPv6Addresses")]
    ipv6_addresses: Option<Vec<String>>,
    #[serde(rename = "PublicIPv6Addresses")]
    public_ipv6_addresses: Option<Vec<String>>,
    virtual_private_cloud: Option<Vpc>,
    security_group_ids: Option<Vec<String>>,
    login_settings: Option<LoginSettings>,
    os_name: Option<String>,
    default_login_user: Option<String>,
    #[serde(rename = "GPUInfo")]
    gpu_info: Option<Gpu>,
    tags: Option<Vec<Tag>>,
    latest_operation: Option<String>,
    latest_operation_state: Option<Word<OperationState>>,
    latest_operation_request_id: Option<String>,
    latest_operation_error_msg: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Placement {
    zone: Option<String>,
    host_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ToldDisk {
    disk_id: Option<String>,
    disk_type: Option<String>,
    disk_size: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Vpc {
    vpc_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LoginSettings {
    key_ids: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct Gpu {
    #[serde(rename = "GPUCount")]
    count: Option<f64>,
    #[serde(rename = "GPUType")]
    kind: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: Option<String>,
    value: Option<String>,
}

impl Instances {
    /// The instances of this page. Not being told of an instance counts as its being gone, so here silence is not
    /// taken for an empty list.
    pub(crate) fn list(self) -> Result<Vec<Instance>, String> {
        let told = match (self.instance_set, self.total_count) {
            (Some(told), _) => told,
            (None, Some(0)) => Vec::new(),
            (None, _) => return Err("`InstanceSet` is missing".to_owned()),
        };
        told.into_iter().map(Told::instance).collect()
    }

    /// The instances of an answer that has them all on one page.
    pub(crate) fn all(self) -> Result<Vec<Instance>, String> {
        let total = self.total_count;
        let told = self.list()?;
        match total {
            Some(total) if total > told.len() as u64 => {
                Err(format!("`TotalCount` is {total}, but `InstanceSet` holds {}", told.len()))
            }
            _ => Ok(told),
        }
    }
}

impl Told {
    fn instance(self) -> Result<Instance, String> {
        let id = text(self.instance_id).ok_or("an instance has no `InstanceId`")?;
        let latest_operation = text(self.latest_operation).map(|action| Operation {
            action,
            state: word(self.latest_operation_state).unwrap_or_else(|| "".into()),
            request: text(self.latest_operation_request_id).map(RequestId::new),
            message: self.latest_operation_error_msg.unwrap_or_default(),
        });
        let placement = self.placement.unwrap_or_default();
        let gpu = self
            .gpu_info
            .is_some_and(|gpu| gpu.count.unwrap_or(0.0) > 0.0 || said(gpu.kind.as_ref()).is_some());
        Ok(Instance {
            id: InstanceId::new(id),
            name: self.instance_name.unwrap_or_default(),
            zone: placement.zone.unwrap_or_default(),
            // An unknown state is never safe to act on, and neither is one that was not told.
            power: word(self.instance_state).unwrap_or_else(|| "".into()),
            instance_type: InstanceType::new(self.instance_type.unwrap_or_default()),
            cpu: count(self.cpu),
            memory_gib: count(self.memory),
            restriction: word(self.restrict_state).unwrap_or(Restriction::Normal),
            isolation: word(self.isolated_source).unwrap_or(Isolation::NotIsolated),
            stopped_charging: word(self.stop_charging_mode).unwrap_or(StoppedCharging::NotApplicable),
            charge_type: word(self.instance_charge_type).unwrap_or_else(|| "".into()),
            expires: said(self.expired_time.as_ref()).and_then(|time| time.parse::<Timestamp>().ok()),
            system_disk: self.system_disk.map(ToldDisk::disk),
            data_disks: list(self.data_disks).into_iter().map(ToldDisk::disk).collect(),
            private_ips: addresses([self.private_ip_addresses, self.ipv6_addresses]),
            public_ips: addresses([self.public_ip_addresses, self.public_ipv6_addresses]),
            vpc: self.virtual_private_cloud.and_then(|vpc| text(vpc.vpc_id)),
            security_groups: list(self.security_group_ids),
            keys: self.login_settings.map_or_else(Vec::new, LoginSettings::keys),
            os: self.os_name.unwrap_or_default(),
            login_user: text(self.default_login_user),
            host: text(placement.host_id),
            gpu,
            tags: list(self.tags).into_iter().filter_map(Tag::pair).collect(),
            latest_operation,
        })
    }
}

impl ToldDisk {
    fn disk(self) -> Disk {
        Disk {
            id: text(self.disk_id),
            kind: self.disk_type.unwrap_or_default(),
            size_gib: u64::from(count(self.disk_size)),
        }
    }
}

impl LoginSettings {
    fn keys(self) -> Vec<KeyId> {
        list(self.key_ids).into_iter().map(KeyId::new).collect()
    }
}

impl Tag {
    fn pair(self) -> Option<(String, String)> {
        Some((self.key?, self.value.unwrap_or_default()))
    }
}

/// The addresses that can be read; the vendor's own examples have masked ones.
fn addresses(lists: [Option<Vec<String>>; 2]) -> Vec<IpAddr> {
    lists.into_iter().flat_map(list).filter_map(|text| text.parse().ok()).collect()
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct KeyPairs {
    pub(crate) total_count: Option<u64>,
    key_pair_set: Option<Vec<ToldKeyPair>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ToldKeyPair {
    key_id: Option<String>,
    key_name: Option<String>,
    public_key: Option<String>,
}

impl KeyPairs {
    /// The key pairs of this page.
    pub(crate) fn list(self) -> Result<Vec<KeyPair>, String> {
        let pair = |told: ToldKeyPair| {
            Ok(KeyPair {
                id: KeyId::new(text(told.key_id).ok_or("a key pair has no `KeyId`")?),
                name: told.key_name.unwrap_or_default(),
                public_key: told.public_key.map(|key| key.trim().to_owned()).unwrap_or_default(),
            })
        };
        list(self.key_pair_set).into_iter().map(pair).collect()
    }
}
