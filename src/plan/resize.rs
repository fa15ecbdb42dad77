//! Whether an instance can become the type that is wanted.

use super::key::most_alike;
use super::{Inventory, Refusal, ResizeClass, Warning};
use crate::cloud::{
    ChargeType, CloudError, ErrorKind, Instance, InstanceType, ResizeOption, Stock, TypeOffer,
};

/// The type that an instance is to become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) to: InstanceType,
    pub(super) cpu: u32,
    pub(super) memory_gib: u32,
}

/// What the cloud said that one instance could become.
pub(super) struct Market<'a> {
    zone: &'a str,
    /// By DescribeInstancesModification.
    options: Option<&'a [ResizeOption]>,
    /// By DescribeZoneInstanceConfigInfos, of the instance's zone.
    offers: Option<Vec<&'a TypeOffer>>,
    /// Why the first refused this instance.
    refused: Option<&'a CloudError>,
}

impl<'a> Market<'a> {
    pub(super) fn of(instance: &'a Instance, inventory: &'a Inventory) -> Self {
        let options = inventory.options.get(&ResizeClass::of(instance));
        Self {
            zone: &instance.zone,
            options: options.and_then(|read| read.as_deref().ok()),
            offers: inventory
                .offers
                .as_ref()
                .map(|offers| offers.iter().filter(|offer| offer.zone == instance.zone).collect()),
            refused: options.and_then(|read| read.as_ref().err()),
        }
    }

    /// All types that could be had or are sold out: by the options if they were read, else by the offers.
    fn types(&self) -> impl Iterator<Item = (Target, bool)> {
        let by_option = self.options.into_iter().flatten().map(|option| {
            let target =
                Target { to: option.instance_type.clone(), cpu: option.cpu, memory_gib: option.memory_gib };
            (target, option.available)
        });
        let offers = self.offers.iter().flatten().filter(|_| self.options.is_none());
        let by_offer = offers.map(|offer| {
            let target =
                Target { to: offer.instance_type.clone(), cpu: offer.cpu, memory_gib: offer.memory_gib };
            (target, is_sold(offer))
        });
        by_option.chain(by_offer)
    }

    /// The type of this name, for an instance of `from`.
    pub(super) fn named(&self, from: &InstanceType, to: &InstanceType) -> Result<Target, Refusal> {
        self.asked()?;
        self.types().map(|(target, _)| target).find(|target| target.to == *to).ok_or_else(|| {
            let others = self.types().filter(|(target, _)| target.to != *from);
            let names: Vec<_> = others.map(|(target, _)| target.to).collect();
            let near = most_alike(to.as_str(), names.iter().map(InstanceType::as_str));
            Refusal::TypeNotOffered { to: to.clone(), reason: None, near: near.map(Into::into) }
        })
    }

    /// The type of the family of `from` that has exactly this shape. Of several, one that can be had comes before one
    /// that can't, then the shorter name (the plain member of a family), then the first by the alphabet.
    pub(super) fn shaped(&self, from: &InstanceType, cpu: u32, memory_gib: u32) -> Result<Target, Refusal> {
        self.asked()?;
        self.types()
            .filter(|(target, _)| {
                target.to.family() == from.family() && (target.cpu, target.memory_gib) == (cpu, memory_gib)
            })
            .min_by_key(|(target, available)| (!available, target.to.as_str().len(), target.to.clone()))
            .map(|(target, _)| target)
            .ok_or_else(|| self.no_such_shape(from.family(), cpu, memory_gib))
    }

    /// The cloud said what the instance could become, or was not asked.
    fn asked(&self) -> Result<(), Refusal> {
        match self.refused {
            Some(error) => Err(Refusal::ResizeRefused { kind: error.kind, message: error.to_string() }),
            None => Ok(()),
        }
    }

    fn no_such_shape(&self, family: &str, cpu: u32, memory_gib: u32) -> Refusal {
        let mut near: Vec<Target> =
            self.types().map(|(target, _)| target).filter(|target| target.to.family() == family).collect();
        near.sort_by_key(|target| {
            let away = (target.cpu.abs_diff(cpu), target.memory_gib.abs_diff(memory_gib));
            (away, target.to.clone())
        });
        near.dedup();
        let words =
            |target: &Target| format!("{} ({} cores, {} GiB)", target.to, target.cpu, target.memory_gib);
        let near = near.iter().take(3).map(words).collect();
        Refusal::NoSuchShape { family: family.to_owned(), cpu, memory_gib, near }
    }

    /// Why the target can't be had now, though the instance could become it.
    pub(super) fn shortage(&self, target: &Target) -> Option<Refusal> {
        let mut options = self.options.into_iter().flatten().filter(|o| o.instance_type == target.to);
        let unavailable = options
            .next()
            .filter(|first| !first.available && !options.any(|other| other.available))
            .map(|option| option.reason.clone());
        let offers = self.offers_of(target);
        if !offers.is_empty() && !offers.iter().any(|offer| is_sold(offer)) {
            let reason = offers.iter().find_map(|offer| offer.reason.clone()).or(unavailable.flatten());
            return Some(Refusal::SoldOut { to: target.to.clone(), zone: self.zone.to_owned(), reason });
        }
        unavailable.map(|reason| Refusal::TypeNotOffered { to: target.to.clone(), reason, near: None })
    }

    /// Little is left of the target, however it is paid for.
    pub(super) fn is_scarce(&self, target: &Target) -> bool {
        let offers = self.offers_of(target);
        let mut sold = offers.iter().filter(|offer| is_sold(offer)).peekable();
        sold.peek().is_some() && sold.all(|offer| offer.stock == Stock::Low)
    }

    fn offers_of(&self, target: &Target) -> Vec<&TypeOffer> {
        self.offers.iter().flatten().copied().filter(|offer| offer.instance_type == target.to).collect()
    }
}

fn is_sold(offer: &TypeOffer) -> bool {
    offer.on_sale && offer.stock != Stock::None
}

/// Why this instance can't become another type at all, whichever (CVM API, ResetInstancesType).
pub(super) fn never(instance: &Instance) -> Vec<Refusal> {
    let disks = instance.system_disk.iter().chain(&instance.data_disks);
    let local = disks.filter(|disk| disk.is_local()).map(|disk| Refusal::LocalDisk(disk.kind.clone()));
    let host = instance.host.iter().map(|host| Refusal::DedicatedHost(host.clone()));
    let spot = (instance.charge_type == ChargeType::Spotpaid).then_some(Refusal::Spot);
    local.take(1).chain(host).chain(spot).collect()
}

/// Why this instance can't become the target, by what is known of the instance itself.
pub(super) fn unfit(instance: &Instance, target: &Target, inventory: &Inventory) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    if instance.gpu && instance.instance_type.family() != target.to.family() {
        refusals.push(Refusal::GpuFamily { from: instance.instance_type.clone(), to: target.to.clone() });
    }
    if is_limited_downgrade(instance, target)
        && let Some(quota) = inventory.quotas.get(&instance.id)
        && let Some(limit) = quota.limit.filter(|limit| quota.used >= *limit)
    {
        refusals.push(Refusal::DowngradeQuota { used: quota.used, limit });
    }
    let has = instance.public_ips.iter().filter(|address| address.is_ipv4()).count();
    let carries = public_ips_carried(target.cpu);
    if has > carries && carries < public_ips_carried(instance.cpu) {
        refusals.push(Refusal::TooManyPublicIps { has, to: target.to.clone(), carries });
    }
    refusals
}

/// The target is smaller, and the cloud counts how often a prepaid instance is made smaller.
pub(super) fn is_limited_downgrade(instance: &Instance, target: &Target) -> bool {
    let smaller = target.cpu < instance.cpu || target.memory_gib < instance.memory_gib;
    smaller && instance.charge_type == ChargeType::Prepaid
}

/// How many public addresses, elastic ones included, an instance with so many cores carries (CVM usage limits:
/// 1 to 5 cores carry 2, 6 to 11 carry 3, and so on by sixes; 48 and more carry 10).
pub(super) fn public_ips_carried(cpu: u32) -> usize {
    usize::try_from(cpu / 6 + 2).unwrap_or(usize::MAX).min(10)
}

/// What the price inquiry, which checks nearly all that the resize checks, refused (CVM API,
/// InquiryPriceResetInstancesType).
pub(super) fn refused_inquiry(error: &CloudError, target: &Target, zone: &str) -> Refusal {
    if error.kind == ErrorKind::Capacity {
        Refusal::SoldOut { to: target.to.clone(), zone: zone.to_owned(), reason: Some(error.to_string()) }
    } else {
        Refusal::ResizeRefused { kind: error.kind, message: error.to_string() }
    }
}

/// What a person should know of the resize.
pub(super) fn warnings(instance: &Instance, target: &Target, market: &Market<'_>) -> Vec<Warning> {
    let other_family = instance.instance_type.family() != target.to.family();
    [
        market.is_scarce(target).then(|| Warning::LowStock(target.to.clone())),
        other_family
            .then(|| Warning::OtherFamily { from: instance.instance_type.clone(), to: target.to.clone() }),
        (instance.charge_type == ChargeType::Prepaid).then_some(Warning::Prepaid),
    ]
    .into_iter()
    .flatten()
    .collect()
}
