//! The reads that a plan needs, and no others. The only file of the plan that waits for anything.
//!
//! First the instances, the keys if one is loaded, and whose the credentials are. Then, for what has to be touched
//! only: its surroundings, and beside them the market (what it could become and what is on sale, then prices and
//! quotas). What is the same for instances of a class is read once per class.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{OptionFuture, join, join_all, join4, try_join_all};
use jiff::Timestamp;

use super::build::{named_key, too_many};
use super::choice::Choice;
use super::intent::Intent;
use super::inventory::{Inventory, OptionalRead, ResizeClass, Unread, is_not_offered};
use super::resize::{self, Market};
use crate::cloud::{self, BATCH, CloudError, ErrorKind, Instance, InstanceId, InstanceType, KeyPair, Price};
use crate::workflow::{Resize, Target, Workflow};

/// A read without which there can be no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SurveyError {
    /// The instances themselves.
    #[error("the instances can't be read")]
    Instances(#[source] CloudError),
    /// The SSH keys, of which the workflow loads one.
    #[error("the SSH keys can't be read")]
    Keys(#[source] CloudError),
    /// Neither source of instance types, and the workflow resizes.
    #[error(
        "neither what the instances can become nor what is on sale can be read, so no resize can be planned"
    )]
    Types(#[source] CloudError),
    /// A read that a plan can do without failed for a reason that may pass.
    #[error("{read} can't be read")]
    Optional {
        /// Which.
        read: OptionalRead,
        /// Why.
        #[source]
        error: CloudError,
    },
}

impl SurveyError {
    /// What the cloud or the network said.
    pub fn cause(&self) -> &CloudError {
        match self {
            Self::Instances(error)
            | Self::Keys(error)
            | Self::Types(error)
            | Self::Optional { error, .. } => error,
        }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match (self, self.cause().kind) {
            (Self::Instances(_), ErrorKind::Auth) => {
                "check the credentials; the access policy must allow cvm:DescribeInstances"
            }
            (Self::Keys(_), ErrorKind::Auth) => {
                "check the credentials; the access policy must allow cvm:DescribeKeyPairs"
            }
            (Self::Types(_), ErrorKind::Auth) => {
                "the access policy must allow cvm:DescribeInstancesModification or \
                 cvm:DescribeZoneInstanceConfigInfos"
            }
            (Self::Optional { .. }, ErrorKind::Network | ErrorKind::Throttled | ErrorKind::Server) => {
                "nothing was stopped; try again"
            }
            _ => self.cause().hint(),
        }
    }
}

/// Reads all that [`build()`](super::build()) needs to plan `workflow`. Changes nothing.
///
/// If a match finds more than `at-most` instances, nothing more is read: there will be no plan.
pub async fn survey(workflow: &Workflow, cloud: &dyn cloud::Survey) -> Result<Inventory, SurveyError> {
    let (instances, keys, caller, own) =
        join4(instances(workflow, cloud), keys(workflow, cloud), cloud.caller(), cloud.own_instance()).await;
    let mut inventory = Inventory { instances: instances?, keys: keys?, own, ..Inventory::default() };
    inventory.account = inventory.optional(OptionalRead::Caller, caller)?.map(|caller| caller.account);
    if too_many(workflow, &inventory).is_some() {
        return Ok(inventory);
    }
    let key = named_key(workflow, &inventory).ok().flatten();
    let intents: Vec<(&Instance, Intent<'_>)> =
        inventory.instances.iter().map(|i| (i, Intent::of(workflow, i, key.as_ref()))).collect();
    let touched: Vec<InstanceId> =
        intents.iter().filter(|(i, intent)| intent.touches(i)).map(|(i, _)| i.id.clone()).collect();
    let stopped: Vec<&Instance> =
        intents.iter().filter(|(i, intent)| intent.stops(i)).map(|(i, _)| *i).collect();
    let resized: Vec<&Instance> = intents
        .iter()
        .filter(|(i, intent)| intent.resize.is_some() && resize::never(i).is_empty())
        .map(|(i, _)| *i)
        .collect();
    let market: OptionFuture<_> = workflow
        .changes
        .resize
        .as_ref()
        .filter(|_| !resized.is_empty())
        .map(|wanted| market(wanted, &resized, cloud))
        .into();
    let (surroundings, market) = join(surroundings(&touched, &stopped, cloud), market).await;
    let (surroundings, market) = (surroundings?, market.transpose()?.unwrap_or_default());
    inventory.take_surroundings(surroundings);
    inventory.take_market(market);
    inventory.unread.sort_by_key(|unread| unread.read);
    Ok(inventory)
}

impl Inventory {
    /// The result of an optional read: what was read, or `None` and an entry in `unread`, or a reason to give up.
    fn optional<T>(
        &mut self,
        read: OptionalRead,
        result: Result<T, CloudError>,
    ) -> Result<Option<T>, SurveyError> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) if can_do_without(read, &error) => {
                if !self.lacks(read) {
                    self.unread.push(Unread { read, error });
                }
                Ok(None)
            }
            Err(error) => Err(SurveyError::Optional { read, error }),
        }
    }

    fn take_surroundings(&mut self, other: Self) {
        self.scaling_groups = other.scaling_groups;
        self.load_balancers = other.load_balancers;
        self.repair_tasks = other.repair_tasks;
        self.release_timers = other.release_timers;
        self.unread.extend(other.unread);
    }

    fn take_market(&mut self, other: Self) {
        self.options = other.options;
        self.offers = other.offers;
        self.prices = other.prices;
        self.quotas = other.quotas;
        self.unread.extend(other.unread);
    }
}

/// The cloud does not offer the read, or these credentials may not make it; trying again would not help.
fn is_withheld(error: &CloudError) -> bool {
    error.kind == ErrorKind::Auth || is_not_offered(error)
}

/// It may be read a moment later.
fn is_passing(error: &CloudError) -> bool {
    matches!(
        error.kind,
        ErrorKind::Throttled | ErrorKind::Server | ErrorKind::Network | ErrorKind::Busy | ErrorKind::Power
    )
}

/// The plan goes on without this read. Auto-scaling groups destroy what they own, so only the plainest reasons count.
fn can_do_without(read: OptionalRead, error: &CloudError) -> bool {
    is_withheld(error) || (read != OptionalRead::ScalingGroups && !is_passing(error))
}

async fn instances(workflow: &Workflow, cloud: &dyn cloud::Survey) -> Result<Vec<Instance>, SurveyError> {
    let read = match &workflow.target {
        Target::Instances(ids) => {
            let ids: BTreeSet<&InstanceId> = ids.iter().collect();
            let ids: Vec<InstanceId> = ids.into_iter().cloned().collect();
            try_join_all(ids.chunks(BATCH).map(|chunk| cloud.look(chunk))).await.map(|all| all.concat())
        }
        Target::Match { filter, .. } => cloud.find(filter).await,
    };
    read.map_err(SurveyError::Instances)
}

async fn keys(workflow: &Workflow, cloud: &dyn cloud::Survey) -> Result<Option<Vec<KeyPair>>, SurveyError> {
    if workflow.changes.load_ssh_key.is_none() {
        return Ok(None);
    }
    cloud.key_pairs().await.map(Some).map_err(SurveyError::Keys)
}

/// What stands around the instances that are touched, and around those of them that are stopped.
async fn surroundings(
    touched: &[InstanceId],
    stopped: &[&Instance],
    cloud: &dyn cloud::Survey,
) -> Result<Inventory, SurveyError> {
    let (groups, balancers, tasks, timers) = join4(
        try_join_all(touched.chunks(BATCH).map(|chunk| cloud.scaling_groups(chunk))),
        try_join_all(stopped.chunks(BATCH).map(|chunk| cloud.load_balancers(chunk))),
        try_join_all(touched.chunks(BATCH).map(|chunk| cloud.repair_tasks(chunk))),
        try_join_all(touched.chunks(BATCH).map(|chunk| cloud.release_timers(chunk))),
    )
    .await;
    let mut found = Inventory::default();
    let groups = found.optional(OptionalRead::ScalingGroups, groups)?;
    let balancers = found.optional(OptionalRead::LoadBalancers, balancers)?;
    let tasks = found.optional(OptionalRead::RepairTasks, tasks)?;
    let timers = found.optional(OptionalRead::ReleaseTimers, timers)?;
    found.scaling_groups = groups.into_iter().flatten().flatten().collect();
    found.load_balancers = balancers.into_iter().flatten().flatten().collect();
    found.repair_tasks = tasks.into_iter().flatten().flatten().collect();
    found.release_timers = timers.into_iter().flatten().flatten().collect();
    Ok(found)
}

/// What the instances could become, what of it is on sale, what it costs, and how often it may be done.
async fn market(
    wanted: &Resize,
    resized: &[&Instance],
    cloud: &dyn cloud::Survey,
) -> Result<Inventory, SurveyError> {
    let mut found = types(wanted, resized, cloud).await?;
    let smaller: Vec<InstanceId> = resized
        .iter()
        .filter(|instance| {
            let choice = Choice::of(instance, wanted, &found);
            let mut targets = choice.target.iter().chain(&choice.fallbacks);
            targets.any(|target| resize::is_limited_downgrade(instance, target))
        })
        .map(|instance| instance.id.clone())
        .collect();
    let mut asked = BTreeSet::new();
    let first = to_be_priced(wanted, resized, &found, &mut asked);
    let (priced, quotas) = join(
        prices(&first, cloud),
        try_join_all(smaller.chunks(BATCH).map(|chunk| cloud.downgrade_quota(chunk))),
    )
    .await;
    let quotas = found.optional(OptionalRead::DowngradeQuota, quotas)?;
    found.quotas = quotas.into_iter().flatten().flatten().collect();
    found.take_prices(priced)?;
    // What the inquiry refuses gives way to the next type that the workflow would have.
    loop {
        let next = to_be_priced(wanted, resized, &found, &mut asked);
        if next.is_empty() {
            return Ok(found);
        }
        found.take_prices(prices(&next, cloud).await)?;
    }
}

/// The instances whose price has not been asked for yet, with the types that they are to become as far as is known.
fn to_be_priced<'a>(
    wanted: &Resize,
    resized: &[&'a Instance],
    found: &Inventory,
    asked: &mut BTreeSet<(&'a InstanceId, InstanceType)>,
) -> Vec<(&'a Instance, resize::Target)> {
    let chosen = resized.iter().filter_map(|instance| {
        let target = Choice::of(instance, wanted, found).target?;
        let is_short = Market::of(instance, found).shortage(&target).is_some();
        (!is_short).then_some((*instance, target))
    });
    chosen.filter(|(instance, target)| asked.insert((&instance.id, target.to.clone()))).collect()
}

/// What the instances could become, once per class, and what is on sale in their zones.
///
/// Named types are looked up in both places at once. A shape has to be found among what the instances could become,
/// so what is on sale is asked afterwards, and for all types if the first read was withheld.
async fn types(
    wanted: &Resize,
    resized: &[&Instance],
    cloud: &dyn cloud::Survey,
) -> Result<Inventory, SurveyError> {
    let zones: BTreeSet<&String> = resized.iter().map(|instance| &instance.zone).collect();
    let zones: Vec<String> = zones.into_iter().cloned().collect();
    let mut found = Inventory::default();
    let names = match wanted {
        Resize::Type(to) => vec![to.clone()],
        Resize::Prefer(types) => types.clone(),
        Resize::Shape { .. } => Vec::new(),
    };
    let offers = match wanted {
        Resize::Type(_) | Resize::Prefer(_) => {
            let (options, offers) = join(options(resized, cloud), cloud.type_offers(&zones, &names)).await;
            found.take_options(options)?;
            offers
        }
        Resize::Shape { cpu, memory_gib } => {
            found.take_options(options(resized, cloud).await)?;
            let names: BTreeSet<InstanceType> = resized
                .iter()
                .filter_map(|i| Market::of(i, &found).shaped(&i.instance_type, *cpu, *memory_gib).ok())
                .map(|target| target.to)
                .collect();
            let names: Vec<InstanceType> = names.into_iter().collect();
            if names.is_empty() && !found.lacks(OptionalRead::ResizeOptions) {
                return Ok(found); // No instance has such a type: the plan says so.
            }
            let all = found.lacks(OptionalRead::ResizeOptions);
            cloud.type_offers(&zones, if all { &[] } else { &names }).await
        }
    };
    found.offers = found.optional(OptionalRead::TypeOffers, offers)?;
    match found.unread.iter().find(|unread| unread.read == OptionalRead::ResizeOptions) {
        Some(unread) if found.offers.is_none() => Err(SurveyError::Types(unread.error.clone())),
        Some(_) | None => Ok(found),
    }
}

type Options = Vec<(ResizeClass, Result<Vec<cloud::ResizeOption>, CloudError>)>;

async fn options(resized: &[&Instance], cloud: &dyn cloud::Survey) -> Options {
    let mut classes: BTreeMap<ResizeClass, &InstanceId> = BTreeMap::new();
    for instance in resized {
        classes.entry(ResizeClass::of(instance)).or_insert(&instance.id);
    }
    join_all(classes.into_iter().map(async |(class, id)| (class, cloud.resize_options(id).await))).await
}

impl Inventory {
    /// Keeps the prices that the cloud told, and its refusals.
    fn take_prices(
        &mut self,
        prices: Vec<(InstanceId, InstanceType, Result<Price, CloudError>)>,
    ) -> Result<(), SurveyError> {
        for (id, to, price) in prices {
            match price {
                Err(error) if is_withheld(&error) || is_passing(&error) => {
                    self.optional::<Price>(OptionalRead::ResizePrice, Err(error))?;
                }
                price => {
                    self.prices.insert((id, to), price);
                }
            }
        }
        Ok(())
    }

    /// Keeps what was read, and the cloud's refusals of single classes.
    fn take_options(&mut self, options: Options) -> Result<(), SurveyError> {
        for (class, read) in options {
            match read {
                Err(error) if is_withheld(&error) || is_passing(&error) => {
                    self.optional::<()>(OptionalRead::ResizeOptions, Err(error))?;
                }
                read => {
                    self.options.insert(class, read);
                }
            }
        }
        Ok(())
    }
}

/// Instances that are alike in all that a price inquiry can depend on, as far as an instance shows it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct PriceClass<'a> {
    class: ResizeClass,
    to: &'a InstanceType,
    expires: Option<Timestamp>,
    public_ips: usize,
    disks: Vec<(&'a str, u64)>,
    in_vpc: bool,
}

/// The prices, once per class. If the one that was asked for its class is refused for a reason that may be its own
/// (an unpaid order, say), the others of the class are asked themselves.
async fn prices(
    targets: &[(&Instance, resize::Target)],
    cloud: &dyn cloud::Survey,
) -> Vec<(InstanceId, InstanceType, Result<Price, CloudError>)> {
    let mut classes: BTreeMap<PriceClass<'_>, Vec<&InstanceId>> = BTreeMap::new();
    for (instance, target) in targets {
        let disks = instance.system_disk.iter().chain(&instance.data_disks);
        let class = PriceClass {
            class: ResizeClass::of(instance),
            to: &target.to,
            expires: instance.expires,
            public_ips: instance.public_ips.len(),
            disks: disks.map(|disk| (disk.kind.as_str(), disk.size_gib)).collect(),
            in_vpc: instance.vpc.is_some(),
        };
        classes.entry(class).or_default().push(&instance.id);
    }
    let ask =
        async |id: &InstanceId, to: &InstanceType| (id.clone(), to.clone(), cloud.resize_price(id, to).await);
    let of_class = async |to: &InstanceType, members: &[&InstanceId]| {
        let Some((first, others)) = members.split_first() else { return Vec::new() };
        let (id, _, price) = ask(first, to).await;
        let of_others = match &price {
            Err(error) if !(error.kind == ErrorKind::Capacity || is_withheld(error)) => {
                join_all(others.iter().map(|other| ask(other, to))).await
            }
            answer => others.iter().map(|other| ((*other).clone(), to.clone(), answer.clone())).collect(),
        };
        [(id, to.clone(), price)].into_iter().chain(of_others).collect()
    };
    join_all(classes.iter().map(|(class, members)| of_class(class.to, members))).await.concat()
}
