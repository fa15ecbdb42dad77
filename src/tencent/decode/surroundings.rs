//! What a stop does harm to, or what harms it: auto scaling, load balancers, repairs, timers; and who asks.
#![expect(clippy::struct_field_names, reason = "the names are the vendor's")]

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde::Deserialize;

use super::{list, said};
use crate::cloud::{Caller, InstanceId, RepairTask, ScalingGroup};

/// DescribeAutoScalingInstances (AS API).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ScalingInstances {
    pub(crate) total_count: Option<u64>,
    auto_scaling_instance_set: Option<Vec<ScalingInstance>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ScalingInstance {
    instance_id: Option<String>,
    auto_scaling_group_id: Option<String>,
    auto_scaling_group_name: Option<String>,
    life_cycle_state: Option<String>,
}

impl ScalingInstances {
    pub(crate) fn by_instance(self) -> Vec<(InstanceId, ScalingGroup)> {
        let member = |told: ScalingInstance| {
            let group = ScalingGroup {
                id: told.auto_scaling_group_id.unwrap_or_default(),
                name: told.auto_scaling_group_name.unwrap_or_default(),
                life_cycle: told.life_cycle_state.unwrap_or_default(),
            };
            Some((InstanceId::new(said(told.instance_id.as_ref())?), group))
        };
        list(self.auto_scaling_instance_set).into_iter().filter_map(member).collect()
    }
}

/// DescribeLBListeners (CLB API).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Balancers {
    load_balancers: Option<Vec<Balancer>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Balancer {
    load_balancer_id: Option<String>,
    listeners: Option<Vec<Listener>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listener {
    listener_id: Option<String>,
    rules: Option<Vec<Rule>>,
    targets: Option<Vec<Target>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Rule {
    targets: Option<Vec<Target>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Target {
    private_ip: Option<String>,
    port: Option<i64>,
}

/// A listener that sends requests to one address and port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Use {
    pub(crate) balancer: String,
    pub(crate) listener: String,
    pub(crate) address: IpAddr,
    pub(crate) port: u16,
}

impl Balancers {
    pub(crate) fn uses(self) -> BTreeSet<Use> {
        let mut uses = BTreeSet::new();
        for balancer in list(self.load_balancers) {
            let id = balancer.load_balancer_id.unwrap_or_default();
            for listener in list(balancer.listeners) {
                let of_rules = list(listener.rules).into_iter().flat_map(|rule| list(rule.targets));
                for target in of_rules.chain(list(listener.targets)) {
                    let address = target.private_ip.and_then(|address| address.parse().ok());
                    let port = target.port.and_then(|port| u16::try_from(port).ok());
                    let (Some(address), Some(port)) = (address, port) else { continue };
                    uses.insert(Use {
                        balancer: id.clone(),
                        listener: listener.listener_id.clone().unwrap_or_default(),
                        address,
                        port,
                    });
                }
            }
        }
        uses
    }
}

/// DescribeTargetHealth (CLB API).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TargetHealths {
    load_balancers: Option<Vec<BalancerHealth>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BalancerHealth {
    load_balancer_id: Option<String>,
    listeners: Option<Vec<ListenerHealth>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListenerHealth {
    listener_id: Option<String>,
    rules: Option<Vec<RuleHealth>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RuleHealth {
    targets: Option<Vec<TargetHealth>>,
}

#[derive(Debug, Deserialize)]
struct TargetHealth {
    #[serde(rename = "IP")]
    address: Option<String>,
    #[serde(rename = "Port")]
    port: Option<i64>,
    #[serde(rename = "HealthStatusDetail")]
    detail: Option<String>,
    /// The vendor's older spelling, still answered.
    #[serde(rename = "HealthStatusDetial")]
    older_detail: Option<String>,
}

impl TargetHealths {
    /// For each target whether a health check watches it. Behind several rules the worst word counts.
    pub(crate) fn checked(self) -> BTreeMap<Use, bool> {
        let mut checked = BTreeMap::new();
        for balancer in list(self.load_balancers) {
            let id = balancer.load_balancer_id.unwrap_or_default();
            for listener in list(balancer.listeners) {
                for target in list(listener.rules).into_iter().flat_map(|rule| list(rule.targets)) {
                    let address = target.address.and_then(|address| address.parse().ok());
                    let port = target.port.and_then(|port| u16::try_from(port).ok());
                    let detail = said(target.detail.as_ref()).or(said(target.older_detail.as_ref()));
                    let (Some(address), Some(port), Some(detail)) = (address, port, detail) else { continue };
                    let listener = listener.listener_id.clone().unwrap_or_default();
                    let on = !detail.eq_ignore_ascii_case("close");
                    checked
                        .entry(Use { balancer: id.clone(), listener, address, port })
                        .and_modify(|all| *all &= on)
                        .or_insert(on);
                }
            }
        }
        checked
    }
}

/// DescribeTaskInfo (CVM API).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Tasks {
    pub(crate) total_count: Option<u64>,
    repair_task_info_set: Option<Vec<Task>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Task {
    task_id: Option<String>,
    instance_id: Option<String>,
    task_status: Option<u64>,
    task_type_name: Option<String>,
    task_detail: Option<String>,
}

/// Waiting for authorisation, processing, scheduled.
pub(crate) const PENDING_TASKS: [u64; 3] = [1, 2, 4];

impl Tasks {
    /// The tasks, and whether each of them has not ended.
    pub(crate) fn by_instance(self) -> Vec<(InstanceId, RepairTask, bool)> {
        let repair = |told: Task| {
            let pending = told.task_status.is_none_or(|status| PENDING_TASKS.contains(&status));
            let id = said(told.instance_id.as_ref())?;
            let detail = told.task_detail.filter(|detail| !detail.is_empty()).or(told.task_type_name);
            let task =
                RepairTask { id: told.task_id.unwrap_or_default(), detail: detail.unwrap_or_default() };
            Some((InstanceId::new(id), task, pending))
        };
        list(self.repair_task_info_set).into_iter().filter_map(repair).collect()
    }
}

/// DescribeInstancesActionTimer (CVM API).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ActionTimers {
    action_timers: Option<Vec<ActionTimer>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ActionTimer {
    instance_id: Option<String>,
    status: Option<String>,
}

impl ActionTimers {
    /// The instances whose timer has not gone off.
    pub(crate) fn pending(self) -> Vec<InstanceId> {
        let pending = |told: &ActionTimer| told.status.as_deref() != Some("DONE");
        let timers = list(self.action_timers).into_iter().filter(pending);
        timers.filter_map(|timer| said(timer.instance_id.as_ref()).map(InstanceId::new)).collect()
    }
}

/// GetCallerIdentity (STS API).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CallerIdentity {
    arn: Option<String>,
    account_id: Option<String>,
    #[serde(rename = "Type")]
    kind: Option<String>,
}

impl CallerIdentity {
    pub(crate) fn caller(self) -> Result<Caller, String> {
        let account = said(self.account_id.as_ref()).ok_or("`AccountId` is missing")?.to_owned();
        Ok(Caller { account, arn: self.arn.unwrap_or_default(), kind: self.kind.unwrap_or_default() })
    }
}
