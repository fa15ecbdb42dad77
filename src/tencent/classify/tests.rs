//! The table of the vendor's codes, and all codes that its SDKs declare.

use super::*;

/// Every code of the reference's table, by what has to be done about it.
#[rustfmt::skip]
const TABLE: &[(ErrorKind, &str)] = &[
    (ErrorKind::Throttled, "RequestLimitExceeded RequestLimitExceeded.UinLimitExceeded \
        RequestLimitExceeded.GlobalRegionUinLimitExceeded RequestLimitExceeded.IPLimitExceeded RequestLimitExceeded.New"),
    (ErrorKind::Server, "InternalError InternalServerError InternalError.TradeUnknownError ServiceUnavailable \
        InternalError.ComponentError InternalError.GetRoleError"),
    (ErrorKind::Busy, "MutexOperation.TaskRunning OperationDenied.InstanceOperationInProgress ResourceInUse \
        InvalidParameterValue.InvalidImageState UnsupportedOperation.LocalDiskMigratingToCloudDisk \
        InvalidInstanceState FailedOperation.ResourceInOperating ResourceUnavailable.AutoScalingGroupInActivity \
        ResourceUnavailable.InstanceInOperation ResourceUnavailable.LoadBalancerInOperation InvalidDisk.Busy \
        InvalidDisk.SnapshotCreating ResourceBusy ResourceUnavailable.SnapshotCreating \
        ResourceUnavailable.TooManyCreatingSnapshot ResourceInUse.DiskMigrating ResourceInUse.DiskRollbacking \
        ResourceUnavailable.AgentStatusNotOnline InvalidInstance.NotSupported MutexOperation.New \
        OperationDenied.InstanceNew"),
    (ErrorKind::Power, "UnsupportedOperation.InstanceStateRunning UnsupportedOperation.InstanceStateStopped \
        UnsupportedOperation.InstanceStateStarting UnsupportedOperation.InstanceStateStopping \
        UnsupportedOperation.InstanceStateRebooting UnsupportedOperation.InstanceStatePending \
        UnsupportedOperation.InstanceStateEnterRescueMode UnsupportedOperation.InstanceStateExitRescueMode \
        UnsupportedOperation.InstanceStateEnterServiceLiveMigrate UnsupportedOperation.InstanceStateServiceLiveMigrate \
        UnsupportedOperation.InstanceStateExitServiceLiveMigrate"),
    (ErrorKind::State, "UnsupportedOperation.InstanceStateShutdown UnsupportedOperation.InstanceStateIsolating \
        UnsupportedOperation.InstanceStateFreezing UnsupportedOperation.InstanceStateBanning \
        UnsupportedOperation.InstanceStateCorrupted UnsupportedOperation.InstanceStateTerminating \
        UnsupportedOperation.InstanceStateTerminated UnsupportedOperation.InstanceStateLaunchFailed \
        UnsupportedOperation.InstanceStateRescueMode UnsupportedOperation.InstanceReinstallFailed \
        UnsupportedOperation.StoppedModeStopCharging UnsupportedOperation.StoppedModeStopChargingSameFamily \
        UnsupportedOperation.InstanceStateNew"),
    (ErrorKind::Identity, "InvalidInstanceId.NotFound InvalidInstanceId.Malformed \
        InvalidParameterValue.InstanceIdMalformed InvalidKeyPairId.NotFound InvalidKeyPairId.Malformed \
        InvalidZone.MismatchRegion InvalidRegion.NotFound UnsupportedRegion InvalidParameterValue.ZoneNotSupported \
        InvalidParameterValue.InvalidAppIdFormat ResourceNotFound.RoleNotFound"),
    (ErrorKind::Argument, "MissingParameter MissingParameter.AtLeastOne InvalidParameter InvalidParameterValue \
        InvalidParameterCombination InvalidParameterValue.LimitExceeded InvalidFilter \
        InvalidFilterValue.LimitExceeded InvalidPassword InvalidParameterValue.InvalidPassword \
        InvalidParameterValue.TooLong InvalidParameterValue.KeyPairNotSupported \
        UnsupportedOperation.InstanceOsWindows UnsupportedOperation.KeyPairUnsupportedWindows UnknownParameter \
        InvalidAction NoSuchVersion ActionOffline UnsupportedProtocol RequestSizeLimitExceeded \
        ResponseSizeLimitExceeded ResourceInsufficient.CloudDiskUnavailable InvalidParameter.New"),
    (ErrorKind::Never, "UnsupportedOperation.SystemDiskType UnsupportedOperation.LocalDataDiskChangeInstanceFamily \
        UnsupportedOperation.HeterogeneousChangeInstanceFamily UnsupportedOperation.UnsupportedChangeInstanceFamily \
        UnsupportedOperation.UnsupportedChangeInstanceToThisInstanceFamily \
        UnsupportedOperation.UnsupportedChangeInstanceFamilyToARM \
        UnsupportedOperation.UnsupportedARMChangeInstanceFamily UnsupportedOperation.OriginalInstanceTypeInvalid \
        UnsupportedOperation.InvalidInstanceWithSwapDisk UnsupportedOperation.RedHatInstanceUnsupported \
        UnsupportedOperation.SpecialInstanceType UnsupportedOperation.NoInstanceTypeSupportSpot \
        UnsupportedOperation.InstanceMixedResetInstanceType InvalidParameterValue.GPUInstanceFamily \
        InvalidParameterValue.InvalidGPUFamilyChange InvalidParameterValue.BasicNetworkInstanceFamily \
        InvalidParameterValue.InvalidInstanceSource FailedOperation.PromotionalPerioRestriction \
        FailedOperation.InvalidInstanceApplicationRole FailedOperation.InvalidInstanceApplicationRoleEmr \
        InvalidParameter.HostIdStatusNotSupport InvalidParameter.HostIdNew \
        InvalidParameter.InstanceTypeSupportedHostNotFound InvalidParameter.CdzNotSupported \
        UnsupportedOperation.HibernationForNormalInstance \
        UnsupportedOperation.InvalidInstanceNotSupportedProtectedInstance \
        ResourceUnavailable.InstanceType ResourceNotFound.InvalidZoneInstanceType UnsupportedOperation"),
    (ErrorKind::Operator, "LimitExceeded.EipNumLimit LimitExceeded.EniNumLimit LimitExceeded.EniLimitInstanceType \
        LimitExceeded.InstanceTypeBandwidth UnsupportedOperation.DiskSnapCreateTimeTooOld \
        InvalidKeyPair.LimitExceeded InvalidKeyPairName.Duplicate InvalidPublicKey.Duplicate \
        InvalidPublicKey.Malformed LimitExceeded.New FailedOperation.New"),
    (ErrorKind::Capacity, "ResourcesSoldOut.SpecifiedInstanceType ResourcesSoldOut.AvailableZone \
        ResourceInsufficient.SpecifiedInstanceType ResourceInsufficient.AvailabilityZoneSoldOut \
        ResourceInsufficient.CloudDiskSoldOut InvalidParameter.InvalidCloudDiskSoldOut LimitExceeded.SpotQuota \
        ResourcesSoldOut.New ResourceInsufficient.New"),
    (ErrorKind::Money, "InvalidAccount.InsufficientBalance InvalidAccount.UnpaidOrder \
        UnsupportedOperation.NotSupportUnpaidOrder InvalidPermission InvalidPeriod \
        FailedOperation.InquiryRefundPriceFailed AccountQualificationRestrictions \
        UnauthorizedOperation.NotHavePaymentRight TradeDealConflict"),
    (ErrorKind::Auth, "AuthFailure.SecretIdNotFound AuthFailure.InvalidSecretId AuthFailure.SignatureFailure \
        AuthFailure.SignatureExpire AuthFailure.TokenFailure AuthFailure.MFAFailure AuthFailure.InvalidAuthorization \
        AuthFailure.UnauthorizedOperation AuthFailure.CamRoleNameAuthenticateFailed UnauthorizedOperation \
        UnauthorizedOperation.InvalidToken UnauthorizedOperation.MFAExpired UnauthorizedOperation.MFANotFound \
        UnauthorizedOperation.PermissionDenied UnauthorizedOperation.CamAuthFailed IpInBlacklist IpNotInWhitelist \
        AuthFailure.New"),
];

#[test]
fn the_reference_table() {
    for (kind, codes) in TABLE {
        for code in codes.split_whitespace() {
            assert_eq!(explain(code).kind, *kind, "{code}");
        }
    }
}

#[test]
fn only_failures_on_the_clouds_side_leave_a_write_open() {
    for (kind, codes) in TABLE {
        for code in codes.split_whitespace() {
            let expected = if *kind == ErrorKind::Server { Sent::Maybe } else { Sent::No };
            assert_eq!(classify(code, Effect::Write).1, expected, "{code}");
            assert_eq!(classify(code, Effect::Read).1, Sent::No, "{code}");
        }
    }
    assert_eq!(classify("Brand.New", Effect::Write), (ErrorKind::Server, Sent::Maybe));
}

#[test]
fn no_code_stands_in_two_groups() {
    let mut seen = std::collections::BTreeSet::new();
    for code in codes().map(|(code, _)| code) {
        assert!(seen.insert(code), "{code} is there twice");
    }
}

#[test]
fn no_prefix_hides_a_longer_one() {
    for (index, (prefix, ..)) in PREFIXES.iter().enumerate() {
        let hidden = PREFIXES[index + 1..].iter().find(|(later, ..)| later.starts_with(prefix));
        assert_eq!(hidden, None, "behind {prefix}");
    }
}

/// Every code that the SDKs declare for the services used falls under a rule, and under the one that its name asks for.
#[test]
fn every_declared_code_is_covered() {
    let declared = include_str!("../../../tests/fixtures/vendor/error-codes.txt");
    let codes = declared.lines().filter(|line| !line.starts_with('#'));
    let mut count = 0;
    for code in codes.map(|line| line.split_once(' ').unwrap().1) {
        count += 1;
        let told = explain(code);
        assert_ne!(told.words, UNKNOWN.2, "{code} falls under no rule");
        let must = |kinds: &[ErrorKind]| assert!(kinds.contains(&told.kind), "{code} is {:?}", told.kind);
        let (class, rest) = code.split_once('.').unwrap_or((code, ""));
        match (class, rest) {
            ("RequestLimitExceeded", _) => must(&[ErrorKind::Throttled]),
            ("InternalError" | "InternalServerError", _) => must(&[ErrorKind::Server]),
            ("AuthFailure", _) => must(&[ErrorKind::Auth]),
            ("UnauthorizedOperation", _) => must(&[ErrorKind::Auth, ErrorKind::Money]),
            ("ResourcesSoldOut", _) => must(&[ErrorKind::Capacity]),
            ("MutexOperation", _) => must(&[ErrorKind::Busy]),
            ("UnsupportedOperation", rest) if rest.starts_with("InstanceState") => {
                must(&[ErrorKind::Power, ErrorKind::State]);
            }
            ("InvalidInstanceId" | "InvalidKeyPairId", "NotFound" | "Malformed") => {
                must(&[ErrorKind::Identity]);
            }
            // A call that is refused for good must not be repeated.
            ("InvalidParameter" | "InvalidParameterValue" | "MissingParameter" | "LimitExceeded", _) => {
                assert!(
                    !matches!(told.kind, ErrorKind::Server | ErrorKind::Throttled | ErrorKind::Network),
                    "{code}"
                );
            }
            _ => {}
        }
    }
    assert!(count > 600, "only {count} codes in the list");
}
