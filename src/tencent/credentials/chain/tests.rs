//! Where credentials are found, and what is said when they are not, or are wrong.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::cloud::{CloudError, ErrorKind, Sent};
use crate::tencent::scripted::{Reply, Scripted, answer, clock, maybe_sent, not_sent, refusal};
use crate::tencent::wire::TransportError;

/// The clock of these tests shows this many seconds.
const NOW: i64 = 1_800_000_000;

/// A user's and a machine's folder, variables, an STS and a metadata service.
struct Place {
    folder: TempDir,
    vars: BTreeMap<String, String>,
    sts: Vec<Reply>,
    metadata: Option<Arc<Machine>>,
}

#[derive(Default)]
struct Machine {
    answers: Mutex<BTreeMap<String, String>>,
}

#[async_trait]
impl Metadata for Machine {
    async fn get(&self, path: &str) -> Result<Option<SecretString>, TransportError> {
        Ok(self.answers.lock().unwrap().get(path).cloned().map(Into::into))
    }
}

/// A machine with a role whose credentials have this number and live an hour.
fn machine(number: u32) -> Machine {
    let machine = Machine::default();
    set_role(&machine, number, NOW + 3600);
    machine
}

fn set_role(machine: &Machine, number: u32, expires: i64) {
    let told = json!({ "TmpSecretId": format!("role-{number}"), "TmpSecretKey": "k", "Token": "t",
                       "ExpiredTime": expires, "Code": "Success" });
    let mut answers = machine.answers.lock().unwrap();
    answers.insert("cam/security-credentials/".into(), "ops-role\n".into());
    answers.insert("cam/security-credentials/ops-role".into(), told.to_string());
}

impl Place {
    fn new(vars: &[(&str, &str)]) -> Self {
        let vars = vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { folder: tempfile::tempdir().unwrap(), vars, sts: Vec::new(), metadata: None }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(self, name: &str, text: &str) -> Self {
        self.file_with_mode(name, text, 0o600)
    }

    fn file_with_mode(self, name: &str, text: &str, mode: u32) -> Self {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        self
    }

    fn sts(mut self, replies: impl IntoIterator<Item = Reply>) -> Self {
        self.sts.extend(replies);
        self
    }

    fn on(mut self, machine: Machine) -> Self {
        self.metadata = Some(Arc::new(machine));
        self
    }

    fn provider(&mut self) -> (Arc<dyn Provider>, Arc<Scripted>, Clock) {
        let clock = clock();
        let transport = Scripted::new(std::mem::take(&mut self.sts), &clock);
        let environment =
            Environment::new(self.vars.clone(), Some(self.path("home")), Some(self.path("etc")));
        let metadata = self.metadata.clone().map(|machine| machine as Arc<dyn Metadata>);
        let settings = Settings::of_region("ap-guangzhou");
        let provider = find(environment, &settings, transport.clone(), metadata, clock.clone()).unwrap();
        (provider, transport, clock)
    }

    async fn get(mut self) -> Result<Credential, CredentialError> {
        self.provider().0.get(false).await
    }

    async fn id(self) -> String {
        self.get().await.unwrap().secret_id
    }

    async fn error(self) -> String {
        let folder = self.folder.path().display().to_string();
        self.get().await.unwrap_err().to_string().replace(&folder, "")
    }
}

const ENV: [(&str, &str); 2] = [("TENCENTCLOUD_SECRET_ID", "env"), ("TENCENTCLOUD_SECRET_KEY", "canary")];
const INI: &str = "; mine\n[other]\nsecret_id = x\n\n[default]\nsecret_id = ini\nsecret_key=canary\n";
const PROFILE: &str = r#"{"secretId":"profile","secretKey":"canary","token":null}"#;

fn everywhere(vars: &[(&str, &str)]) -> Place {
    Place::new(vars)
        .file("home/.tencentcloud/credentials", INI)
        .file("home/.tccli/default.credential", PROFILE)
        .on(machine(1))
}

fn given(id: &str) -> Reply {
    let keys = json!({ "Token": "t", "TmpSecretId": id, "TmpSecretKey": "k" });
    answer(json!({ "Credentials": keys, "ExpiredTime": NOW + 7200 }))
}

#[tokio::test(start_paused = true)]
async fn the_explicit_goes_before_the_ambient() {
    assert_eq!(everywhere(&ENV).id().await, "env");
    assert_eq!(everywhere(&[]).id().await, "ini");
    let named = everywhere(&[("TCCLI_PROFILE", "ops")]).file("home/.tccli/ops.credential", PROFILE);
    assert_eq!(named.id().await, "profile");
    let profile = Place::new(&[]).file("home/.tccli/default.credential", PROFILE).on(machine(1));
    assert_eq!(profile.id().await, "profile");
    assert_eq!(Place::new(&[]).on(machine(1)).id().await, "role-1");
    assert_eq!(Place::new(&[]).file("etc/tencentcloud/credentials", INI).id().await, "ini");
}

#[tokio::test(start_paused = true)]
async fn both_names_of_the_token() {
    for name in ["TENCENTCLOUD_TOKEN", "TENCENTCLOUD_SECURITY_TOKEN"] {
        let vars = [ENV[0], ENV[1], (name, "the-token")];
        let credential = Place::new(&vars).get().await.unwrap();
        assert_eq!(credential.token(), Some("the-token"));
        assert_eq!(credential.secret_key.expose_secret(), "canary");
    }
    let vars = [ENV[0], ENV[1], ("TENCENTCLOUD_TOKEN", "a"), ("TENCENTCLOUD_SECURITY_TOKEN", "b")];
    assert_eq!(
        Place::new(&vars).error().await,
        "TENCENTCLOUD_TOKEN and TENCENTCLOUD_SECURITY_TOKEN are both set and differ; remove one of them"
    );
}

#[tokio::test(start_paused = true)]
async fn a_place_that_is_set_but_wrong_ends_the_search() {
    let table: [(&[(&str, &str)], &str); 5] = [
        (
            &[("TENCENTCLOUD_SECRET_ID", "")],
            "TENCENTCLOUD_SECRET_ID is set but empty; set it to the plain value, or remove it",
        ),
        (
            &[ENV[0], ("TENCENTCLOUD_SECRET_KEY", "canary ")],
            "TENCENTCLOUD_SECRET_KEY is surrounded by blanks; set it to the plain value, or remove it",
        ),
        (&[ENV[0]], "TENCENTCLOUD_SECRET_ID is set, but TENCENTCLOUD_SECRET_KEY is not; set both or neither"),
        (
            &[("TCCLI_PROFILE", "gone")],
            "can't read /home/.tccli/gone.credential: TCCLI_PROFILE or TENCENTCLOUD_PROFILE names it, but it is not there",
        ),
        (
            &[("TENCENTCLOUD_CREDENTIALS_FILE", "/nowhere")],
            "can't read /nowhere: TENCENTCLOUD_CREDENTIALS_FILE names it, but it is not there",
        ),
    ];
    for (vars, expected) in table {
        assert_eq!(everywhere(vars).error().await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn files_that_are_wrong_are_named_and_never_quoted() {
    let ini = |text: &str| Place::new(&[]).file("home/.tencentcloud/credentials", text);
    let path = "/home/.tencentcloud/credentials";
    let table = [
        ("[default]\nsecret_id = x", format!("{path}: section [default] has no `secret_key`")),
        ("canary", format!("{path}: line 1 is neither `[section]` nor `key = value`")),
        ("[prod]\nsecret_id = x", format!("{path}: it has no section [default]")),
        (
            "[default]\nsecret_id =\nsecret_key = y",
            format!("`secret_id` in {path} is set but empty; set it to the plain value, or remove it"),
        ),
    ];
    for (text, expected) in table {
        assert_eq!(ini(text).error().await, expected);
    }
    let profile = |text: &str| Place::new(&[]).file("home/.tccli/default.credential", text);
    let path = "/home/.tccli/default.credential";
    let table = [
        (r#"{"secretId":"x"}"#, format!("{path}: it has no `secretKey`; run `tccli configure`")),
        (
            r#"{"secretId":"x","secretKey":canary}"#,
            format!("{path}: not a profile of tccli's, line 1 column 29"),
        ),
        (
            r#"{"secretId":"x","secretKey":"canary","type":"oauth","expiresAt":1500000000}"#,
            format!(
                "the credentials in {path} expired at 2017-07-14T02:40:00Z; log in again, e.g. with `tccli auth login`"
            ),
        ),
    ];
    for (text, expected) in table {
        let error = profile(text).error().await;
        assert_eq!(error, expected);
        assert!(!error.contains("canary"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_that_others_can_read_is_refused_with_the_command_that_mends_it() {
    for (mode, shown) in [(0o644, "644"), (0o640, "640"), (0o604, "604")] {
        let place = Place::new(&[]).file_with_mode("home/.tencentcloud/credentials", INI, mode);
        let error = place.error().await;
        assert!(error.contains(&format!("(mode {shown})")), "{error}");
        assert!(error.contains("chmod 600 '/home/.tencentcloud/credentials'"), "{error}");
    }
    let place = Place::new(&[]).file_with_mode("home/.tccli/default.credential", PROFILE, 0o644);
    assert!(place.error().await.contains("chmod 600"));
}

#[tokio::test(start_paused = true)]
async fn nowhere_names_every_place_and_the_ways_out() {
    assert_eq!(
        Place::new(&[]).error().await,
        "no credentials found; looked at:\n  \
         - TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY: not set\n  \
         - the file /home/.tencentcloud/credentials: not there\n  \
         - the file /etc/tencentcloud/credentials: not there\n  \
         - the file /home/.tccli/default.credential: not there\n  \
         - TKE_PROVIDER_ID, TKE_WEB_IDENTITY_TOKEN_FILE and TKE_ROLE_ARN: not set\n  \
         - a CVM role: not asked for, because the endpoint is not the vendor's\n\
         set TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY (with TENCENTCLOUD_TOKEN if they are temporary), \
         or run `tccli configure`, or bind a CAM role to this machine"
    );
    let error: CloudError = Place::new(&[]).get().await.unwrap_err().into();
    assert_eq!((error.kind, error.sent), (ErrorKind::Auth, Sent::No));
}

#[tokio::test(start_paused = true)]
async fn the_machines_role_is_renewed_before_it_expires() {
    let mut place = Place::new(&[]).on(machine(1));
    let (provider, _, clock) = place.provider();
    assert_eq!(provider.get(false).await.unwrap().secret_id, "role-1");
    set_role(place.metadata.as_ref().unwrap(), 2, NOW + 7200);
    clock.sleep(Duration::from_mins(54)).await;
    assert_eq!(provider.get(false).await.unwrap().secret_id, "role-1");
    clock.sleep(Duration::from_mins(2)).await;
    assert_eq!(provider.get(false).await.unwrap().secret_id, "role-2");
}

#[tokio::test(start_paused = true)]
async fn a_profile_can_ask_for_the_machines_role() {
    let cvm_role = r#"{"type":"cvm-role","secretId":"","secretKey":""}"#;
    let place = || Place::new(&[]).file("home/.tccli/default.credential", cvm_role);
    assert_eq!(place().on(machine(7)).id().await, "role-7");
    assert_eq!(
        place().on(Machine::default()).error().await,
        "the CVM role's credentials can't be had from the metadata service: no role is bound to this machine"
    );
}

#[tokio::test(start_paused = true)]
async fn a_page_instead_of_a_role_is_no_role() {
    let portal = Machine::default();
    let page = "<html>please log in</html>".to_owned();
    portal.answers.lock().unwrap().insert("cam/security-credentials/".into(), page);
    assert!(Place::new(&[]).on(portal).error().await.contains("none is bound to this machine"));
}

#[tokio::test(start_paused = true)]
async fn a_role_is_assumed_with_what_was_found() {
    let arn = "qcs::cam::uin/1:roleName/ops";
    let vendor = [("TENCENTCLOUD_ROLE_ARN", arn), ("TENCENTCLOUD_ROLE_SESSION_NAME", "nightly")];
    let terraform = [
        ("TENCENTCLOUD_ASSUME_ROLE_ARN", arn),
        ("TENCENTCLOUD_ASSUME_ROLE_SESSION_NAME", "nightly"),
        ("TENCENTCLOUD_ASSUME_ROLE_SESSION_DURATION", "7200"),
    ];
    for vars in [&vendor[..], &terraform[..]] {
        let vars: Vec<_> = ENV.into_iter().chain(vars.iter().copied()).collect();
        let mut place = Place::new(&vars).sts([not_sent(), given("assumed")]);
        let (provider, transport, _) = place.provider();
        let credential = provider.get(false).await.unwrap();
        assert_eq!(credential.secret_id, "assumed");
        assert_eq!(credential.expires.unwrap().as_second(), NOW + 7200);
        let expected = json!({ "RoleArn": arn, "RoleSessionName": "nightly", "DurationSeconds": 7200 });
        assert_eq!(transport.bodies()[1], expected);
        let request = &transport.requests()[1];
        assert!(request.header("authorization").unwrap().contains("Credential=env/"));
        assert_eq!(request.origin, "https://sts.tencentcloudapi.com");
        provider.get(false).await.unwrap();
        assert_eq!(transport.actions().len(), 2, "kept, not asked for again");
    }
}

#[tokio::test(start_paused = true)]
async fn a_profiles_own_role_is_assumed() {
    let text = r#"{"secretId":"profile","secretKey":"canary","role-arn":"arn-1","role-session-name":"me"}"#;
    let mut place = Place::new(&[]).file("home/.tccli/default.credential", text).sts([given("assumed")]);
    let (provider, transport, _) = place.provider();
    assert_eq!(provider.get(false).await.unwrap().secret_id, "assumed");
    assert_eq!(transport.bodies()[0]["RoleSessionName"], "me");
}

#[tokio::test(start_paused = true)]
async fn sts_says_no_or_is_not_there() {
    let vars = [ENV[0], ENV[1], ("TENCENTCLOUD_ROLE_ARN", "arn-1")];
    let refused = Place::new(&vars).sts([refusal("UnauthorizedOperation")]).get().await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "arn-1 can't be assumed: UnauthorizedOperation: about UnauthorizedOperation"
    );
    assert_eq!(CloudError::from(refused).kind, ErrorKind::Auth);
    let replies = (0..5).map(|_| maybe_sent());
    let lost = CloudError::from(Place::new(&vars).sts(replies).get().await.unwrap_err());
    assert_eq!((lost.kind, lost.sent), (ErrorKind::Network, Sent::No));
    let bad = answer(json!({ "Credentials": { "TmpSecretKey": "canary" } }));
    let error = Place::new(&vars).sts([bad]).error().await;
    assert!(error.contains("lacks a key or the token") && !error.contains("canary"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_pods_identity_reads_its_token_at_every_renewal() {
    let mut place = Place::new(&[]).file_with_mode("token", "first\n", 0o644).on(machine(1));
    let file = place.path("token").display().to_string();
    let vars =
        [("TKE_PROVIDER_ID", "p-1"), ("TKE_WEB_IDENTITY_TOKEN_FILE", &file), ("TKE_ROLE_ARN", "arn-1")];
    place.vars = vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    place = place.sts([given("pod-1"), given("pod-2")]);
    let (provider, transport, clock) = place.provider();
    assert_eq!(provider.get(false).await.unwrap().secret_id, "pod-1");
    std::fs::write(place.path("token"), "second").unwrap();
    clock.sleep(Duration::from_mins(116)).await;
    assert_eq!(provider.get(false).await.unwrap().secret_id, "pod-2");
    let sent = |index: usize, token: &str| {
        let request = &transport.requests()[index];
        assert_eq!(request.header("authorization"), Some("SKIP"));
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!((&body["WebIdentityToken"], &body["ProviderId"]), (&json!(token), &json!("p-1")));
    };
    sent(0, "first");
    sent(1, "second");
}

#[tokio::test(start_paused = true)]
async fn half_of_a_pods_identity_is_an_error() {
    let place = Place::new(&[("TKE_ROLE_ARN", "arn-1")]).on(machine(1));
    assert_eq!(place.error().await, "TKE_ROLE_ARN is set, but TKE_PROVIDER_ID is not; set both or neither");
}

#[test]
fn nothing_that_is_printed_holds_a_secret() {
    let environment = Environment::new(
        [
            ("TENCENTCLOUD_SECRET_KEY".to_owned(), "canary".to_owned()),
            ("PATH".to_owned(), "canary".to_owned()),
        ],
        None,
        None,
    );
    let shown = format!("{environment:?}");
    assert!(
        shown.contains("TENCENTCLOUD_SECRET_KEY") && !shown.contains("canary") && !shown.contains("PATH")
    );
    let credential = crate::tencent::scripted::credential();
    assert!(!format!("{credential:?}").contains("canary"));
}
