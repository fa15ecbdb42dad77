//! What an instance could become, what is on sale, and what it costs (CVM API).

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{count, list, said};
use crate::cloud::{InstanceId, InstanceType, Price, Quota, ResizeOption, Stock, TypeOffer};

/// DescribeInstancesModification.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Modifications {
    instance_type_config_status_set: Option<Vec<Modification>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Modification {
    status: Option<String>,
    message: Option<String>,
    instance_type_config: Option<TypeConfig>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TypeConfig {
    instance_type: Option<String>,
    #[serde(rename = "CPU")]
    cpu: Option<i64>,
    memory: Option<i64>,
}

impl Modifications {
    /// One option per type: the vendor repeats types, and one that can be had anywhere can be had.
    pub(crate) fn list(self) -> Vec<ResizeOption> {
        let mut options: BTreeMap<InstanceType, ResizeOption> = BTreeMap::new();
        for told in list(self.instance_type_config_status_set) {
            let Some(config) = told.instance_type_config else { continue };
            let Some(name) = said(config.instance_type.as_ref()) else { continue };
            let available = told.status.as_deref() == Some("SELL");
            let option = ResizeOption {
                instance_type: InstanceType::new(name),
                cpu: count(config.cpu),
                memory_gib: count(config.memory),
                available,
                reason: said(told.message.as_ref()).filter(|_| !available).map(str::to_owned),
            };
            let known = options.entry(option.instance_type.clone()).or_insert_with(|| option.clone());
            if !known.available && available {
                *known = option;
            }
        }
        options.into_values().collect()
    }
}

/// DescribeZoneInstanceConfigInfos.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Quotas {
    instance_type_quota_set: Option<Vec<ToldOffer>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ToldOffer {
    zone: Option<String>,
    instance_type: Option<String>,
    instance_charge_type: Option<String>,
    cpu: Option<i64>,
    memory: Option<i64>,
    status: Option<String>,
    status_category: Option<String>,
    sold_out_reason: Option<String>,
}

impl Quotas {
    /// One offer per zone and type. The vendor tells each way of payment apart; a resize draws on the same machines
    /// whichever it is, so the best word counts. Spot is left out: it can't be resized to.
    pub(crate) fn list(self) -> Vec<TypeOffer> {
        let mut offers: BTreeMap<(String, InstanceType), TypeOffer> = BTreeMap::new();
        for told in list(self.instance_type_quota_set) {
            let spot = told.instance_charge_type.as_deref() == Some("SPOTPAID");
            let (Some(zone), Some(name)) = (said(told.zone.as_ref()), said(told.instance_type.as_ref()))
            else {
                continue;
            };
            if spot {
                continue;
            }
            let on_sale = told.status.as_deref() == Some("SELL");
            let offer = TypeOffer {
                zone: zone.to_owned(),
                instance_type: InstanceType::new(name),
                cpu: count(told.cpu),
                memory_gib: count(told.memory),
                on_sale,
                stock: stock(told.status_category.as_deref()),
                reason: said(told.sold_out_reason.as_ref()).filter(|_| !on_sale).map(str::to_owned),
            };
            let key = (offer.zone.clone(), offer.instance_type.clone());
            let known = offers.entry(key).or_insert_with(|| offer.clone());
            if rank(&offer) > rank(known) {
                *known = offer;
            }
        }
        offers.into_values().collect()
    }
}

fn stock(word: Option<&str>) -> Stock {
    match word {
        Some("EnoughStock") => Stock::Enough,
        Some("NormalStock") => Stock::Normal,
        Some("UnderStock") => Stock::Low,
        Some("WithoutStock") => Stock::None,
        _ => Stock::Unknown,
    }
}

/// The better of two offers ranks higher.
fn rank(offer: &TypeOffer) -> (bool, u8) {
    let stock = match offer.stock {
        Stock::None => 0,
        Stock::Unknown => 1,
        Stock::Low => 2,
        Stock::Normal => 3,
        Stock::Enough => 4,
    };
    (offer.on_sale, stock)
}

/// InquiryPriceResetInstancesType.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PriceInquiry {
    price: Option<ToldPrice>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ToldPrice {
    instance_price: Option<ItemPrice>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ItemPrice {
    unit_price: Option<f64>,
    unit_price_discount: Option<f64>,
    original_price: Option<f64>,
    discount_price: Option<f64>,
}

impl PriceInquiry {
    /// The price after discounts. The fields of the other way of payment are absent, null or zero.
    pub(crate) fn price(self) -> Result<Price, String> {
        let price =
            self.price.and_then(|price| price.instance_price).ok_or("`Price.InstancePrice` is missing")?;
        let hourly = price.unit_price_discount.or(price.unit_price);
        let once = price.discount_price.or(price.original_price);
        match (hourly, once) {
            (Some(hourly), _) if hourly > 0.0 => Ok(Price::PerHour(hourly)),
            (_, Some(once)) => Ok(Price::Once(once)),
            (Some(hourly), None) => Ok(Price::PerHour(hourly)),
            (None, None) => Err("`Price.InstancePrice` holds no price".to_owned()),
        }
    }
}

/// DescribeInstancesOperationLimit.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct OperationLimits {
    instance_operation_limit_set: Option<Vec<OperationLimit>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OperationLimit {
    instance_id: Option<String>,
    current_count: Option<i64>,
    limit_count: Option<i64>,
}

impl OperationLimits {
    /// The vendor writes -1 for "without limit".
    pub(crate) fn by_instance(self) -> BTreeMap<InstanceId, Quota> {
        let quota = |told: OperationLimit| {
            let id = InstanceId::new(said(told.instance_id.as_ref())?);
            let limit = told.limit_count.and_then(|limit| u32::try_from(limit).ok());
            Some((id, Quota { used: count(told.current_count), limit }))
        };
        list(self.instance_operation_limit_set).into_iter().filter_map(quota).collect()
    }
}
