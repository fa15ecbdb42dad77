//! What an error code of the vendor's means: the one place that knows.
//!
//! A full code is looked up first, then the rules on prefixes. Nothing else in the crate matches on codes, and
//! nothing at all matches on messages, whose language the request chooses.
//! Sources: the error lists of the official SDKs, per action; meanings from the pages of the CVM API.

use crate::cloud::{ErrorKind, Sent};

/// Whether a call changes anything: decides what a failure leaves open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It only reads: may be repeated at will.
    Read,
    /// It changes something: is never repeated unless the cloud surely refused it.
    Write,
}

/// What a code means, for a program and for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What to do about it.
    pub kind: ErrorKind,
    /// What it means; a fragment without a full stop.
    pub words: &'static str,
    /// What a person can do about it.
    pub mend: &'static str,
    /// The code itself is known; otherwise only its prefix is, or nothing.
    pub known: bool,
}

/// The kind of an error code, and whether a call that was answered with it may have been executed.
/// An answer with a code is a refusal, except for failures on the cloud's side and codes nobody knows.
pub fn classify(code: &str, effect: Effect) -> (ErrorKind, Sent) {
    let kind = explain(code).kind;
    let sent = match (kind, effect) {
        (ErrorKind::Server | ErrorKind::Network, Effect::Write) => Sent::Maybe,
        _ => Sent::No,
    };
    (kind, sent)
}

/// What a code means.
pub fn explain(code: &str) -> Explanation {
    for (kind, words, mend, codes) in GROUPS {
        if codes.contains(&code) {
            return Explanation { kind: *kind, words, mend, known: true };
        }
    }
    let group = PREFIXES.iter().find(|(prefix, ..)| code.starts_with(prefix));
    let (_, kind, words) = group.copied().unwrap_or(UNKNOWN);
    Explanation { kind, words, mend: kind.hint(), known: false }
}

/// Whether a refusal may mean that the call names too many things at once. The vendor's products don't agree on a code.
pub(super) fn may_be_too_many(code: &str) -> bool {
    const CODES: [&str; 8] = [
        "InvalidParameter",
        "InvalidParameterValue",
        "InvalidParameterValue.Length",
        "InvalidParameterValue.LimitExceeded",
        "InvalidParameterValue.Range",
        "LimitExceeded",
        "RequestSizeLimitExceeded",
        "ResponseSizeLimitExceeded",
    ];
    CODES.contains(&code)
}

/// Every code that is known by its full name, with what it means; codes that mean the same stand together.
pub fn codes() -> impl Iterator<Item = (&'static str, Explanation)> {
    GROUPS.iter().flat_map(|(kind, words, mend, codes)| {
        let explanation = Explanation { kind: *kind, words, mend, known: true };
        codes.iter().map(move |code| (*code, explanation))
    })
}

/// The beginnings by which codes are judged that are not known by their full names.
pub fn prefixes() -> impl Iterator<Item = &'static str> {
    PREFIXES.iter().map(|(prefix, ..)| *prefix)
}

/// A code that fits no rule: the cloud failed in a way we can't judge, so a write has to be looked at.
const UNKNOWN: (&str, ErrorKind, &str) = ("", ErrorKind::Server, "a code that this version does not know");

/// What to do, what it means, what a person can do, and the codes.
type Group = (ErrorKind, &'static str, &'static str, &'static [&'static str]);

#[rustfmt::skip]
const GROUPS: &[Group] = &[
    (ErrorKind::Throttled, "too many calls of this action in a second",
        "nothing, if it passes; other programs of the account share the ceiling, so run fewer of them at a time", &[
        "RequestLimitExceeded",
        "RequestLimitExceeded.UinLimitExceeded",
        "RequestLimitExceeded.GlobalRegionUinLimitExceeded",
        "RequestLimitExceeded.IPLimitExceeded",
    ]),
    (ErrorKind::Server, "a failure inside the cloud",
        "try again; if it stays, give the request id to the vendor's support", &[
        "InternalError",
        "InternalServerError",
        "ServiceUnavailable",
        "CallCvmError",
    ]),
    (ErrorKind::Server, "the order system failed; look for an unpaid or a paid order before trying again",
        "look at the orders in the console: pay or cancel the one that is open, then try again", &[
        "InternalError.TradeUnknownError",
    ]),
    (ErrorKind::Busy, "another operation on the instance has not ended",
        "wait until it has ended; the console shows which one it is", &[
        "MutexOperation.TaskRunning",
        "OperationDenied.InstanceOperationInProgress",
        "OperationDenied.InstanceStatusLimitError",
        "ResourceInUse",
        "InvalidParameterValue.InvalidImageState",
        "UnsupportedOperation.LocalDiskMigratingToCloudDisk",
        "InvalidInstanceState",
        "FailedOperation.ResourceInOperating",
        "ResourceUnavailable.AutoScalingGroupInActivity",
        "ResourceUnavailable.AutoScalingGroupInRefreshActivity",
        "ResourceUnavailable.InstanceInOperation",
        "ResourceUnavailable.LoadBalancerInOperation",
        "InvalidDisk.Busy",
        "InvalidDisk.SnapshotCreating",
        "ResourceBusy",
        "ResourceUnavailable.SnapshotCreating",
        "ResourceUnavailable.TooManyCreatingSnapshot",
        "ResourceInUse.DiskMigrating",
        "ResourceInUse.DiskRollbacking",
        "ResourceUnavailable.AgentStatusNotOnline",
    ]),
    // Documented as "can never be done to this instance", seen for "in operation or in a special state".
    (ErrorKind::Busy, "the instance is in operation or in a special state, or does not support this",
        "look at the instance in the console: wait if something runs on it, else leave it out", &[
        "InvalidInstance.NotSupported",
    ]),
    (ErrorKind::Power, "the instance is in another power state than this call needs, or has reached its goal",
        "nothing, if it passes; else look who else starts and stops the instance", &[
        "UnsupportedOperation.InstanceStateRunning",
        "UnsupportedOperation.InstanceStateStopped",
        "UnsupportedOperation.InstanceStateStarting",
        "UnsupportedOperation.InstanceStateStopping",
        "UnsupportedOperation.InstanceStateRebooting",
        "UnsupportedOperation.InstanceStatePending",
        "UnsupportedOperation.InstanceStateEnterRescueMode",
        "UnsupportedOperation.InstanceStateExitRescueMode",
        "UnsupportedOperation.InstanceStateEnterServiceLiveMigrate",
        "UnsupportedOperation.InstanceStateServiceLiveMigrate",
        "UnsupportedOperation.InstanceStateExitServiceLiveMigrate",
        "UnsupportedOperation.InstanceNotStopped",
        "ResourceUnavailable.InstanceStateNotRunning",
    ]),
    (ErrorKind::State, "the instance is isolated and waits for destruction in the recycle bin",
        "renew it or take it out of the recycle bin in the console, or leave it out of the workflow", &[
        "UnsupportedOperation.InstanceStateShutdown",
        "UnsupportedOperation.InstanceStateIsolating",
    ]),
    (ErrorKind::State, "the instance is frozen or blocked by the vendor, which needs a ticket",
        "open a ticket with the vendor, and leave the instance out until then", &[
        "UnsupportedOperation.InstanceStateFreezing",
        "UnsupportedOperation.InstanceStateBanning",
    ]),
    (ErrorKind::State, "the instance is broken for good, or its creation or reinstallation failed",
        "reinstall or replace it in the console, and leave it out of the workflow", &[
        "UnsupportedOperation.InstanceStateCorrupted",
        "UnsupportedOperation.InstanceStateLaunchFailed",
        "UnsupportedOperation.InstanceReinstallFailed",
    ]),
    (ErrorKind::State, "the instance is being destroyed, or was",
        "leave it out of the workflow", &[
        "UnsupportedOperation.InstanceStateTerminating",
        "UnsupportedOperation.InstanceStateTerminated",
    ]),
    (ErrorKind::State, "the instance is in rescue mode, which has to be left first",
        "leave rescue mode in the console, then run again", &[
        "UnsupportedOperation.InstanceStateRescueMode",
    ]),
    (ErrorKind::State, "the instance was stopped without charging, and accepts nothing but a start",
        "start it; once it runs it can be stopped and changed", &[
        "UnsupportedOperation.StoppedModeStopCharging",
        "UnsupportedOperation.StoppedModeStopChargingSameFamily",
    ]),
    (ErrorKind::Identity, "there is no such instance, key, zone or region in this account",
        "check the id, the region, and whose the credentials are", &[
        "InvalidInstanceId.NotFound",
        "InvalidInstanceId.Malformed",
        "InvalidParameterValue.InstanceIdMalformed",
        "InvalidParameterValue.InvalidInstanceId",
        "InvalidKeyPairId.NotFound",
        "InvalidKeyPairId.Malformed",
        "InvalidZone.MismatchRegion",
        "InvalidRegion.NotFound",
        "InvalidHostId.NotFound",
        "InvalidHostId.Malformed",
        "InvalidProjectId.NotFound",
        "UnsupportedRegion",
        "InvalidParameterValue.ZoneNotSupported",
        "InvalidParameterValue.InvalidAppIdFormat",
        "InvalidParameter.LBIdNotFound",
        "InvalidParameter.ListenerIdNotFound",
        "InvalidParameter.RegionNotFound",
    ]),
    (ErrorKind::Argument, "the password is against the vendor's rules",
        "take 8 to 30 characters (12 to 30 for Windows) of three of the classes a-z, A-Z, 0-9 and specials, not beginning with `/`", &[
        "InvalidPassword",
        "InvalidParameterValue.InvalidPassword",
    ]),
    (ErrorKind::Argument, "Windows instances take no SSH keys",
        "leave the Windows instances out of `load-ssh-key`", &[
        "InvalidParameterValue.KeyPairNotSupported",
        "UnsupportedOperation.InstanceOsWindows",
        "UnsupportedOperation.KeyPairUnsupportedWindows",
    ]),
    (ErrorKind::Argument, "this site or version of the API does not offer the action",
        "nothing, if a plan notes it: the check is left out; else check --endpoint", &[
        "InvalidAction",
        "NoSuchVersion",
        "ActionOffline",
    ]),
    (ErrorKind::Argument, "a value in the call is wrong",
        "check the workflow's values; if they are right, it is a bug in pitstop: report it with the request id", &[
        "InvalidParameter",
        "InvalidParameterValue",
        "InvalidParameterCombination",
        "InvalidParameterValue.LimitExceeded",
        "InvalidParameterValue.TooLong",
        "InvalidFilter",
        "InvalidFilterValue.LimitExceeded",
        "InvalidInstanceType.Malformed",
        "MissingParameter",
        "MissingParameter.AtLeastOne",
        "UnknownParameter",
        "UnsupportedProtocol",
        "RequestSizeLimitExceeded",
        "ResponseSizeLimitExceeded",
        "FailedOperation.ZoneInconsistent",
        "ResourceInsufficient.CloudDiskUnavailable",
        "DryRunOperation",
        "EniNotAllowedChangeSubnet",
        "VpcAddrNotInSubNet",
        "VpcIpIsUsed",
    ]),
    (ErrorKind::Never, "the disks of this instance do not allow it",
        "leave the instance out of the resize, or move it to cloud disks first", &[
        "UnsupportedOperation.SystemDiskType",
        "UnsupportedOperation.LocalDataDiskChangeInstanceFamily",
        "UnsupportedOperation.InvalidInstanceWithSwapDisk",
    ]),
    (ErrorKind::Never, "this instance can't become one of that family",
        "choose a type that `pitstop plan` offers for it, best of its own family", &[
        "UnsupportedOperation.HeterogeneousChangeInstanceFamily",
        "UnsupportedOperation.UnsupportedChangeInstanceFamily",
        "UnsupportedOperation.UnsupportedChangeInstanceToThisInstanceFamily",
        "UnsupportedOperation.UnsupportedChangeInstanceFamilyToARM",
        "UnsupportedOperation.UnsupportedARMChangeInstanceFamily",
        "UnsupportedOperation.OriginalInstanceTypeInvalid",
        "InvalidParameterValue.GPUInstanceFamily",
        "InvalidParameterValue.InvalidGPUFamilyChange",
        "InvalidParameterValue.BasicNetworkInstanceFamily",
    ]),
    (ErrorKind::Never, "the type is not sold in this zone",
        "choose another type; the plan names those that there are", &[
        "ResourceUnavailable.InstanceType",
        "ResourceNotFound.InvalidZoneInstanceType",
    ]),
    (ErrorKind::Never, "the instance was bought under terms that forbid it for now",
        "wait until the terms of the promotion have ended, or leave it out", &[
        "InvalidParameterValue.InvalidInstanceSource",
        "FailedOperation.PromotionalPerioRestriction",
    ]),
    (ErrorKind::Never, "another product manages the instance",
        "change it through that product (EMR, for example), and leave it out here", &[
        "FailedOperation.InvalidInstanceApplicationRole",
        "FailedOperation.InvalidInstanceApplicationRoleEmr",
    ]),
    (ErrorKind::Never, "the dedicated host can't carry it",
        "choose a type that the host carries, or leave the instance out", &[
        "InvalidParameter.HostIdCustomizedInstanceTypeNotSupport",
        "InvalidParameter.HostIdInstanceTypeNotSupport",
        "InvalidParameter.HostIdStandardInstanceTypeNotSupport",
        "InvalidParameter.HostIdStatusNotSupport",
        "InvalidParameter.InstanceTypeSupportedHostNotFound",
        "InvalidParameter.CdzNotSupported",
    ]),
    (ErrorKind::Never, "a release timer is set: the instance is going to be destroyed",
        "delete the release timer if the instance shall live on, or leave it out", &[
        "UnsupportedOperation.InvalidInstanceNotSupportedProtectedInstance",
    ]),
    (ErrorKind::Never, "this kind of instance does not support it",
        "leave the instance out of this change", &[
        "UnsupportedOperation",
        "UnsupportedOperation.RedHatInstanceUnsupported",
        "UnsupportedOperation.SpecialInstanceType",
        "UnsupportedOperation.NoInstanceTypeSupportSpot",
        "UnsupportedOperation.InstanceMixedResetInstanceType",
        "UnsupportedOperation.InstanceMixedPricingModel",
        "UnsupportedOperation.HibernationForNormalInstance",
        "UnsupportedOperation.InstanceChargeType",
    ]),
    (ErrorKind::Operator, "the target type carries fewer addresses, network interfaces or less bandwidth",
        "unbind addresses or interfaces first, or choose a larger type", &[
        "LimitExceeded.EipNumLimit",
        "LimitExceeded.EniNumLimit",
        "LimitExceeded.EniLimitInstanceType",
        "LimitExceeded.InstanceTypeBandwidth",
    ]),
    (ErrorKind::Operator, "a quota of the account or the region is used up",
        "have the quota raised in the console, or give back what is not used", &[
        "ImageQuotaLimitExceeded",
        "InstancesQuotaLimitExceeded",
        "OverQuota",
        "SecGroupActionFailure",
    ]),
    (ErrorKind::Operator, "the vendor's rule of one snapshot in 24 hours",
        "wait until 24 hours have passed since the last snapshot, then run again", &[
        "UnsupportedOperation.DiskSnapCreateTimeTooOld",
    ]),
    (ErrorKind::Operator, "the SSH key can't be imported as it is",
        "take an RSA key in OpenSSH form that the account does not have, under a name of at most 25 letters, digits and underscores", &[
        "InvalidKeyPair.LimitExceeded",
        "InvalidKeyPairName.Duplicate",
        "InvalidKeyPairNameEmpty",
        "InvalidKeyPairNameIncludeIllegalChar",
        "InvalidKeyPairNameTooLong",
        "InvalidPublicKey.Duplicate",
        "InvalidPublicKey.Malformed",
        "LimitExceeded.TagResourceQuota",
    ]),
    (ErrorKind::Capacity, "sold out",
        "choose another type, or try at another time", &[
        "ResourcesSoldOut.SpecifiedInstanceType",
        "ResourcesSoldOut.AvailableZone",
        "ResourceInsufficient.SpecifiedInstanceType",
        "ResourceInsufficient.AvailabilityZoneSoldOut",
        "ResourceInsufficient.CloudDiskSoldOut",
        "InvalidParameter.InvalidCloudDiskSoldOut",
        "LimitExceeded.SpotQuota",
    ]),
    (ErrorKind::Money, "the balance does not cover it, or an order is unpaid",
        "top up the account, or pay or cancel the open order", &[
        "InvalidAccount.InsufficientBalance",
        "InvalidAccount.UnpaidOrder",
        "UnsupportedOperation.NotSupportUnpaidOrder",
    ]),
    (ErrorKind::Money, "the account may not pay for this, or the price can't be worked out",
        "have the right to pay granted: pitstop policy FILE --prepaid prints it", &[
        "InvalidPermission",
        "InvalidPeriod",
        "FailedOperation.InquiryRefundPriceFailed",
        "FailedOperation.InquiryPriceFailed",
        "AccountQualificationRestrictions",
        "UnauthorizedOperation.NotHavePaymentRight",
        "TradeDealConflict",
    ]),
    (ErrorKind::Auth, "the secret id or key is wrong",
        "check where the credentials come from, and that id and key belong together", &[
        "AuthFailure.SecretIdNotFound",
        "AuthFailure.InvalidSecretId",
        "AuthFailure.SignatureFailure",
        "AuthFailure.InvalidAuthorization",
        "AuthFailure.AccessKeyIllegal",
        "InvalidParameter.AccessKeyNotSupport",
    ]),
    (ErrorKind::Auth, "this machine's clock is more than five minutes off",
        "set the clock, e.g. with `timedatectl set-ntp true`", &[
        "AuthFailure.SignatureExpire",
    ]),
    (ErrorKind::Auth, "the temporary credentials have expired",
        "log in again, or renew what hands them out", &[
        "AuthFailure.TokenFailure",
        "UnauthorizedOperation.InvalidToken",
    ]),
    (ErrorKind::Auth, "the account asks for a second factor, which no program can pass",
        "switch operation protection off for this identity, or use one without it", &[
        "AuthFailure.MFAFailure",
        "UnauthorizedOperation.MFAExpired",
        "UnauthorizedOperation.MFANotFound",
    ]),
    (ErrorKind::Auth, "the access policy does not allow it",
        "attach what `pitstop policy FILE` prints to the identity", &[
        "AuthFailure.UnauthorizedOperation",
        "AuthFailure.CamRoleNameAuthenticateFailed",
        "UnauthorizedOperation",
        "UnauthorizedOperation.PermissionDenied",
        "UnauthorizedOperation.CamAuthFailed",
    ]),
    (ErrorKind::Auth, "the address that the call came from is not allowed",
        "add this machine's public address to the list of those that may call, or run where it is allowed", &[
        "IpInBlacklist",
        "IpNotInWhitelist",
    ]),
];

/// Tried in this order, after the full codes.
const PREFIXES: &[(&str, ErrorKind, &str)] = &[
    ("RequestLimitExceeded", ErrorKind::Throttled, "too many calls"),
    ("InternalError", ErrorKind::Server, "a failure inside the cloud"),
    ("InternalServerError", ErrorKind::Server, "a failure inside the cloud"),
    ("ServiceUnavailable", ErrorKind::Server, "a failure inside the cloud"),
    ("AuthFailure", ErrorKind::Auth, "the credentials were refused"),
    ("Unauthorized", ErrorKind::Auth, "the access policy does not allow it"),
    ("ResourcesSoldOut", ErrorKind::Capacity, "sold out"),
    ("ResourceInsufficient", ErrorKind::Capacity, "too little is left"),
    ("ResourceNotFound", ErrorKind::Identity, "there is no such thing in this account"),
    ("MutexOperation", ErrorKind::Busy, "another operation has not ended"),
    ("OperationDenied.Instance", ErrorKind::Busy, "another operation has not ended"),
    ("InvalidAccount", ErrorKind::Money, "the account can't pay for it"),
    ("InvalidKeyPair", ErrorKind::Operator, "the SSH key can't be used as it is"),
    ("InvalidPublicKey", ErrorKind::Operator, "the SSH key can't be used as it is"),
    ("InvalidParameter.HostId", ErrorKind::Never, "the dedicated host can't carry it"),
    ("UnsupportedOperation.InstanceState", ErrorKind::State, "the instance's state does not allow it"),
    ("Unsupported", ErrorKind::Never, "this kind of instance does not support it"),
    ("RegionAbilityLimit", ErrorKind::Operator, "the region does not offer it"),
    ("LimitExceeded", ErrorKind::Operator, "a limit of the account or the type is reached"),
    ("FailedOperation", ErrorKind::Operator, "the cloud gave up on it"),
    ("OperationDenied", ErrorKind::Operator, "the cloud refuses it for now"),
    ("ResourceInUse", ErrorKind::Operator, "something else uses it"),
    ("ResourceUnavailable", ErrorKind::Operator, "the cloud can't do it for now"),
    ("Invalid", ErrorKind::Argument, "a value in the call is wrong"),
    ("Missing", ErrorKind::Argument, "a value in the call is missing"),
];

#[cfg(test)]
mod tests;
