//! [`Survey`] over the vendor's API: the reads of a plan.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::api::Api;
use super::classify::may_be_too_many;
use super::client::{Client, names, undecodable};
use super::decode::{
    ActionTimers, Balancers, CallerIdentity, Instances, KeyPairs, Modifications, OperationLimits,
    PENDING_TASKS, PriceInquiry, Quotas, ScalingInstances, TargetHealths, Tasks, Use,
};
use super::filter::Search;
use crate::cloud::{
    BATCH, Caller, CloudError, ErrorKind, Filter, Instance, InstanceId, InstanceType, KeyPair,
    LoadBalancerUse, Price, Quota, RepairTask, ResizeOption, ScalingGroup, Survey, TypeOffer,
};

/// How many values one filter takes (CVM API, DescribeZoneInstanceConfigInfos).
const FILTER_VALUES: usize = 100;

/// How many load balancers one call takes (CLB API, DescribeTargetHealth).
const BALANCERS: usize = 30;

/// How many addresses one reverse look-up is given. The vendor names no ceiling (CLB API, DescribeLBListeners), so where a
/// number is refused the next is tried; ceilings of that API elsewhere are among them.
pub(super) const BACKENDS: [usize; 6] = [100, 50, 20, 10, 5, 1];

/// How far back a repair may have been announced and still wait. By default the vendor tells of today's only.
const TASK_AGE: SignedDuration = SignedDuration::from_hours(365 * 24);

/// How often a list that changes while it is read is read again.
const PASSES: usize = 3;

/// One page of a list.
struct Page<T> {
    items: Vec<T>,
    /// How long the whole list is, by the vendor's count.
    total: Option<u64>,
}

impl Client {
    /// All pages of a list, without repetitions. A list that grows or shrinks meanwhile moves items across the
    /// borders of pages, so that one could be missed: then it is read again.
    async fn pages<A: DeserializeOwned + Send, T: Send, K: Ord + Send>(
        &self,
        api: Api,
        body: &Value,
        page: impl Fn(A) -> Result<Page<T>, String> + Send + Sync,
        key: impl Fn(&T) -> K + Send + Sync,
    ) -> Result<Vec<T>, CloudError> {
        let mut all = BTreeMap::new();
        for _ in 0..PASSES {
            let (mut offset, mut seen, mut counts) = (0, BTreeMap::new(), BTreeSet::new());
            loop {
                let mut body = body.clone();
                body["Limit"] = json!(BATCH);
                body["Offset"] = json!(offset);
                let answer: A = self.read(api, body).await?;
                let Page { items, total } =
                    page(answer).map_err(|problem| undecodable(api, None, &problem))?;
                counts.extend(total);
                let got = items.len();
                seen.extend(items.into_iter().map(|item| (key(&item), item)));
                offset += got;
                let more = total.map_or(got == BATCH, |total| (offset as u64) < total);
                if got == 0 || !more {
                    break;
                }
            }
            let whole = match counts.first() {
                Some(total) => counts.len() == 1 && seen.len() as u64 == *total,
                None => true,
            };
            if whole {
                return Ok(seen.into_values().collect());
            }
            tracing::debug!(action = api.name(), "the list changed while it was read");
            all.extend(seen);
        }
        Ok(all.into_values().collect())
    }

    /// Which targets of these load balancers are watched by a health check.
    async fn health_checks(&self, balancers: &[String]) -> Result<BTreeMap<Use, bool>, CloudError> {
        let mut checked = BTreeMap::new();
        for some in balancers.chunks(BALANCERS) {
            let body = json!({ "LoadBalancerIds": some });
            match self.read::<TargetHealths>(Api::DescribeTargetHealth, body).await {
                Ok(answer) => checked.extend(answer.checked()),
                Err(error) if is_passing(error.kind) => return Err(error),
                // Classic load balancers, or no permission: the cloud does not say.
                Err(error) => tracing::debug!(%error, "no word on health checks"),
            }
        }
        Ok(checked)
    }

    /// The load balancers' uses of these addresses, which belong to one network.
    async fn uses(&self, vpc: &str, addresses: &[&IpAddr]) -> Result<BTreeSet<Use>, CloudError> {
        const API: Api = Api::DescribeLBListeners;
        let mut uses = BTreeSet::new();
        let mut left = addresses;
        while !left.is_empty() {
            let most = self.backends.load(Ordering::Relaxed);
            let (some, rest) = left.split_at(most.min(left.len()));
            let backends: Vec<Value> =
                some.iter().map(|address| json!({ "VpcId": vpc, "PrivateIp": address })).collect();
            match self.read::<Balancers>(API, json!({ "Backends": backends })).await {
                Ok(answer) => {
                    uses.extend(answer.uses());
                    left = rest;
                }
                Err(error) => {
                    let fewer = BACKENDS.into_iter().find(|fewer| *fewer < some.len());
                    let refused = error.code.as_deref().is_some_and(may_be_too_many);
                    let Some(fewer) = fewer.filter(|_| refused) else { return Err(error) };
                    tracing::debug!(%error, fewer, "fewer addresses are looked up at a time");
                    self.backends.fetch_min(fewer, Ordering::Relaxed);
                }
            }
        }
        Ok(uses)
    }
}

/// The failure may be over soon.
fn is_passing(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Network | ErrorKind::Server | ErrorKind::Throttled)
}

#[async_trait]
impl Survey for Client {
    async fn find(&self, filter: &Filter) -> Result<Vec<Instance>, CloudError> {
        const API: Api = Api::DescribeInstances;
        let search = Search::new(filter);
        let page = |answer: Instances| {
            let total = answer.total_count;
            Ok(Page { items: answer.list()?, total })
        };
        let body = search.body();
        let found = self.pages(API, &body, page, |one| one.id.clone()).await;
        match found {
            Ok(mut instances) => {
                instances.retain(|instance| search.fits(instance));
                Ok(instances)
            }
            // Nobody has ever used that tag key.
            Err(error) if error.code.as_deref() == Some("InvalidParameterValue.TagKeyNotFound") => {
                Ok(Vec::new())
            }
            Err(error) => Err(error),
        }
    }

    async fn resize_options(&self, id: &InstanceId) -> Result<Vec<ResizeOption>, CloudError> {
        let body = json!({ "InstanceIds": [id.as_str()] });
        let answer: Modifications = self.read(Api::DescribeInstancesModification, body).await?;
        Ok(answer.list())
    }

    async fn type_offers(
        &self,
        zones: &[String],
        types: &[InstanceType],
    ) -> Result<Vec<TypeOffer>, CloudError> {
        let types: Vec<&str> = types.iter().map(InstanceType::as_str).collect();
        let mut offers = Vec::new();
        for zones in chunks(zones, FILTER_VALUES) {
            for types in chunks(&types, FILTER_VALUES) {
                let mut filters = Vec::new();
                if !zones.is_empty() {
                    filters.push(json!({ "Name": "zone", "Values": zones }));
                }
                if !types.is_empty() {
                    filters.push(json!({ "Name": "instance-type", "Values": types }));
                }
                let body = json!({ "Filters": filters });
                let answer: Quotas = self.read(Api::DescribeZoneInstanceConfigInfos, body).await?;
                offers.extend(answer.list());
            }
        }
        Ok(offers)
    }

    async fn resize_price(&self, id: &InstanceId, to: &InstanceType) -> Result<Price, CloudError> {
        const API: Api = Api::InquiryPriceResetInstancesType;
        let body = json!({ "InstanceIds": [id.as_str()], "InstanceType": to.as_str() });
        let answer: PriceInquiry = self.read(API, body).await?;
        answer.price().map_err(|problem| undecodable(API, None, &problem))
    }

    async fn downgrade_quota(&self, ids: &[InstanceId]) -> Result<BTreeMap<InstanceId, Quota>, CloudError> {
        let mut quotas = BTreeMap::new();
        for some in ids.chunks(BATCH) {
            let body = json!({ "InstanceIds": names(some), "Operation": "INSTANCE_DEGRADE" });
            let answer: OperationLimits = self.read(Api::DescribeInstancesOperationLimit, body).await?;
            quotas.extend(answer.by_instance());
        }
        Ok(quotas)
    }

    async fn key_pairs(&self) -> Result<Vec<KeyPair>, CloudError> {
        let page = |answer: KeyPairs| {
            let total = answer.total_count;
            Ok(Page { items: answer.list()?, total })
        };
        self.pages(Api::DescribeKeyPairs, &json!({}), page, |pair| pair.id.clone()).await
    }

    async fn scaling_groups(
        &self,
        ids: &[InstanceId],
    ) -> Result<BTreeMap<InstanceId, ScalingGroup>, CloudError> {
        let page = |answer: ScalingInstances| {
            let total = answer.total_count;
            Ok(Page { items: answer.by_instance(), total })
        };
        let mut groups = BTreeMap::new();
        for some in ids.chunks(BATCH) {
            let body = json!({ "InstanceIds": names(some) });
            let api = Api::DescribeAutoScalingInstances;
            groups.extend(self.pages(api, &body, page, |(id, _)| id.clone()).await?);
        }
        groups.retain(|id, _| ids.contains(id));
        Ok(groups)
    }

    async fn load_balancers(
        &self,
        instances: &[&Instance],
    ) -> Result<BTreeMap<InstanceId, Vec<LoadBalancerUse>>, CloudError> {
        // The answer names addresses only, and those are unique within one network only.
        let mut networks: BTreeMap<&str, BTreeMap<&IpAddr, &InstanceId>> = BTreeMap::new();
        for instance in instances {
            let Some(vpc) = &instance.vpc else { continue };
            let addresses = instance.private_ips.iter().filter(|address| address.is_ipv4());
            networks.entry(vpc).or_default().extend(addresses.map(|address| (address, &instance.id)));
        }
        let mut found: BTreeSet<(&InstanceId, Use)> = BTreeSet::new();
        for (vpc, owners) in &networks {
            let addresses: Vec<&IpAddr> = owners.keys().copied().collect();
            for used in self.uses(vpc, &addresses).await? {
                // A rule's other targets are told as well; they are not ours.
                if let Some(owner) = owners.get(&used.address) {
                    found.insert((owner, used));
                }
            }
        }
        let balancers: BTreeSet<String> = found.iter().map(|(_, used)| used.balancer.clone()).collect();
        let checked = self.health_checks(&balancers.into_iter().collect::<Vec<_>>()).await?;
        let mut uses: BTreeMap<InstanceId, Vec<LoadBalancerUse>> = BTreeMap::new();
        for (owner, used) in found {
            let health_check = checked.get(&used).copied();
            let Use { balancer: id, listener, port, .. } = used;
            uses.entry(owner.clone()).or_default().push(LoadBalancerUse { id, listener, port, health_check });
        }
        Ok(uses)
    }

    async fn repair_tasks(&self, ids: &[InstanceId]) -> Result<BTreeMap<InstanceId, RepairTask>, CloudError> {
        let page = |answer: Tasks| {
            let total = answer.total_count;
            Ok(Page { items: answer.by_instance(), total })
        };
        let since = day_and_time(self.clock().now() - TASK_AGE);
        let mut tasks = BTreeMap::new();
        for some in ids.chunks(BATCH) {
            let body = json!({
                "Product": "CVM", "InstanceIds": names(some), "TaskStatus": PENDING_TASKS, "StartDate": since,
            });
            let api = Api::DescribeTaskInfo;
            let told = self.pages(api, &body, page, |(_, task, _)| task.id.clone()).await?;
            let pending = told.into_iter().filter(|(id, _, pending)| *pending && some.contains(id));
            tasks.extend(pending.map(|(id, task, _)| (id, task)));
        }
        Ok(tasks)
    }

    async fn release_timers(&self, ids: &[InstanceId]) -> Result<Vec<InstanceId>, CloudError> {
        let mut timers = BTreeSet::new();
        for some in ids.chunks(BATCH) {
            let body = json!({ "InstanceIds": names(some), "StatusList": ["UNDO", "DOING"] });
            let answer: ActionTimers = self.read(Api::DescribeInstancesActionTimer, body).await?;
            timers.extend(answer.pending().into_iter().filter(|id| some.contains(id)));
        }
        Ok(timers.into_iter().collect())
    }

    async fn caller(&self) -> Result<Caller, CloudError> {
        const API: Api = Api::GetCallerIdentity;
        let answer: CallerIdentity = self.read(API, json!({})).await?;
        answer.caller().map_err(|problem| undecodable(API, None, &problem))
    }

    async fn own_instance(&self) -> Option<InstanceId> {
        self.own_id().await
    }
}

/// Chunks of at most `size`; one empty chunk for an empty list, which means "any".
fn chunks<T>(all: &[T], size: usize) -> impl Iterator<Item = &[T]> + Clone {
    let empty = all.is_empty().then_some(all);
    empty.into_iter().chain(all.chunks(size))
}

/// As the vendor writes a moment in some places: `2026-11-23 14:20:00`, in China's time.
fn day_and_time(at: Timestamp) -> String {
    let china = jiff::tz::offset(8);
    at.to_zoned(TimeZone::fixed(china)).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests;
