//! `pitstop policy`: what it prints is enough for the workflow, and nothing of it can be left out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use insta::assert_snapshot;
use pitstop::cloud::{Change, ChargeType, Charging, Cloud, CloudError, ErrorKind, KeyId, StopMode};
use pitstop::journal::{Journal, Place};
use pitstop::plan::{self, Approval, Plan};
use pitstop::run::Conclusion;
use pitstop::sim::{Fleet, LoadBalancerSpec, Policy, ResizeBoots};
use pitstop::workflow::{Target, Workflow, file};
use serde_json::{Value, json};

use crate::rig::Rig;
use crate::sealed::Sealed;

/// What the program prints for this file.
fn printed(path: &Path, further: &[&str]) -> Value {
    let mut args = vec!["policy", path.to_str().unwrap(), "--cloud", "sim", "--output", "json"];
    args.extend(further);
    let done = Sealed::new().pitstop(&args);
    assert_eq!(done.code, 0, "{}: {}", path.display(), done.stderr);
    serde_json::from_str(&done.stdout).unwrap()
}

fn load(path: &Path) -> Workflow {
    file::load(path, &BTreeMap::new()).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The demo fleet in which every call that the workflow may ever make is made: its instances are large, prepaid, and
/// stand behind a load balancer.
fn demanding(workflow: &Workflow, policy: &Value) -> Fleet {
    let mut fleet = Fleet::demo();
    // One that a resize powers on needs no start.
    fleet.resize_boots = ResizeBoots::Never;
    let concerned: Vec<_> = fleet
        .instances
        .iter_mut()
        .filter(|instance| match &workflow.target {
            Target::Instances(ids) => ids.contains(&instance.id),
            Target::Match { filter, .. } => {
                filter.tags.iter().all(|tag| instance.tags.get(tag.0) == Some(tag.1))
            }
        })
        .map(|instance| {
            if workflow.changes.resize.is_some() {
                instance.instance_type = "S5.2XLARGE32".into();
                instance.charge_type = ChargeType::Prepaid;
                instance.expires = Some("2027-11-23T00:00:00Z".parse().unwrap());
            }
            instance.id.clone()
        })
        .collect();
    fleet.load_balancers.push(LoadBalancerSpec {
        id: "lb-0policy1".into(),
        name: "policy".into(),
        listener: "lbl-0policy1".into(),
        port: 80,
        target_port: 10_080,
        health_check: true,
        targets: concerned,
    });
    fleet.credentials[0].policy = Some(serde_json::from_value::<Policy>(policy.clone()).unwrap());
    fleet
}

/// How planning and running the workflow went.
enum Went {
    Well(Plan),
    Unplanned(String),
    Refused(Plan),
    Badly(String),
}

async fn attempt(workflow: &Workflow, policy: &Value) -> Went {
    let rig = Rig { fleet: demanding(workflow, policy), ..Rig::default() };
    let scene = rig.scene();
    let inventory = match plan::survey(workflow, scene.client.as_ref()).await {
        Ok(inventory) => inventory,
        Err(error) => return Went::Unplanned(error.to_string()),
    };
    let plan = plan::build(workflow, &inventory, "digest".into()).unwrap();
    if plan.is_refused() {
        return Went::Refused(plan);
    }
    assert!(!plan.is_unchanged(), "{} has nothing to do", workflow.name);
    let approved = plan.clone().approve(Approval::Program).unwrap();
    let by = "the rig".to_owned();
    let journal =
        Journal::begin(rig.store.clone(), scene.clock.clone(), approved, Place::InProcess, by, [7; 10]);
    let journal = journal.await.unwrap();
    let (outcome, _) = Box::pin(rig.try_drive(scene, journal)).await;
    match outcome {
        Ok(outcome) if outcome.conclusion() == Conclusion::Well => Went::Well(plan),
        Ok(outcome) => Went::Badly(format!("{outcome:?}")),
        Err(error) => Went::Badly(error.to_string()),
    }
}

/// What of a plan tells that something could not be looked at.
fn told(plan: &Plan) -> Vec<String> {
    let warnings = plan.instances.iter().flat_map(|instance| &instance.warnings).map(ToString::to_string);
    plan.notes.iter().cloned().chain(warnings).collect()
}

/// The policy without one action of one statement.
fn without(policy: &Value, statement: usize, action: usize) -> Value {
    let mut less = policy.clone();
    less["statement"][statement]["action"].as_array_mut().unwrap().remove(action);
    less
}

/// Runs with the policy, and again without each of its parts.
async fn exactly_enough(path: &Path) {
    let workflow = load(path);
    let shown = path.display();
    let policy = printed(path, &["--prepaid"]);
    let full = match attempt(&workflow, &policy).await {
        Went::Well(plan) => told(&plan),
        Went::Unplanned(why) | Went::Badly(why) => panic!("{shown}: {why}"),
        Went::Refused(plan) => panic!("{shown}: {:#?}", plan.instances),
    };
    assert!(!full.iter().any(|note| note.starts_with("not checked")), "{shown}: {full:#?}");
    for (number, statement) in policy["statement"].as_array().unwrap().iter().enumerate() {
        for (place, action) in statement["action"].as_array().unwrap().iter().enumerate() {
            let less = without(&policy, number, place);
            let plan = match attempt(&workflow, &less).await {
                Went::Unplanned(_) | Went::Badly(_) => continue,
                Went::Well(plan) | Went::Refused(plan) => plan,
            };
            let notes: Vec<_> = told(&plan).into_iter().filter(|note| !full.contains(note)).collect();
            let named = notes.iter().any(|note| {
                note.starts_with("not checked")
                    || note.contains("is not known")
                    || note.contains("could not be checked")
            });
            assert!(named, "{shown}: nobody misses {action} of statement {number}: {notes:#?}");
        }
    }
}

fn shipped() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/workflows");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    files
}

#[tokio::test(start_paused = true)]
async fn it_is_enough_for_every_shipped_workflow_and_nothing_can_be_left_out() {
    let files = shipped();
    assert!(files.len() >= 7, "{files:?}");
    for path in files {
        exactly_enough(&path).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_for_a_key_that_is_imported_and_for_instances_that_stay_down() {
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::copy(
        concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/fixtures/good-workflows/keys/ops team.rsa-4096.of-2026.pub"
        ),
        folder.path().join("new.pub"),
    )
    .unwrap();
    let import = folder.path().join("import.yaml");
    let text = "version: 1\nname: import\ntarget: { region: ap-guangzhou, instances: [ins-0web0001] }\n\
                changes: [{ load-ssh-key: { public-key-file: new.pub } }]\n";
    std::fs::write(&import, text).unwrap();
    exactly_enough(&import).await;
    assert!(printed(&import, &[]).to_string().contains("cvm:ImportKeyPair"));
    let never = folder.path().join("never.yaml");
    let text = "version: 1\nname: never\ntarget: { region: ap-guangzhou, instances: [ins-0web0001] }\n\
                changes: [{ load-ssh-key: { key: skey-0ops0001 } }]\nstart: never\n";
    std::fs::write(&never, text).unwrap();
    exactly_enough(&never).await;
    let policy = printed(&never, &[]).to_string();
    assert!(!policy.contains("StartInstances") && policy.contains("keypair/skey-0ops0001"), "{policy}");
}

fn code(result: Result<pitstop::cloud::RequestId, CloudError>) -> Option<(ErrorKind, String)> {
    result.err().map(|error| (error.kind, error.code.unwrap_or_default()))
}

#[tokio::test(start_paused = true)]
async fn another_instance_or_key_cannot_be_touched_with_it() {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/workflows/resize.yaml"));
    let mut fleet = Fleet::demo();
    fleet.credentials[0].policy = Some(serde_json::from_value(printed(path, &[])).unwrap());
    let client = Rig { fleet, ..Rig::default() }.scene().client;
    let stop = |ids: &[&str]| Change::Stop {
        ids: ids.iter().map(|id| (*id).into()).collect(),
        mode: StopMode::Soft,
        charging: Charging::Keep,
    };
    let refused = Some((ErrorKind::Auth, "AuthFailure.UnauthorizedOperation".to_owned()));
    assert_eq!(code(client.apply(&stop(&["ins-0db00001"]), &|| Ok(())).await), refused);
    assert_eq!(
        code(client.apply(&stop(&["ins-0web0001", "ins-0db00001"]), &|| Ok(())).await),
        refused,
        "not even together"
    );
    assert_eq!(client.look(&["ins-0web0001".into()]).await.unwrap()[0].power.as_str(), "RUNNING");
    assert_eq!(code(client.apply(&stop(&["ins-0web0001"]), &|| Ok(())).await), None);
    let reset = Change::ResetPassword {
        ids: vec!["ins-0web0002".into()],
        user: "root".into(),
        password: "Correct-Horse-7".into(),
    };
    assert_eq!(code(client.apply(&reset, &|| Ok(())).await), refused, "the workflow sets no password");

    let one_key = json!({"version": "2.0", "statement": [{"effect": "allow",
        "action": ["cvm:AssociateInstancesKeyPairs"],
        "resource": ["qcs::cvm:::instance/*", "qcs::cvm:::keypair/skey-0ops0001"]}]});
    let mut fleet = Fleet::demo();
    fleet.credentials[0].policy = Some(serde_json::from_value(one_key).unwrap());
    let client = Rig { fleet, ..Rig::default() }.scene().client;
    let load = |keys: &[&str]| Change::LoadSshKeys {
        ids: vec!["ins-0web0003".into()],
        keys: keys.iter().map(|key| KeyId::from(*key)).collect(),
    };
    assert_eq!(code(client.apply(&load(&["skey-0ops0001", "skey-0old0001"]), &|| Ok(())).await), refused);
    assert_eq!(code(client.apply(&load(&["skey-0ops0001"]), &|| Ok(())).await), None);
}

#[test]
fn without_a_match_it_needs_no_cloud_and_with_one_it_says_what_to_do() {
    let sealed = Sealed::new();
    assert_snapshot!("policy", sealed.pitstop(&["policy", "workflows/all-in-one-stop.yaml"]).transcript());
    let nobody =
        sealed.pitstop(&["policy", "workflows/load-ssh-key.yaml", "--endpoint", "http://127.0.0.1:9"]);
    assert_eq!(nobody.code, 5, "{}", nobody.stderr);
    assert!(nobody.stderr.contains("--offline"), "{}", nobody.stderr);
    let args = ["policy", "workflows/load-ssh-key.yaml", "--offline", "--account", "100000000001"];
    assert_snapshot!("policy_offline", sealed.pitstop(&args).transcript());
    let found = sealed.pitstop(&["policy", "workflows/load-ssh-key.yaml", "--cloud", "sim"]);
    assert_snapshot!("policy_match", found.transcript());
    assert_eq!(sealed.pitstop(&["policy", "workflows/resize.yaml", "--account", "me"]).code, 2);
}

#[test]
fn one_that_is_longer_than_the_vendor_takes_is_pointed_out() {
    let sealed = Sealed::new();
    let print = |count: usize| {
        let ids: Vec<String> = (0..count).map(|number| format!("ins-{number:08}")).collect();
        let text = format!(
            "version: 1\nname: many\ntarget: {{ region: ap-guangzhou, instances: [{}] }}\n\
             changes: [{{ resize: {{ type: S5.LARGE8 }} }}]\n",
            ids.join(", ")
        );
        let path = sealed.home().join("many.yaml");
        std::fs::write(&path, text).unwrap();
        sealed.pitstop(&["policy", path.to_str().unwrap(), "--account", "100000000001", "--prepaid"])
    };
    let few = print(50);
    assert_eq!((few.code, few.stderr.as_str()), (0, ""));
    let many = print(100);
    assert_eq!(many.code, 0);
    assert!(many.stderr.contains("CAM takes 6144"), "{}", many.stderr);
}

#[test]
fn a_match_that_may_not_be_asked_names_the_permission() {
    let sealed = Sealed::new();
    let text = include_str!("../../src/sim/demo.yaml").replace(
        "    secret-key: simulatedSecretKeyOfThePitstopDemo\n",
        "    secret-key: simulatedSecretKeyOfThePitstopDemo\n    policy: { version: '2.0', statement: [] }\n",
    );
    let fleet = sealed.home().join("fleet.yaml");
    std::fs::write(&fleet, text).unwrap();
    let args =
        ["policy", "workflows/load-ssh-key.yaml", "--cloud", "sim", "--sim-fleet", fleet.to_str().unwrap()];
    let refused = sealed.pitstop(&args);
    assert_eq!(refused.code, 5, "{}", refused.stderr);
    assert!(refused.stderr.contains("cvm:DescribeInstances"), "{}", refused.stderr);
    assert_eq!(
        sealed.pitstop(&["policy", "workflows/resize.yaml", "--cloud", "sim"]).code,
        0,
        "asks nothing"
    );
}
