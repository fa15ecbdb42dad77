//! What surrounds an instance: auto-scaling groups, load balancers, the vendor's repairs, release timers.

use serde_json::{Map, Value, json};

use super::api::{Context, fields, page, well_formed};
use super::call::{Call, Refused};
use super::fleet::{LoadBalancerSpec, RepairSpec};
use super::instances::{VPC, stamp};
use super::world::World;
use crate::cloud::{BATCH, InstanceId};

type Fields = Result<Map<String, Value>, Refused>;

impl World {
    pub(crate) fn describe_scaling_instances(&self, call: &Call<'_>) -> Fields {
        let ids = well_formed(call, BATCH)
            .map_err(|refused| Refused::new("InvalidParameterValue.LimitExceeded", refused.message))?;
        let filters = call.filters(&["instance-id", "auto-scaling-group-id"], 5)?;
        let mut members = Vec::new();
        for group in &self.fleet.scaling_groups {
            for id in &group.members {
                let wanted = ids.is_empty() || ids.contains(&id.as_str());
                let fits = filters.iter().all(|wanted| {
                    wanted.has(if wanted.name == "instance-id" { id.as_str() } else { &group.id })
                });
                let there = self.find(id.as_str()).filter(|index| self.in_region(*index, call.region));
                if let Some(index) = there.filter(|_| wanted && fits) {
                    members.push((group, &self.machines[index]));
                }
            }
        }
        let (total, page) = page(call, members.into_iter())?;
        let set: Vec<Value> = page
            .into_iter()
            .map(|(group, machine)| {
                json!({
                    "InstanceId": machine.spec.id,
                    "AutoScalingGroupId": group.id,
                    "AutoScalingGroupName": group.name,
                    "LaunchConfigurationId": "asc-0sim0001",
                    "LaunchConfigurationName": "launch",
                    "LifeCycleState": "IN_SERVICE",
                    "HealthStatus": "HEALTHY",
                    "ProtectedFromScaleIn": false,
                    "Zone": machine.spec.zone,
                    "CreationType": "AUTO_CREATION",
                    "AddTime": stamp(self.began),
                    "InstanceType": machine.face.size.name,
                    "VersionNumber": 1,
                    "WarmupStatus": "NO_NEED_WARMUP",
                    "DisasterRecoverGroupIds": [],
                })
            })
            .collect();
        Ok(fields([("TotalCount", json!(total)), ("AutoScalingInstanceSet", Value::Array(set))]))
    }

    pub(crate) fn describe_listeners(&self, call: &Call<'_>) -> Fields {
        let mut balancers = Vec::new();
        let mut addresses = Vec::new();
        let backends = call.objects("Backends");
        if backends.len() > self.backends {
            let message = format!("There are more than {} backends.", self.backends);
            return Err(Refused::new("InvalidParameterValue.Length", message));
        }
        for backend in backends {
            let text = |name: &str| backend.get(name).and_then(Value::as_str);
            let (Some(vpc), Some(address)) = (text("VpcId"), text("PrivateIp")) else {
                let message = "A backend needs `VpcId` and `PrivateIp`.";
                return Err(Refused::new("MissingParameter", message));
            };
            if vpc == VPC {
                addresses.push(address);
            }
        }
        for balancer in &self.fleet.load_balancers {
            let targets: Vec<Value> = addresses
                .iter()
                .filter(|address| {
                    self.at_address(address).is_some_and(|index| {
                        self.in_region(index, call.region) && self.is_behind(index, balancer)
                    })
                })
                .map(|address| {
                    json!({
                        "Type": "cvm", "PrivateIp": address, "Port": balancer.target_port,
                        "VpcId": 1, "Weight": 10,
                    })
                })
                .collect();
            if !targets.is_empty() {
                balancers.push(json!({
                    "LoadBalancerId": balancer.id,
                    "Vip": "10.0.0.1",
                    "Region": call.region,
                    "Listeners": [{
                        "ListenerId": balancer.listener, "Protocol": "TCP", "Port": balancer.port, "EndPort": 0,
                        "Rules": null, "Targets": targets,
                    }],
                }));
            }
        }
        Ok(fields([("LoadBalancers", Value::Array(balancers))]))
    }

    pub(crate) fn describe_target_health(&self, call: &Call<'_>, context: &Context<'_>) -> Fields {
        let ids = call.texts("LoadBalancerIds");
        if ids.len() > 30 {
            let message = "There are more than 30 load balancers.";
            return Err(Refused::new("InvalidParameterValue.Length", message));
        }
        let set = ids
            .into_iter()
            .map(|id| {
                let found = self.fleet.load_balancers.iter().find(|balancer| balancer.id == id);
                let balancer = found.filter(|balancer| self.is_balancer_in(balancer, call.region));
                let balancer = balancer.ok_or_else(|| {
                    let message = format!("There is no load balancer `{id}`.");
                    Refused::new("InvalidParameter.LBIdNotFound", message)
                })?;
                Ok(self.health(balancer, context))
            })
            .collect::<Result<Vec<Value>, Refused>>()?;
        Ok(fields([("LoadBalancers", Value::Array(set))]))
    }

    fn health(&self, balancer: &LoadBalancerSpec, context: &Context<'_>) -> Value {
        let there = balancer.targets.iter().filter_map(|id| self.find(id.as_str()));
        let targets: Vec<Value> = there
            .map(|index| {
                let machine = &self.machines[index];
                let alive = machine.listens(context.at, balancer.target_port);
                let detail = match (balancer.health_check, alive) {
                    (false, _) => "Close",
                    (true, true) => "Alive",
                    (true, false) => "Dead",
                };
                json!({
                    "IP": machine.spec.private_ip, "Port": balancer.target_port,
                    "HealthStatus": alive || !balancer.health_check, "HealthStatusDetail": detail,
                    "TargetId": machine.spec.id, "TargetGroupId": "", "Weight": 10,
                })
            })
            .collect();
        json!({
            "LoadBalancerId": balancer.id,
            "LoadBalancerName": balancer.name,
            "Listeners": [{
                "ListenerId": balancer.listener, "ListenerName": balancer.name, "Protocol": "TCP",
                "Port": balancer.port,
                "Rules": [{
                    "LocationId": "", "Domain": null, "Url": null, "Targets": targets,
                }],
            }],
        })
    }

    /// A load balancer is where its instances are; one without any is everywhere.
    fn is_balancer_in(&self, balancer: &LoadBalancerSpec, region: &str) -> bool {
        let mut places = balancer.targets.iter().filter_map(|id| self.place(id.as_str())).peekable();
        places.peek().is_none() || places.any(|index| self.in_region(index, region))
    }

    /// Whether an instance, gone or not, is one of this region's.
    fn is_of_region(&self, id: &InstanceId, region: &str) -> bool {
        self.place(id.as_str()).is_some_and(|index| self.in_region(index, region))
    }

    fn is_behind(&self, index: usize, balancer: &LoadBalancerSpec) -> bool {
        balancer.targets.contains(&self.machines[index].spec.id)
    }

    pub(crate) fn describe_task_info(&self, call: &Call<'_>) -> Fields {
        let ids = call.texts("InstanceIds");
        let tasks = call.texts("TaskIds");
        let states = call.numbers("TaskStatus");
        // Without a start date only today's tasks are shown; those of the fleet began yesterday.
        let visible = call.text("StartDate").is_some();
        let found = self.fleet.repairs.iter().filter(|repair| {
            visible
                && self.is_of_region(&repair.instance, call.region)
                && (ids.is_empty() || ids.contains(&repair.instance.as_str()))
                && (tasks.is_empty() || tasks.contains(&repair.id.as_str()))
                && (states.is_empty() || states.contains(&i64::from(repair.status)))
        });
        // This action declares no narrower code.
        let (total, page) =
            page(call, found).map_err(|refused| Refused::new("InvalidParameterValue", refused.message))?;
        let set: Vec<Value> = page.into_iter().map(|repair| self.repair(repair, call.region)).collect();
        Ok(fields([("TotalCount", json!(total)), ("RepairTaskInfoSet", Value::Array(set))]))
    }

    fn repair(&self, repair: &RepairSpec, region: &str) -> Value {
        let spec = self.place(repair.instance.as_str()).map(|index| &self.machines[index].spec);
        let yesterday = self.began - std::time::Duration::from_hours(24);
        json!({
            "TaskId": repair.id,
            "InstanceId": repair.instance,
            "Alias": spec.map(|spec| &spec.name),
            "TaskTypeId": 101,
            "TaskTypeName": "Instance running risk",
            "TaskStatus": repair.status,
            "DeviceStatus": 1,
            "OperateStatus": 1,
            "CreateTime": yesterday.strftime("%Y-%m-%d %H:%M:%S").to_string(),
            "AuthTime": null,
            "EndTime": null,
            "TaskDetail": repair.detail,
            "Zone": spec.map(|spec| &spec.zone),
            "Region": region,
            "VpcId": VPC,
            "LanIp": spec.map(|spec| &spec.private_ip),
            "Product": "CVM",
            "TaskSubType": null,
            "AuthType": 2,
            "AuthSource": "Waiting_auth",
        })
    }

    pub(crate) fn describe_action_timer(&self, call: &Call<'_>) -> Fields {
        let ids = well_formed(call, BATCH)?;
        let states = call.texts("StatusList");
        let set: Vec<Value> = self
            .fleet
            .release_timers
            .iter()
            .enumerate()
            .filter(|(_, timer)| self.is_of_region(&timer.instance, call.region))
            .filter(|(_, timer)| ids.is_empty() || ids.contains(&timer.instance.as_str()))
            .filter(|_| states.is_empty() || states.contains(&"UNDO"))
            .map(|(number, timer)| {
                json!({
                    "TimerAction": "TerminateInstances",
                    "ActionTime": stamp(self.began + timer.after),
                    "Externals": {},
                    "ActionTimerId": format!("00000000-0000-4000-8000-{number:012}"),
                    "Status": "UNDO",
                    "InstanceId": timer.instance,
                })
            })
            .collect();
        Ok(fields([("ActionTimers", Value::Array(set))]))
    }
}
