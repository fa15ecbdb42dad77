//! Instances, workflows and a cloud with canned answers that counts how often it is asked.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;

use super::{Inventory, Plan, ResizeClass, build, survey};
use crate::cloud::{
    Caller, Change, ChargeType, Cloud, CloudError, Disk, ErrorKind, Filter, Instance, InstanceId,
    InstanceType, Isolation, KeyId, KeyPair, LoadBalancerUse, Permit, PowerState, Price, Quota, RepairTask,
    RequestId, ResizeOption, Restriction, ScalingGroup, Sent, Stock, StoppedCharging, Survey, TypeOffer,
};
use crate::workflow::{
    Changes, KeySource, LoadSshKey, OnFailure, ResetPassword, Resize, Rollout, SecretSource, Start, Stop,
    Target, Workflow,
};

pub(super) const ZONE: &str = "ap-guangzhou-3";

/// A running Linux instance of type S5.MEDIUM4 with one key, to which nothing is wrong.
pub(super) fn instance(id: &str) -> Instance {
    Instance {
        id: id.into(),
        name: format!("name-of-{id}"),
        zone: ZONE.into(),
        power: PowerState::Running,
        instance_type: "S5.MEDIUM4".into(),
        cpu: 2,
        memory_gib: 4,
        restriction: Restriction::Normal,
        isolation: Isolation::NotIsolated,
        stopped_charging: StoppedCharging::NotApplicable,
        charge_type: ChargeType::PostpaidByHour,
        expires: None,
        system_disk: Some(disk("disk-sys", "CLOUD_PREMIUM")),
        data_disks: vec![disk("disk-data", "CLOUD_SSD")],
        private_ips: vec![[10, 0, 0, 1].into()],
        public_ips: vec![[1, 2, 3, 4].into()],
        vpc: Some("vpc-1".into()),
        security_groups: vec!["sg-1".into()],
        keys: vec!["skey-old".into()],
        os: "TencentOS Server 3.1".into(),
        login_user: None,
        host: None,
        gpu: false,
        tags: BTreeMap::new(),
        latest_operation: None,
    }
}

pub(super) fn disk(id: &str, kind: &str) -> Disk {
    Disk { id: Some(id.into()), kind: kind.into(), size_gib: 50 }
}

/// A workflow without changes over these instances.
pub(super) fn workflow(ids: &[&str]) -> Workflow {
    Workflow {
        name: "test".into(),
        description: None,
        region: "ap-guangzhou".into(),
        target: Target::Instances(ids.iter().map(|id| InstanceId::from(*id)).collect()),
        stop: Stop::default(),
        changes: Changes::default(),
        start: Start::AsFound,
        checks: Vec::new(),
        on_failure: OnFailure::Start,
        rollout: Rollout::default(),
        downtime_budget: None,
    }
}

/// A workflow that resizes `ins-1` to this type.
pub(super) fn resizing(to: &str) -> Workflow {
    let mut workflow = workflow(&["ins-1"]);
    workflow.changes.resize = Some(Resize::Type(to.into()));
    workflow
}

/// A workflow that sets the administrator's password of `ins-1`.
pub(super) fn setting_password() -> Workflow {
    let mut workflow = workflow(&["ins-1"]);
    workflow.changes.reset_password =
        Some(ResetPassword { user: None, password: SecretSource::Env("NEW_PASSWORD".into()) });
    workflow
}

/// A workflow that loads a key onto `ins-1`.
pub(super) fn loading(key: KeySource, keep_existing: bool) -> Workflow {
    let mut workflow = workflow(&["ins-1"]);
    workflow.changes.load_ssh_key = Some(LoadSshKey { key, keep_existing });
    workflow
}

pub(super) fn option(name: &str, cpu: u32, memory_gib: u32) -> ResizeOption {
    ResizeOption { instance_type: name.into(), cpu, memory_gib, available: true, reason: None }
}

pub(super) fn offer(name: &str, cpu: u32, memory_gib: u32, stock: Stock) -> TypeOffer {
    TypeOffer {
        zone: ZONE.into(),
        instance_type: name.into(),
        cpu,
        memory_gib,
        on_sale: stock != Stock::None,
        stock,
        reason: None,
    }
}

pub(super) fn key_pair(id: &str, name: &str, public_key: &str) -> KeyPair {
    KeyPair { id: id.into(), name: name.into(), public_key: public_key.into() }
}

/// An error with a vendor's code.
pub(super) fn refused(kind: ErrorKind, code: &str) -> CloudError {
    CloudError { code: Some(code.into()), ..CloudError::new(kind, Sent::No, "in the vendor's words") }
}

pub(super) fn not_permitted() -> CloudError {
    refused(ErrorKind::Auth, "UnauthorizedOperation")
}

/// The types that the fixtures' cloud sells.
pub(super) fn catalogue() -> Vec<ResizeOption> {
    vec![
        option("S5.MEDIUM2", 2, 2),
        option("S5.MEDIUM4", 2, 4),
        option("S5.LARGE8", 4, 8),
        option("S5.LARGE16", 4, 16),
        option("S6.LARGE8", 4, 8),
    ]
}

/// An inventory of these instances, all of which may become every type of the catalogue.
pub(super) fn inventory(instances: Vec<Instance>) -> Inventory {
    let options = instances.iter().map(|i| (ResizeClass::of(i), Ok(catalogue()))).collect();
    let prices = instances
        .iter()
        .flat_map(|i| {
            ["S5.LARGE8", "S5.LARGE16", "S5.MEDIUM2", "S6.LARGE8"]
                .map(|to| ((i.id.clone(), to.into()), Ok(Price::PerHour(1.2))))
        })
        .collect();
    let offers =
        catalogue().into_iter().map(|o| offer(o.instance_type.as_str(), o.cpu, o.memory_gib, Stock::Enough));
    Inventory {
        instances,
        keys: Some(vec![
            key_pair("skey-old", "old", "ssh-rsa OLD"),
            key_pair("skey-ops", "ops", "ssh-rsa OPS me"),
        ]),
        options,
        offers: Some(offers.collect()),
        prices,
        ..Inventory::default()
    }
}

/// The plan of the only instance, out of an inventory.
pub(super) fn built(workflow: &Workflow, inventory: &Inventory) -> Plan {
    build(workflow, inventory, "digest".into()).unwrap()
}

/// A cloud whose answers are given, and which counts the questions.
#[derive(Default)]
pub(super) struct FakeSurvey {
    pub(super) instances: Vec<Instance>,
    pub(super) options: Vec<ResizeOption>,
    pub(super) offers: Vec<TypeOffer>,
    pub(super) price: Option<Price>,
    pub(super) keys: Vec<KeyPair>,
    pub(super) quotas: BTreeMap<InstanceId, Quota>,
    pub(super) groups: BTreeMap<InstanceId, ScalingGroup>,
    pub(super) balancers: BTreeMap<InstanceId, Vec<LoadBalancerUse>>,
    pub(super) tasks: BTreeMap<InstanceId, RepairTask>,
    pub(super) timers: Vec<InstanceId>,
    pub(super) own: Option<InstanceId>,
    /// Reads that fail, by the method's name.
    pub(super) failing: BTreeMap<&'static str, CloudError>,
    /// Price inquiries that fail, by instance.
    pub(super) failing_prices: BTreeMap<InstanceId, CloudError>,
    /// Price inquiries that fail, by the type.
    pub(super) failing_types: BTreeMap<InstanceType, CloudError>,
    calls: Mutex<Vec<&'static str>>,
}

impl FakeSurvey {
    pub(super) fn of(instances: Vec<Instance>) -> Self {
        let inventory = inventory(Vec::new());
        Self {
            instances,
            options: catalogue(),
            offers: inventory.offers.unwrap(),
            price: Some(Price::PerHour(1.2)),
            keys: inventory.keys.unwrap(),
            ..Self::default()
        }
    }

    pub(super) fn failing(mut self, read: &'static str, error: CloudError) -> Self {
        self.failing.insert(read, error);
        self
    }

    /// The reads that were made, sorted.
    pub(super) fn calls(&self) -> Vec<&'static str> {
        let mut calls = self.calls.lock().unwrap().clone();
        calls.sort_unstable();
        calls
    }

    pub(super) async fn plan(&self, workflow: &Workflow) -> Plan {
        built(workflow, &survey(workflow, self).await.unwrap())
    }

    fn answer<T>(&self, read: &'static str, value: T) -> Result<T, CloudError> {
        self.calls.lock().unwrap().push(read);
        self.failing.get(read).map_or(Ok(value), |error| Err(error.clone()))
    }
}

fn only<T: Clone>(all: &BTreeMap<InstanceId, T>, ids: &[InstanceId]) -> BTreeMap<InstanceId, T> {
    all.iter().filter(|(id, _)| ids.contains(id)).map(|(id, value)| (id.clone(), value.clone())).collect()
}

#[async_trait]
impl Cloud for FakeSurvey {
    async fn look(&self, ids: &[InstanceId]) -> Result<Vec<Instance>, CloudError> {
        assert!(ids.len() <= 100, "{} ids in one read", ids.len());
        self.answer("look", self.instances.iter().filter(|i| ids.contains(&i.id)).cloned().collect())
    }

    async fn apply(&self, change: &Change, _: Permit<'_>) -> Result<RequestId, CloudError> {
        panic!("a survey changes nothing, and this one sent {}", change.api_name())
    }
}

#[async_trait]
impl Survey for FakeSurvey {
    async fn find(&self, _: &Filter) -> Result<Vec<Instance>, CloudError> {
        self.answer("find", self.instances.clone())
    }

    async fn resize_options(&self, _: &InstanceId) -> Result<Vec<ResizeOption>, CloudError> {
        self.answer("resize_options", self.options.clone())
    }

    async fn type_offers(
        &self,
        zones: &[String],
        types: &[InstanceType],
    ) -> Result<Vec<TypeOffer>, CloudError> {
        let wanted = |offer: &&TypeOffer| types.is_empty() || types.contains(&offer.instance_type);
        let offers = self.offers.iter().filter(|offer| zones.contains(&offer.zone)).filter(wanted);
        self.answer("type_offers", offers.cloned().collect())
    }

    async fn resize_price(&self, id: &InstanceId, to: &InstanceType) -> Result<Price, CloudError> {
        let price = self.answer("resize_price", self.price.clone().unwrap())?;
        self.failing_prices
            .get(id)
            .or_else(|| self.failing_types.get(to))
            .map_or(Ok(price), |error| Err(error.clone()))
    }

    async fn downgrade_quota(&self, ids: &[InstanceId]) -> Result<BTreeMap<InstanceId, Quota>, CloudError> {
        self.answer("downgrade_quota", only(&self.quotas, ids))
    }

    async fn key_pairs(&self) -> Result<Vec<KeyPair>, CloudError> {
        self.answer("key_pairs", self.keys.clone())
    }

    async fn scaling_groups(
        &self,
        ids: &[InstanceId],
    ) -> Result<BTreeMap<InstanceId, ScalingGroup>, CloudError> {
        assert!(ids.len() <= 100, "{} ids in one read", ids.len());
        self.answer("scaling_groups", only(&self.groups, ids))
    }

    async fn load_balancers(
        &self,
        instances: &[&Instance],
    ) -> Result<BTreeMap<InstanceId, Vec<LoadBalancerUse>>, CloudError> {
        let ids: Vec<InstanceId> = instances.iter().map(|i| i.id.clone()).collect();
        self.answer("load_balancers", only(&self.balancers, &ids))
    }

    async fn repair_tasks(&self, ids: &[InstanceId]) -> Result<BTreeMap<InstanceId, RepairTask>, CloudError> {
        self.answer("repair_tasks", only(&self.tasks, ids))
    }

    async fn release_timers(&self, ids: &[InstanceId]) -> Result<Vec<InstanceId>, CloudError> {
        self.answer("release_timers", self.timers.iter().filter(|id| ids.contains(id)).cloned().collect())
    }

    async fn caller(&self) -> Result<Caller, CloudError> {
        self.answer(
            "caller",
            Caller { account: "100000000001".into(), arn: "qcs::cam::uin/1".into(), kind: "CAMUser".into() },
        )
    }

    async fn own_instance(&self) -> Option<InstanceId> {
        self.own.clone()
    }
}

/// Key ids out of texts.
pub(super) fn keys(ids: &[&str]) -> Vec<KeyId> {
    ids.iter().map(|id| KeyId::from(*id)).collect()
}
