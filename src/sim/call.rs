//! A call as it reaches the cloud: its parameters by name, checked for names and types before any rule is asked.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::parameters::parameters;
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

    /// Whether the region that it names matters.
    pub(crate) fn is_regional(&self) -> bool {
        self.service != Service::Sts && self.action != "DescribeRegions"
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
                let tag = name.starts_with("tag:") && known.contains(&"tag:");
                if !tag && !known.contains(&name) {
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
