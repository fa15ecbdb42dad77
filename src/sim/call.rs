//! A call as it reaches the cloud: its parameters by name, checked for names and types before any rule is asked.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::tencent::wire::Service;

/// A refusal: the vendor's code and a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) code: Cow<'static, str>,
    pub(crate) message: String,
}

impl Refused {
    pub(crate) fn new(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into() }
    }
}

/// What a parameter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Flag,
    Texts,
    Numbers,
    Objects,
}

impl Kind {
    fn fits(self, value: &Value) -> bool {
        let all = |fits: fn(&Value) -> bool| value.as_array().is_some_and(|list| list.iter().all(fits));
        match self {
            Self::Text => value.is_string(),
            Self::Number => value.is_i64() || value.is_u64(),
            Self::Flag => value.is_boolean(),
            Self::Texts => all(Value::is_string),
            Self::Numbers => all(|value| value.is_i64() || value.is_u64()),
            Self::Objects => all(Value::is_object),
        }
    }
}

struct Parameter {
    name: &'static str,
    kind: Kind,
    required: bool,
}

const fn required(name: &'static str, kind: Kind) -> Parameter {
    Parameter { name, kind, required: true }
}

const fn optional(name: &'static str, kind: Kind) -> Parameter {
    Parameter { name, kind, required: false }
}

const IDS: Parameter = required("InstanceIds", Kind::Texts);
const IDS_IF_ANY: Parameter = optional("InstanceIds", Kind::Texts);
const FILTERS: Parameter = optional("Filters", Kind::Objects);
const OFFSET: Parameter = optional("Offset", Kind::Number);
const LIMIT: Parameter = optional("Limit", Kind::Number);
const FORCE_STOP: Parameter = optional("ForceStop", Kind::Flag);

/// The parameters of an action; `None`: there is no such action here.
fn parameters(service: Service, action: &str) -> Option<&'static [Parameter]> {
    Some(match (service, action) {
        (Service::Cvm, "DescribeInstances") => const { &[IDS_IF_ANY, FILTERS, OFFSET, LIMIT] },
        (Service::Cvm, "DescribeInstancesStatus") => const { &[IDS_IF_ANY, OFFSET, LIMIT] },
        (Service::Cvm, "StopInstances") => {
            const { &[IDS, FORCE_STOP, optional("StopType", Kind::Text), optional("StoppedMode", Kind::Text)] }
        }
        (Service::Cvm, "StartInstances") => const { &[IDS] },
        (Service::Cvm, "RebootInstances") => {
            const { &[IDS, optional("ForceReboot", Kind::Flag), optional("StopType", Kind::Text)] }
        }
        (Service::Cvm, "ResetInstancesType") => {
            const { &[IDS, required("InstanceType", Kind::Text), FORCE_STOP] }
        }
        (Service::Cvm, "ResetInstancesPassword") => {
            const { &[IDS, required("Password", Kind::Text), optional("UserName", Kind::Text), FORCE_STOP] }
        }
        (Service::Cvm, "AssociateInstancesKeyPairs" | "DisassociateInstancesKeyPairs") => {
            const { &[IDS, required("KeyIds", Kind::Texts), FORCE_STOP] }
        }
        (Service::Cvm, "DescribeKeyPairs") => {
            const { &[optional("KeyIds", Kind::Texts), FILTERS, OFFSET, LIMIT] }
        }
        (Service::Cvm, "ImportKeyPair") => {
            const {
                &[
                    required("KeyName", Kind::Text),
                    required("ProjectId", Kind::Number),
                    required("PublicKey", Kind::Text),
                    optional("TagSpecification", Kind::Objects),
                ]
            }
        }
        (Service::Cvm, "DescribeInstancesModification") => const { &[IDS, FILTERS] },
        (Service::Cvm, "DescribeInstanceTypeConfigs" | "DescribeZoneInstanceConfigInfos") => {
            const { &[FILTERS] }
        }
        (Service::Cvm, "InquiryPriceResetInstancesType") => {
            const { &[IDS, required("InstanceType", Kind::Text)] }
        }
        (Service::Cvm, "DescribeInstancesOperationLimit") => {
            const { &[IDS, required("Operation", Kind::Text)] }
        }
        (Service::Cvm, "DescribeTaskInfo") => {
            const {
                &[
                    required("Limit", Kind::Number),
                    required("Offset", Kind::Number),
                    optional("Product", Kind::Text),
                    optional("TaskStatus", Kind::Numbers),
                    optional("TaskTypeIds", Kind::Numbers),
                    optional("TaskIds", Kind::Texts),
                    IDS_IF_ANY,
                    optional("Aliases", Kind::Texts),
                    optional("StartDate", Kind::Text),
                    optional("EndDate", Kind::Text),
                    optional("OrderField", Kind::Text),
                    optional("Order", Kind::Number),
                ]
            }
        }
        (Service::Cvm, "DescribeInstancesActionTimer") => {
            const {
                &[
                    optional("ActionTimerIds", Kind::Texts),
                    IDS_IF_ANY,
                    optional("TimerAction", Kind::Text),
                    optional("EndActionTime", Kind::Text),
                    optional("StartActionTime", Kind::Text),
                    optional("StatusList", Kind::Texts),
                ]
            }
        }
        (Service::Cvm, "DescribeRegions" | "DescribeZones") | (Service::Sts, "GetCallerIdentity") => &[],
        (Service::Sts, "AssumeRole") => {
            const {
                &[
                    required("RoleArn", Kind::Text),
                    required("RoleSessionName", Kind::Text),
                    optional("DurationSeconds", Kind::Number),
                    optional("Policy", Kind::Text),
                    optional("ExternalId", Kind::Text),
                    optional("Tags", Kind::Objects),
                    optional("SourceIdentity", Kind::Text),
                    optional("SerialNumber", Kind::Text),
                    optional("TokenCode", Kind::Text),
                ]
            }
        }
        (Service::As, "DescribeAutoScalingInstances") => const { &[IDS_IF_ANY, FILTERS, OFFSET, LIMIT] },
        (Service::Clb, "DescribeLBListeners") => const { &[required("Backends", Kind::Objects)] },
        (Service::Clb, "DescribeTargetHealth") => {
            const {
                &[
                    required("LoadBalancerIds", Kind::Texts),
                    optional("ListenerIds", Kind::Texts),
                    optional("LocationIds", Kind::Texts),
                ]
            }
        }
        _ => return None,
    })
}

/// A call whose parameters have the right names and types.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) service: Service,
    pub(crate) action: &'a str,
    pub(crate) region: &'a str,
    params: &'a Map<String, Value>,
}

impl<'a> Call<'a> {
    /// Checks names and types; the codes are common to all of the vendor's APIs.
    pub(crate) fn new(
        service: Service,
        action: &'a str,
        region: &'a str,
        params: &'a Map<String, Value>,
    ) -> Result<Self, Refused> {
        let Some(known) = parameters(service, action) else {
            let message = format!("The request action=`{action}` is invalid or not found in version.");
            return Err(Refused::new("InvalidAction", message));
        };
        for (name, value) in params {
            let Some(parameter) = known.iter().find(|parameter| parameter.name == name) else {
                let message = format!("The parameter `{name}` is not recognized.");
                return Err(Refused::new("UnknownParameter", message));
            };
            if !parameter.kind.fits(value) {
                let message = format!("The value type of parameter `{name}` is not valid.");
                return Err(Refused::new("InvalidParameter", message));
            }
        }
        for parameter in known.iter().filter(|parameter| parameter.required) {
            if !params.contains_key(parameter.name) {
                let message = format!("The request is missing a required parameter `{}`.", parameter.name);
                return Err(Refused::new("MissingParameter", message));
            }
        }
        Ok(Self { service, action, region, params })
    }

    pub(crate) fn text(&self, name: &str) -> Option<&'a str> {
        self.params.get(name).and_then(Value::as_str)
    }

    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.params.get(name).and_then(Value::as_i64)
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.params.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.params.contains_key(name)
    }

    pub(crate) fn texts(&self, name: &str) -> Vec<&'a str> {
        let list = self.params.get(name).and_then(Value::as_array);
        list.map(|list| list.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
    }

    pub(crate) fn numbers(&self, name: &str) -> Vec<i64> {
        let list = self.params.get(name).and_then(Value::as_array);
        list.map(|list| list.iter().filter_map(Value::as_i64).collect()).unwrap_or_default()
    }

    pub(crate) fn objects(&self, name: &str) -> &'a [Value] {
        self.params.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The filters, name by name.
    pub(crate) fn filters(&self, known: &[&str], most_values: usize) -> Result<Vec<Wanted<'a>>, Refused> {
        let filters = self.objects("Filters");
        if filters.len() > 10 {
            return Err(Refused::new("InvalidFilterValue.LimitExceeded", "There are more than 10 filters."));
        }
        filters
            .iter()
            .map(|filter| {
                let name = filter.get("Name").and_then(Value::as_str);
                let values = filter.get("Values").and_then(Value::as_array);
                let (Some(name), Some(values)) = (name, values) else {
                    return Err(Refused::new("InvalidFilter", "A filter needs `Name` and `Values`."));
                };
                if !known.contains(&name) && !(name.starts_with("tag:") && known.contains(&"tag:")) {
                    return Err(Refused::new("InvalidFilter", format!("There is no filter `{name}`.")));
                }
                if values.len() > most_values {
                    let message = format!("The filter `{name}` has more than {most_values} values.");
                    return Err(Refused::new("InvalidFilterValue.LimitExceeded", message));
                }
                Ok(Wanted { name, values: values.iter().filter_map(Value::as_str).collect() })
            })
            .collect()
    }

    /// `Offset` and `Limit`, the latter 20 unless given and 100 at most.
    pub(crate) fn page(&self) -> Result<(usize, usize), Refused> {
        let number = |name: &str, default: i64, range: std::ops::RangeInclusive<i64>| {
            let value = self.number(name).unwrap_or(default);
            let refused = || {
                let message = format!("The parameter `{name}` is out of range: {value}.");
                Refused::new("InvalidParameterValue.LimitExceeded", message)
            };
            if range.contains(&value) {
                usize::try_from(value).map_err(|_| refused())
            } else {
                Err(refused())
            }
        };
        Ok((number("Offset", 0, 0..=i64::MAX)?, number("Limit", 20, 1..=100)?))
    }
}

/// A filter: one of `values` must fit.
#[derive(Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) name: &'a str,
    pub(crate) values: Vec<&'a str>,
}

impl Wanted<'_> {
    pub(crate) fn has(&self, value: &str) -> bool {
        self.values.contains(&value)
    }
}
