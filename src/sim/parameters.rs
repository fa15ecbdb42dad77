//! The parameters of every action: names, types, and which are required.

use serde_json::Value;

use crate::tencent::wire::Service;

/// What a parameter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Number,
    Flag,
    Texts,
    Numbers,
    Objects,
}

impl Kind {
    pub(crate) fn fits(self, value: &Value) -> bool {
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

/// A parameter of an action.
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
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
const STOP_TYPE: Parameter = optional("StopType", Kind::Text);
const TYPE: Parameter = required("InstanceType", Kind::Text);
const KEYS: Parameter = required("KeyIds", Kind::Texts);

/// What each action takes, from the vendor's API model.
const ACTIONS: &[(Service, &str, &[Parameter])] = &[
    (Service::Cvm, "DescribeInstances", &[IDS_IF_ANY, FILTERS, OFFSET, LIMIT]),
    (Service::Cvm, "DescribeInstancesStatus", &[IDS_IF_ANY, OFFSET, LIMIT]),
    (Service::Cvm, "StopInstances", &[IDS, FORCE_STOP, STOP_TYPE, optional("StoppedMode", Kind::Text)]),
    (Service::Cvm, "StartInstances", &[IDS]),
    (Service::Cvm, "RebootInstances", &[IDS, optional("ForceReboot", Kind::Flag), STOP_TYPE]),
    (Service::Cvm, "ResetInstancesType", &[IDS, TYPE, FORCE_STOP]),
    (
        Service::Cvm,
        "ResetInstancesPassword",
        &[IDS, required("Password", Kind::Text), optional("UserName", Kind::Text), FORCE_STOP],
    ),
    (Service::Cvm, "AssociateInstancesKeyPairs", &[IDS, KEYS, FORCE_STOP]),
    (Service::Cvm, "DisassociateInstancesKeyPairs", &[IDS, KEYS, FORCE_STOP]),
    (Service::Cvm, "DescribeKeyPairs", &[optional("KeyIds", Kind::Texts), FILTERS, OFFSET, LIMIT]),
    (
        Service::Cvm,
        "ImportKeyPair",
        &[
            required("KeyName", Kind::Text),
            required("ProjectId", Kind::Number),
            required("PublicKey", Kind::Text),
            optional("TagSpecification", Kind::Objects),
        ],
    ),
    (Service::Cvm, "DescribeInstancesModification", &[IDS, FILTERS]),
    (Service::Cvm, "DescribeInstanceTypeConfigs", &[FILTERS]),
    (Service::Cvm, "DescribeZoneInstanceConfigInfos", &[FILTERS]),
    (Service::Cvm, "InquiryPriceResetInstancesType", &[IDS, TYPE]),
    (Service::Cvm, "DescribeInstancesOperationLimit", &[IDS, required("Operation", Kind::Text)]),
    (
        Service::Cvm,
        "DescribeTaskInfo",
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
        ],
    ),
    (
        Service::Cvm,
        "DescribeInstancesActionTimer",
        &[
            optional("ActionTimerIds", Kind::Texts),
            IDS_IF_ANY,
            optional("TimerAction", Kind::Text),
            optional("EndActionTime", Kind::Text),
            optional("StartActionTime", Kind::Text),
            optional("StatusList", Kind::Texts),
        ],
    ),
    (Service::Cvm, "DescribeRegions", &[]),
    (Service::Cvm, "DescribeZones", &[]),
    (Service::Sts, "GetCallerIdentity", &[]),
    (
        Service::Sts,
        "AssumeRole",
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
        ],
    ),
    (Service::As, "DescribeAutoScalingInstances", &[IDS_IF_ANY, FILTERS, OFFSET, LIMIT]),
    (Service::Clb, "DescribeLBListeners", &[required("Backends", Kind::Objects)]),
    (
        Service::Clb,
        "DescribeTargetHealth",
        &[
            required("LoadBalancerIds", Kind::Texts),
            optional("ListenerIds", Kind::Texts),
            optional("LocationIds", Kind::Texts),
        ],
    ),
];

/// The parameters of an action; `None`: there is no such action here.
pub(crate) fn parameters(service: Service, action: &str) -> Option<&'static [Parameter]> {
    let known = ACTIONS.iter().find(|(own, name, _)| *own == service && *name == action);
    known.map(|(_, _, parameters)| *parameters)
}
