//! A role is assumed over the wire, and its temporary credentials are used.

use crate::sealed::{Done, Sealed};
use pitstop::sim::{DEMO_SECRET_ID, DEMO_SECRET_KEY};

fn plan_as(role: &str) -> Done {
    let sealed = Sealed::new()
        .with("TENCENTCLOUD_SECRET_ID", DEMO_SECRET_ID)
        .with("TENCENTCLOUD_SECRET_KEY", DEMO_SECRET_KEY)
        .with("TENCENTCLOUD_ROLE_ARN", role)
        .with("TENCENTCLOUD_ROLE_SESSION_NAME", "night")
        .with("TENCENTCLOUD_ASSUME_ROLE_EXTERNAL_ID", "ops-7");
    let simulator = sealed.simulator(&[]);
    let url = simulator.url.clone();
    sealed.pitstop(&["plan", "workflows/resize.yaml", "--endpoint", &url])
}

#[test]
fn a_role_is_assumed() {
    let done = plan_as("qcs::cam::uin/100000000001:roleName/ops");
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(done.stdout.contains("account 100000000001"), "{}", done.stdout);
}

#[test]
fn a_role_that_is_not_there_is_5() {
    let done = plan_as("qcs::cam::uin/999:roleName/ops");
    assert_eq!(done.code, 5, "{}", done.stderr);
    assert!(done.stderr.contains("ResourceNotFound.RoleNotFound"), "{}", done.stderr);
}
