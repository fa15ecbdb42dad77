//! The actions: which function answers which, and what is common to all of them.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::call::{Call, Refused};
use super::fault::{Strike, What};
use super::fleet::is_id;
use super::world::World;
use crate::cloud::BATCH;
use crate::tencent::wire::Service;

/// Who called, and what strikes the call.
pub(crate) struct Context<'a> {
    pub(crate) at: Timestamp,
    pub(crate) secret_id: &'a str,
    pub(crate) request: &'a str,
    pub(crate) strikes: &'a [Strike],
}

impl Context<'_> {
    /// The time that a read sees.
    pub(crate) fn seen(&self) -> Timestamp {
        let stale = self.strikes.iter().find_map(|strike| match strike.what {
            What::Stale(ago) => Some(ago),
            _ => None,
        });
        self.at - stale.unwrap_or(Duration::ZERO)
    }
}

impl World {
    /// Answers a call that is signed well, at the time that the world has been brought forward to.
    pub(crate) fn answer(&mut self, call: &Call<'_>, context: &Context<'_>) -> Result<Body, Refused> {
        let region = if call.is_regional() { call.region } else { "" };
        self.admit(region, call.action, context.at)?;
        self.permit(call, context)?;
        for strike in context.strikes {
            match &strike.what {
                What::Throttle => return Err(super::world::over_limit(11, 10)),
                What::InternalError => {
                    return Err(Refused::new("InternalServerError", "An internal error has occurred."));
                }
                What::SoldOut => return Err(super::catalogue::sold_out()),
                What::Refuse(code) => return Err(Refused::new(code.clone(), "Refused by the fault script.")),
                _ => {}
            }
        }
        if (call.service, call.action) == (Service::Cvm, "DescribeInstances") {
            return self.describe_instances(call, context);
        }
        self.dispatch(call, context).map(Body::from)
    }

    fn dispatch(&mut self, call: &Call<'_>, context: &Context<'_>) -> Result<Map<String, Value>, Refused> {
        match (call.service, call.action) {
            (Service::Cvm, "DescribeInstancesStatus") => self.describe_instances_status(call, context),
            (Service::Cvm, "StopInstances") => self.stop_instances(call, context),
            (Service::Cvm, "StartInstances") => self.start_instances(call, context),
            (Service::Cvm, "RebootInstances") => self.reboot_instances(call, context),
            (Service::Cvm, "ResetInstancesType") => self.reset_instances_type(call, context),
            (Service::Cvm, "ResetInstancesPassword") => self.reset_instances_password(call, context),
            (Service::Cvm, "AssociateInstancesKeyPairs") => self.bind_keys(call, context, true),
            (Service::Cvm, "DisassociateInstancesKeyPairs") => self.bind_keys(call, context, false),
            (Service::Cvm, "DescribeKeyPairs") => self.describe_key_pairs(call),
            (Service::Cvm, "ImportKeyPair") => self.import_key_pair(call, context),
            (Service::Cvm, "DescribeInstancesModification") => self.describe_modification(call),
            (Service::Cvm, "DescribeInstanceTypeConfigs") => self.describe_type_configs(call),
            (Service::Cvm, "DescribeZoneInstanceConfigInfos") => self.describe_zone_offers(call),
            (Service::Cvm, "InquiryPriceResetInstancesType") => self.inquire_resize_price(call),
            (Service::Cvm, "DescribeInstancesOperationLimit") => self.describe_operation_limit(call),
            (Service::Cvm, "DescribeTaskInfo") => self.describe_task_info(call),
            (Service::Cvm, "DescribeInstancesActionTimer") => self.describe_action_timer(call),
            (Service::Cvm, "DescribeRegions") => Ok(self.describe_regions()),
            (Service::Cvm, "DescribeZones") => Ok(self.describe_zones(call)),
            (Service::Sts, "GetCallerIdentity") => Ok(self.get_caller_identity(context)),
            (Service::Sts, "AssumeRole") => self.assume_role(call),
            (Service::As, "DescribeAutoScalingInstances") => self.describe_scaling_instances(call),
            (Service::Clb, "DescribeLBListeners") => self.describe_listeners(call),
            (Service::Clb, "DescribeTargetHealth") => self.describe_target_health(call, context),
            (_, action) => Err(Refused::new("InvalidAction", format!("There is no action `{action}` here."))),
        }
    }

    fn permit(&self, call: &Call<'_>, context: &Context<'_>) -> Result<(), Refused> {
        self.authorise(call, context.secret_id)?;
        if !call.is_regional() || self.has_region(call.region) {
            return Ok(());
        }
        if call.region.is_empty() {
            let message = "The request is missing a required parameter `Region`.";
            return Err(Refused::new("MissingParameter", message));
        }
        let message = format!("The request region={} is not supported.", call.region);
        Err(Refused::new("UnsupportedRegion", message))
    }

    /// The places of the instances that a call names: well-formed, at most so many, and all there.
    pub(crate) fn named(&self, call: &Call<'_>, most: usize) -> Result<Vec<usize>, Refused> {
        let ids = well_formed(call, most)?;
        if ids.is_empty() {
            return Err(Refused::new("MissingParameter", "The parameter `InstanceIds` is empty."));
        }
        ids.into_iter()
            .map(|id| {
                self.find(id).filter(|index| self.in_region(*index, call.region)).ok_or_else(|| {
                    Refused::new("InvalidInstanceId.NotFound", format!("The instance `{id}` does not exist."))
                })
            })
            .collect()
    }

    /// Whether a machine lies in the region that was called.
    pub(crate) fn in_region(&self, index: usize, region: &str) -> bool {
        super::fleet::region_of(&self.machines[index].spec.zone) == Some(region)
    }
}

/// The ids that a call names, if they look like ids and are not too many.
pub(crate) fn well_formed<'a>(call: &Call<'a>, most: usize) -> Result<Vec<&'a str>, Refused> {
    let ids = call.texts("InstanceIds");
    if ids.len() > most {
        let message = format!("There are {} instances; at most {most} are allowed.", ids.len());
        return Err(Refused::new("InvalidParameterValue.LimitExceeded", message));
    }
    match ids.iter().find(|id| !is_id(id, "ins-")) {
        Some(id) => {
            Err(Refused::new("InvalidInstanceId.Malformed", format!("The instance id `{id}` is malformed.")))
        }
        None => Ok(ids),
    }
}

/// One page of a list.
pub(crate) fn page<T>(call: &Call<'_>, all: impl Iterator<Item = T>) -> Result<(usize, Vec<T>), Refused> {
    let (offset, limit) = call.page()?;
    let mut total = 0;
    let mut page = Vec::with_capacity(limit.min(BATCH));
    for (number, item) in all.enumerate() {
        total += 1;
        if number >= offset && page.len() < limit {
            page.push(item);
        }
    }
    Ok((total, page))
}

/// The fields of an answer, before the request's id joins them.
pub(crate) enum Body {
    /// As values.
    Fields(Map<String, Value>),
    /// As JSON, without the braces; at least one.
    Text(String),
}

impl From<Map<String, Value>> for Body {
    fn from(fields: Map<String, Value>) -> Self {
        Self::Fields(fields)
    }
}

/// The fields of an answer.
pub(crate) fn fields<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
