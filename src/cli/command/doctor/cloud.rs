//! What only the cloud can tell: credentials, reachability, clocks, identity, permissions. Nobody waits long.

use std::time::Duration;

use futures_util::future::join;
use jiff::{SignedDuration, Timestamp};

use super::Findings;
use crate::cli::exit::Error;
use crate::cli::parts::Site;
use crate::clock::between;
use crate::cloud::{Caller, CloudError, ErrorKind, InstanceId};
use crate::journal::Place;
use crate::plan;
use crate::report::{Finding, Level, span};
use crate::tencent::credentials::{Credential, CredentialError};
use crate::tencent::{Knock, classify, knock};
use crate::workflow::Workflow;

/// How long is waited for each thing.
const LIMIT: Duration = Duration::from_secs(5);
/// The cloud refuses signatures that are further off than this (the vendor's page "Signature v3").
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);
/// Temporary credentials that end sooner are worth a word.
const SOON: Duration = Duration::from_mins(10);

const CREDENTIALS: &str = "credentials";
const NETWORK: &str = "network";
const CLOCK: &str = "clock";
const IDENTITY: &str = "identity";
const PERMISSIONS: &str = "permissions";

pub(super) async fn look(
    site: &Site,
    region: &str,
    workflow: Option<&Workflow>,
    findings: &mut Findings<'_>,
) -> Result<(), Error> {
    let answer = knock(site.line.transport.as_ref(), &site.line.endpoint, region, &site.clock);
    let (found, answer) =
        join(site.clock.timeout(LIMIT, site.line.credentials.get(false)), site.clock.timeout(LIMIT, answer))
            .await;
    findings.add(&credentials(found, site.clock.wall()))?;
    let has_credentials = !findings.end_in_failure();
    let unreached = format!("no answer within {} s", LIMIT.as_secs());
    let reached = match answer.unwrap_or(Err(unreached)) {
        Ok(answer) => {
            findings.add(&network(site, region, &answer))?;
            findings.add(&clocks(answer.ahead))?;
            true
        }
        Err(why) => {
            findings.add(&Finding::fail(
                NETWORK,
                why,
                "check the network, the proxy, the region and --endpoint",
            ))?;
            false
        }
    };
    let not_checked = |what, why: &str| Finding::warn(what, format!("not checked: {why}"), "mend that first");
    let hindrance = match (has_credentials, reached) {
        (true, true) => None,
        (false, _) => Some("there are no credentials"),
        (true, false) => Some("the cloud can't be reached"),
    };
    if let Some(why) = hindrance {
        return findings.add_all([IDENTITY, PERMISSIONS].map(|what| not_checked(what, why)));
    }
    let caller = site.clock.timeout(LIMIT, site.survey.caller()).await;
    findings.add(&identity(caller))?;
    if findings.end_in_failure() {
        return findings.add(&not_checked(PERMISSIONS, "the identity is not known"));
    }
    let permissions = site.clock.timeout(LIMIT, permissions(site, workflow)).await;
    findings.add_all(permissions.unwrap_or_else(|| vec![too_slow(PERMISSIONS)]))
}

fn too_slow(what: &'static str) -> Finding {
    Finding::fail(what, format!("no answer within {} s", LIMIT.as_secs()), "check the network, or try again")
}

fn credentials(found: Option<Result<Credential, CredentialError>>, now: Timestamp) -> Finding {
    match found {
        Some(Ok(credential)) => good_until(&credential, now),
        Some(Err(error)) => no_credentials(&error),
        None => {
            let found = format!("not found within {} s", LIMIT.as_secs());
            Finding::fail(CREDENTIALS, found, "check the network, which this place of them needs")
        }
    }
}

fn good_until(credential: &Credential, now: Timestamp) -> Finding {
    let source = format!("from {}", credential.source);
    match (credential.expires, &credential.token) {
        (Some(end), _) if end <= now => {
            Finding::fail(CREDENTIALS, format!("{source}; expired at {end}"), "log in again, or renew them")
        }
        (Some(end), _) => {
            let left = between(now, end);
            let found = format!("{source}; temporary, good for {}", span(left));
            if left < SOON {
                Finding::warn(
                    CREDENTIALS,
                    found,
                    "log in again before a long run, if nobody else renews them",
                )
            } else {
                Finding::ok(CREDENTIALS, found)
            }
        }
        (None, Some(_)) => {
            Finding::ok(CREDENTIALS, format!("{source}; temporary, and it is not told until when"))
        }
        (None, None) => Finding::ok(CREDENTIALS, source),
    }
}

fn no_credentials(error: &CredentialError) -> Finding {
    match error {
        CredentialError::NotFound { looked } => {
            let looked: Vec<_> = looked.iter().map(|place| format!("- {place}")).collect();
            Finding::fail(
                CREDENTIALS,
                format!("none; looked at\n{}", looked.join("\n")),
                "set TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY (with TENCENTCLOUD_TOKEN if they are temporary), \
                 run `tccli configure`, or bind a CAM role to this machine",
            )
        }
        other => Finding::fail(
            CREDENTIALS,
            other.to_string(),
            "mend that place; it is not passed over, since the next could be another account's",
        ),
    }
}

fn network(site: &Site, region: &str, answer: &Knock) -> Finding {
    let who = match &site.place {
        Place::InProcess => "the simulated cloud in this process",
        Place::Tencent | Place::TencentAt(_) | Place::Endpoint(_) => &answer.origin,
    };
    Finding::ok(NETWORK, format!("{who} answers for {region} in {} ms", answer.took.as_millis()))
}

/// `ahead` is how far the cloud's clock is ahead of ours.
fn clocks(ahead: SignedDuration) -> Finding {
    if ahead.is_zero() {
        return Finding::ok(CLOCK, "within 5 s of the cloud's");
    }
    let side = if ahead.is_positive() { "behind" } else { "ahead of" };
    let off = format!("{} {side} the cloud's", span(ahead.unsigned_abs()));
    let effect = if ahead.abs() >= TOLERANCE {
        "; it refuses our signatures, so that pitstop goes by its clock"
    } else {
        "; from 5 minutes on it refuses signatures"
    };
    Finding::warn(CLOCK, off + effect, "set this machine's clock, e.g. with `timedatectl set-ntp true`")
}

/// A plan does without knowing whose the credentials are, but not without good ones.
fn identity(caller: Option<Result<Caller, CloudError>>) -> Finding {
    match caller {
        None => too_slow(IDENTITY),
        Some(Ok(caller)) => {
            let kind = if caller.kind.is_empty() { String::new() } else { format!("{}, ", caller.kind) };
            Finding::ok(IDENTITY, format!("account {}, {kind}{}", caller.account, caller.arn))
        }
        Some(Err(error)) => {
            let told = refused(IDENTITY, "GetCallerIdentity", &error);
            let not_allowed =
                error.code.as_deref().is_some_and(|code| code.contains("UnauthorizedOperation"));
            Finding { level: if not_allowed { Level::Warn } else { told.level }, ..told }
        }
    }
}

/// A call that failed although the cloud can be reached.
fn refused(what: &'static str, call: &str, error: &CloudError) -> Finding {
    let mend = match &error.code {
        Some(code) => format!("{}; pitstop explain {code}", classify::explain(code).mend),
        None => error.hint().to_owned(),
    };
    Finding::fail(what, format!("{call}: {error}"), mend)
}

/// Whether the reads of a plan are allowed: those of this workflow, or the ones that every plan makes.
async fn permissions(site: &Site, workflow: Option<&Workflow>) -> Vec<Finding> {
    match workflow {
        Some(workflow) => reads_of(site, workflow).await,
        None => basic_reads(site).await,
    }
}

async fn reads_of(site: &Site, workflow: &Workflow) -> Vec<Finding> {
    let read = match plan::survey(workflow, site.survey.as_ref()).await {
        Ok(read) => read,
        Err(error) => {
            let found = format!("{error}: {}", error.cause());
            return vec![Finding::fail(PERMISSIONS, found, error.hint())];
        }
    };
    if read.unread.is_empty() {
        let found =
            format!("all that the workflow reads is allowed; it finds {}", count(read.instances.len()));
        return vec![Finding::ok(PERMISSIONS, found)];
    }
    let mend = "allow it with what `pitstop policy FILE` prints; without it a plan leaves that check out";
    read.unread.iter().map(|unread| Finding::warn(PERMISSIONS, unread.to_string(), mend)).collect()
}

fn count(instances: usize) -> String {
    crate::report::instances(instances)
}

/// An id that no instance has: what is asked is whether one may ask.
const NOBODY: &str = "ins-00000000";

async fn basic_reads(site: &Site) -> Vec<Finding> {
    let (survey, ids) = (&site.survey, [InstanceId::from(NOBODY)]);
    let began = site.clock.now();
    if let Err(error) = survey.look(&ids).await {
        return vec![refused(PERMISSIONS, "DescribeInstances", &error)];
    }
    let took = between(began, site.clock.now()).as_millis();
    let others = [
        ("as:DescribeAutoScalingInstances", survey.scaling_groups(&ids).await.err()),
        ("cvm:DescribeTaskInfo", survey.repair_tasks(&ids).await.err()),
        ("cvm:DescribeInstancesActionTimer", survey.release_timers(&ids).await.err()),
    ];
    // Another refusal is an answer to the question: it may be asked.
    let denied: Vec<_> = others
        .iter()
        .filter(|(_, error)| error.as_ref().is_some_and(|error| error.kind == ErrorKind::Auth))
        .map(|(action, _)| *action)
        .collect();
    if denied.is_empty() {
        let found = format!("the reads of every plan are allowed; DescribeInstances takes {took} ms");
        return vec![Finding::ok(PERMISSIONS, found)];
    }
    vec![Finding::warn(
        PERMISSIONS,
        format!("not allowed: {}; a plan leaves those checks out", denied.join(", ")),
        "attach what `pitstop policy FILE` prints to the identity",
    )]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    #[test]
    fn the_end_of_temporary_credentials_is_told() {
        let table = [
            (None, None, Level::Ok, "from test"),
            (Some("token"), None, Level::Ok, "from test; temporary, and it is not told until when"),
            (Some("token"), Some(7200), Level::Ok, "from test; temporary, good for 2h 00m"),
            (Some("token"), Some(300), Level::Warn, "from test; temporary, good for 5m 00s"),
            (Some("token"), Some(0), Level::Fail, "from test; expired at 2027-01-15T08:00:00Z"),
        ];
        for (token, expires, level, words) in table {
            let credential = Credential {
                secret_id: "AKIDcanary".into(),
                secret_key: "canary".into(),
                token: token.map(Into::into),
                expires: expires.map(at),
                source: "test".into(),
            };
            let told = credentials(Some(Ok(credential)), at(0));
            assert_eq!((told.level, told.found.as_str()), (level, words));
            assert!(!format!("{told:?}").contains("canary"));
        }
        assert_eq!(credentials(None, at(0)).level, Level::Fail);
    }

    #[test]
    fn a_clock_that_is_off_is_told_with_its_side_and_its_effect() {
        assert_eq!(clocks(SignedDuration::ZERO).level, Level::Ok);
        let behind = clocks(SignedDuration::from_secs(90));
        assert_eq!(behind.found, "1m 30s behind the cloud's; from 5 minutes on it refuses signatures");
        let ahead = clocks(SignedDuration::from_mins(-10));
        assert!(ahead.found.starts_with("10m 00s ahead of the cloud's; it refuses"), "{}", ahead.found);
        assert_eq!((behind.level, ahead.level), (Level::Warn, Level::Warn));
    }
}
