//! Types, stock and prices.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::api::fields;
use super::call::{Call, Refused};
use super::fleet::{Offer, StockWord};
use super::world::World;
use crate::cloud::{BATCH, ChargeType, InstanceType};

type Fields = Result<Map<String, Value>, Refused>;

/// How often a prepaid instance may be made smaller.
pub(crate) const DOWNGRADES: u32 = 5;
/// Hours of a prepaid month.
const MONTH: f64 = 720.0;

pub(crate) fn sold_out() -> Refused {
    let message = "The specified instance type is sold out.";
    Refused::new("ResourcesSoldOut.SpecifiedInstanceType", message)
}

/// How many public addresses an instance of so many cores carries (CVM, usage limits).
pub(crate) fn addresses_of(cpu: u32) -> usize {
    match cpu {
        0..=5 => 2,
        6..=11 => 3,
        12..=17 => 4,
        18..=23 => 5,
        24..=29 => 6,
        30..=35 => 7,
        36..=41 => 8,
        42..=47 => 9,
        48.. => 10,
    }
}

impl World {
    pub(crate) fn describe_modification(&self, call: &Call<'_>) -> Fields {
        let filters = call.filters(&["status"], 2)?;
        let places = self.named(call, 20)?;
        let zone = &self.machines[places[0]].spec.zone;
        if places.iter().any(|index| self.machines[*index].spec.zone != *zone) {
            let message = "The instances are in different zones.";
            return Err(Refused::new("FailedOperation.ZoneInconsistent", message));
        }
        let never = places.iter().find(|index| {
            let spec = &self.machines[**index].spec;
            spec.host.is_some() || spec.charge_type == ChargeType::Spotpaid
        });
        if let Some(index) = never {
            let message = format!("The instance `{}` is not supported.", self.machines[*index].spec.id);
            return Err(Refused::new("InvalidInstance.NotSupported", message));
        }
        let mut set = Vec::new();
        for offer in self.sold_in(zone) {
            let refused = places.iter().find_map(|index| self.resizable(*index, &offer.name).err());
            let status = if refused.is_none() { "SELL" } else { "UNAVAILABLE" };
            if filters.iter().all(|wanted| wanted.has(status)) {
                set.push(json!({
                    "Status": status,
                    "Message": refused.map(|refused| refused.message).unwrap_or_default(),
                    "InstanceTypeConfig": config(zone, offer),
                }));
            }
        }
        Ok(fields([("TotalCount", json!(set.len())), ("InstanceTypeConfigStatusSet", Value::Array(set))]))
    }

    pub(crate) fn describe_type_configs(&self, call: &Call<'_>) -> Fields {
        let filters = call.filters(&["zone", "instance-family", "instance-type"], 1)?;
        let offers = self.offers(call.region);
        let set: Vec<Value> = offers
            .filter(|(zone, offer)| {
                filters.iter().all(|wanted| match wanted.name {
                    "zone" => wanted.has(zone),
                    "instance-family" => wanted.has(offer.name.family()),
                    _ => wanted.has(offer.name.as_str()),
                })
            })
            .map(|(zone, offer)| config(zone, offer))
            .collect();
        Ok(fields([("InstanceTypeConfigSet", Value::Array(set))]))
    }

    pub(crate) fn describe_zone_offers(&self, call: &Call<'_>) -> Fields {
        let known = ["zone", "instance-family", "instance-type", "instance-charge-type", "sort-keys"];
        let filters = call.filters(&known, 100)?;
        let mut set = Vec::new();
        for (zone, offer) in self.offers(call.region) {
            for charge_type in [ChargeType::PostpaidByHour, ChargeType::Prepaid] {
                let fits = filters.iter().all(|wanted| match wanted.name {
                    "zone" => wanted.has(zone),
                    "instance-family" => wanted.has(offer.name.family()),
                    "instance-type" => wanted.has(offer.name.as_str()),
                    "instance-charge-type" => wanted.has(charge_type.as_str()),
                    _ => true,
                });
                if fits {
                    set.push(self.quota(zone, offer, &charge_type));
                }
            }
        }
        Ok(fields([("InstanceTypeQuotaSet", Value::Array(set))]))
    }

    pub(crate) fn inquire_resize_price(&self, call: &Call<'_>) -> Fields {
        let index = self.named(call, 1)?[0];
        let name = InstanceType::new(call.text("InstanceType").unwrap_or_default());
        let offer = self.resizable(index, &name)?;
        let price = if self.machines[index].spec.charge_type == ChargeType::Prepaid {
            let due = rounded(self.resize_bill(index, offer));
            json!({"OriginalPrice": due, "DiscountPrice": due, "Discount": 100.0})
        } else {
            let hour = offer.price;
            json!({"UnitPrice": hour, "UnitPriceDiscount": hour, "ChargeUnit": "HOUR", "Discount": 100.0})
        };
        Ok(fields([("Price", json!({"InstancePrice": price}))]))
    }

    /// What a resize costs at once: the rest of the prepaid time at the difference of the prices,
    /// or one hour of the new price that is frozen on the account.
    pub(crate) fn resize_bill(&self, index: usize, offer: &Offer) -> f64 {
        let machine = &self.machines[index];
        if machine.spec.charge_type != ChargeType::Prepaid {
            return offer.price;
        }
        let old = self.offer(&machine.face.size.name).map_or(0.0, |offer| offer.price);
        let left = machine.spec.expires.map_or(MONTH, |expires| hours(self.now, expires));
        (offer.price - old) * left / 2.0
    }

    pub(crate) fn describe_operation_limit(&self, call: &Call<'_>) -> Fields {
        let operation = call.text("Operation").unwrap_or_default();
        if !["INSTANCE_DEGRADE", "INTERNET_CHARGE_TYPE_CHANGE"].contains(&operation) {
            let message = format!("The parameter `Operation` can't be `{operation}`.");
            return Err(Refused::new("InvalidParameterValue", message));
        }
        let set: Vec<Value> = self
            .named(call, BATCH)?
            .into_iter()
            .map(|index| {
                let machine = &self.machines[index];
                let (count, limit) = if machine.spec.charge_type == ChargeType::Prepaid {
                    (i64::from(machine.downgrades), i64::from(DOWNGRADES))
                } else {
                    (-1, -1)
                };
                json!({
                    "Operation": operation, "InstanceId": machine.spec.id,
                    "CurrentCount": count, "LimitCount": limit,
                })
            })
            .collect();
        Ok(fields([("InstanceOperationLimitSet", Value::Array(set))]))
    }

    fn sold_in(&self, zone: &str) -> impl Iterator<Item = &Offer> {
        self.fleet.catalogue.iter().filter(move |offer| !offer.not_in.iter().any(|other| other == zone))
    }

    fn offers(&self, region: &str) -> impl Iterator<Item = (&str, &Offer)> {
        let zones = self.fleet.zones.iter().map(String::as_str);
        zones
            .filter(move |zone| super::fleet::region_of(zone) == Some(region))
            .flat_map(|zone| self.sold_in(zone).map(move |offer| (zone, offer)))
    }

    fn quota(&self, zone: &str, offer: &Offer, charge_type: &ChargeType) -> Value {
        let stock = self.stock.get(&offer.name).copied().unwrap_or_default();
        let sold_out = stock == StockWord::None;
        let price = if *charge_type == ChargeType::Prepaid {
            let month = rounded(offer.price * MONTH / 2.0);
            json!({"OriginalPrice": month, "DiscountPrice": month, "Discount": 100.0})
        } else {
            let hour = offer.price;
            json!({"UnitPrice": hour, "UnitPriceDiscount": hour, "ChargeUnit": "HOUR", "Discount": 100.0})
        };
        json!({
            "Zone": zone,
            "InstanceType": offer.name,
            "InstanceChargeType": charge_type,
            "NetworkCard": 25,
            "Externals": {},
            "Cpu": offer.cpu,
            "Memory": offer.memory,
            "InstanceFamily": offer.name.family(),
            "TypeName": format!("Standard {}", offer.name.family()),
            "LocalDiskTypeList": [],
            "Status": if sold_out { "SOLD_OUT" } else { "SELL" },
            "Price": price,
            "SoldOutReason": if sold_out { "There is no stock left in this zone." } else { "" },
            "InstanceBandwidth": 1.5,
            "InstancePps": 30,
            "StorageBlockAmount": 0,
            "CpuType": "Intel Xeon",
            "Gpu": 0,
            "Fpga": 0,
            "Remark": "",
            "GpuCount": 0.0,
            "Frequency": "2.5GHz",
            "StatusCategory": match stock {
                StockWord::Enough => "EnoughStock",
                StockWord::Normal => "NormalStock",
                StockWord::Low => "UnderStock",
                StockWord::None => "WithoutStock",
            },
        })
    }
}

fn config(zone: &str, offer: &Offer) -> Value {
    json!({
        "Zone": zone, "InstanceType": offer.name, "InstanceFamily": offer.name.family(),
        "GPU": 0, "CPU": offer.cpu, "Memory": offer.memory, "FPGA": 0, "GpuCount": 0.0,
    })
}

fn hours(from: Timestamp, to: Timestamp) -> f64 {
    crate::clock::between(from, to).as_secs_f64() / 3600.0
}

/// Yuan to the fen.
fn rounded(yuan: f64) -> f64 {
    (yuan * 100.0).round() / 100.0
}
