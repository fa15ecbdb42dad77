//! The mutating calls: what the vendor checks, in which order, and with which code it refuses.
//!
//! A batch with one instance that can't take the call is refused as a whole, and the message names that instance.

use serde_json::{Map, Value};

use super::api::Context;
use super::call::{Call, Refused};
use super::fault::What;
use super::fleet::{Offer, is_id};
use super::instances::{is_windows, login_user};
use super::log::Actor;
use super::machine::Size;
use super::operate::Order;
use super::rules::Mutation;
use super::world::World;
use crate::cloud::password::{self, Rule};
use crate::cloud::{BATCH, ChargeType, InstanceType, KeyId, StopMode};

type Fields = Result<Map<String, Value>, Refused>;

impl World {
    pub(crate) fn stop_instances(&mut self, call: &Call<'_>, context: &Context<'_>) -> Fields {
        if call.has("ForceStop") && call.has("StopType") {
            let message = "The parameters `ForceStop` and `StopType` can't be given together.";
            return Err(Refused::new("InvalidParameterCombination", message));
        }
        let mode = match stop_type(call)? {
            None if call.flag("ForceStop") => StopMode::Hard,
            mode => mode.unwrap_or_default(),
        };
        let give_back = match call.text("StoppedMode") {
            None | Some("KEEP_CHARGING") => false,
            Some("STOP_CHARGING") => true,
            Some(other) => return Err(bad_value("StoppedMode", other)),
        };
        self.batch(call, context, &Order::Stop { mode, give_back })
    }

    pub(crate) fn start_instances(&mut self, call: &Call<'_>, context: &Context<'_>) -> Fields {
        self.batch(call, context, &Order::Start)
    }

    pub(crate) fn reboot_instances(&mut self, call: &Call<'_>, context: &Context<'_>) -> Fields {
        stop_type(call)?;
        self.batch(call, context, &Order::Reboot)
    }

    pub(crate) fn reset_instances_password(&mut self, call: &Call<'_>, context: &Context<'_>) -> Fields {
        let places = self.named(call, BATCH)?;
        let password = call.text("Password").unwrap_or_default();
        let windows = places.iter().any(|index| is_windows(&self.machines[*index].spec.os));
        let rule = if windows { Rule::Windows } else { Rule::Linux };
        let given = call.text("UserName").filter(|user| !user.is_empty());
        if given.is_some_and(|user| user.chars().count() > 64) {
            let message = "The parameter `UserName` has more than 64 characters.";
            return Err(Refused::new("InvalidParameterValue.TooLong", message));
        }
        for index in &places {
            let user = given.unwrap_or_else(|| login_user(&self.machines[*index].spec.os));
            password::check(password, user, rule).map_err(|weakness| {
                let message = format!("The specified password is invalid: {weakness}.");
                Refused::new("InvalidParameterValue.InvalidPassword", message)
            })?;
        }
        self.check_states(&places, Mutation::Password, call.flag("ForceStop"))?;
        for index in places {
            let user = given.unwrap_or_else(|| login_user(&self.machines[index].spec.os)).to_owned();
            let order = Order::Password { user, password: password.into() };
            self.accept(index, context, order);
        }
        Ok(Map::new())
    }

    pub(crate) fn bind_keys(&mut self, call: &Call<'_>, context: &Context<'_>, bind: bool) -> Fields {
        let places = self.named(call, BATCH)?;
        let names = call.texts("KeyIds");
        if names.is_empty() {
            return Err(Refused::new("MissingParameter", "The parameter `KeyIds` is empty."));
        }
        if names.len() > BATCH {
            let message = "There are more than 100 key pairs.";
            return Err(Refused::new("InvalidParameterValue.LimitExceeded", message));
        }
        for name in &names {
            if !is_id(name, "skey-") {
                let message = format!("The key pair id `{name}` is malformed.");
                return Err(Refused::new("InvalidKeyPairId.Malformed", message));
            }
            if !self.keys.iter().any(|key| key.id.as_str() == *name) {
                let message = format!("The key pair `{name}` does not exist.");
                return Err(Refused::new("InvalidKeyPairId.NotFound", message));
            }
        }
        if let Some(index) = places.iter().find(|index| is_windows(&self.machines[**index].spec.os)) {
            let message = format!("The instance `{}` runs Windows.", self.machines[*index].spec.id);
            return Err(Refused::new("UnsupportedOperation.InstanceOsWindows", message));
        }
        let keys: Vec<KeyId> = names.into_iter().map(KeyId::from).collect();
        let order = if bind { Order::Associate(keys) } else { Order::Disassociate(keys) };
        self.check_states(&places, order.mutation(), call.flag("ForceStop"))?;
        for index in places {
            self.accept(index, context, order.clone());
        }
        Ok(Map::new())
    }

    pub(crate) fn reset_instances_type(&mut self, call: &Call<'_>, context: &Context<'_>) -> Fields {
        let index = self.named(call, 1)?[0];
        let name = InstanceType::new(call.text("InstanceType").unwrap_or_default());
        if self.machines[index].spec.charge_type == ChargeType::Spotpaid {
            let message = format!("The instance `{}` is a spot instance.", self.machines[index].spec.id);
            return Err(Refused::new("UnsupportedOperation.NoInstanceTypeSupportSpot", message));
        }
        let offer = self.resizable(index, &name)?.clone();
        self.check_states(&[index], Mutation::Resize, call.flag("ForceStop"))?;
        let bill = self.resize_bill(index, &offer);
        if bill > self.balance {
            let message = "The balance of the account is insufficient.";
            return Err(Refused::new("InvalidAccount.InsufficientBalance", message));
        }
        let machine = &mut self.machines[index];
        if machine.spec.charge_type == ChargeType::Prepaid {
            self.balance -= bill;
            let size = &machine.face.size;
            machine.downgrades += u32::from(offer.cpu < size.cpu || offer.memory < size.memory);
        }
        let size = Size { name, cpu: offer.cpu, memory: offer.memory };
        self.accept(index, context, Order::Resize(size));
        Ok(Map::new())
    }

    /// Whether the vendor would make this instance one of that type, its power state aside.
    pub(crate) fn resizable(&self, index: usize, name: &InstanceType) -> Result<&Offer, Refused> {
        let machine = &self.machines[index];
        let spec = &machine.spec;
        let refused = |code: &'static str, what: &str| {
            Err(Refused::new(code, format!("The instance `{}` {what}.", spec.id)))
        };
        if !name.as_str().contains('.') {
            let message = format!("The instance type `{name}` is malformed.");
            return Err(Refused::new("InvalidInstanceType.Malformed", message));
        }
        let Some(offer) = self.offer(name).filter(|offer| !offer.not_in.contains(&spec.zone)) else {
            let message = format!("The instance type `{name}` is not sold in {}.", spec.zone);
            return Err(Refused::new("ResourceUnavailable.InstanceType", message));
        };
        if spec.host.is_some() {
            return refused(
                "InvalidParameter.HostIdStandardInstanceTypeNotSupport",
                "is on a dedicated host",
            );
        }
        if spec.charge_type == ChargeType::Spotpaid {
            return refused("InvalidInstance.NotSupported", "is a spot instance");
        }
        let local = |kind: &String| kind.starts_with("LOCAL_");
        if local(&spec.system_disk) || spec.data_disks.iter().any(local) {
            return refused("UnsupportedOperation.LocalDataDiskChangeInstanceFamily", "has a local disk");
        }
        if machine.face.size.name == *name {
            return refused("UnsupportedOperation.OriginalInstanceTypeInvalid", "has that type already");
        }
        let most = super::catalogue::addresses_of(offer.cpu);
        if machine.face.public_ips.len() > most {
            return refused("LimitExceeded.EipNumLimit", "has more public addresses than that type carries");
        }
        let smaller = offer.cpu < machine.face.size.cpu || offer.memory < machine.face.size.memory;
        let used_up = machine.downgrades >= super::catalogue::DOWNGRADES;
        if smaller && spec.charge_type == ChargeType::Prepaid && used_up {
            return refused("InvalidPermission", "has been made smaller as often as is allowed");
        }
        if self.stock.get(name) == Some(&super::fleet::StockWord::None) {
            return Err(super::catalogue::sold_out());
        }
        Ok(offer)
    }

    fn batch(&mut self, call: &Call<'_>, context: &Context<'_>, order: &Order) -> Fields {
        let places = self.named(call, BATCH)?;
        self.check_states(&places, order.mutation(), false)?;
        for index in places {
            self.accept(index, context, order.clone());
        }
        Ok(Map::new())
    }

    fn check_states(&self, places: &[usize], mutation: Mutation, forced: bool) -> Result<(), Refused> {
        let mut seen = std::collections::BTreeSet::new();
        for index in places {
            let machine = &self.machines[*index];
            let id = &machine.spec.id;
            if !seen.insert(index) {
                let message = format!("The instance `{id}` is named twice.");
                return Err(Refused::new("InvalidParameterValue", message));
            }
            if let Some(code) = self.refusal(*index, mutation, forced) {
                let message = format!("The instance `{id}` is in the state {}.", machine.face.power);
                return Err(Refused::new(code, message));
            }
        }
        Ok(())
    }

    fn accept(&mut self, index: usize, context: &Context<'_>, order: Order) {
        let id = self.machines[index].spec.id.as_str();
        let hits = context.strikes.iter().filter(|strike| strike.hits(id));
        let mishaps: Vec<What> = hits.map(|strike| strike.what.clone()).collect();
        self.operate(index, context.at, context.request, Actor::Caller, order, &mishaps);
    }
}

fn stop_type(call: &Call<'_>) -> Result<Option<StopMode>, Refused> {
    Ok(match call.text("StopType") {
        None => None,
        Some("SOFT") => Some(StopMode::Soft),
        Some("SOFT_FIRST") => Some(StopMode::SoftFirst),
        Some("HARD") => Some(StopMode::Hard),
        Some(other) => return Err(bad_value("StopType", other)),
    })
}

fn bad_value(name: &str, value: &str) -> Refused {
    Refused::new("InvalidParameterValue", format!("The parameter `{name}` can't be `{value}`."))
}
