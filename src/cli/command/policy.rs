//! `pitstop policy`: the least access policy that a workflow needs. Without a `match` no cloud is asked.

use std::collections::BTreeSet;

use crate::cli::args::{self, Output};
use crate::cli::environment::Environment;
use crate::cli::exit::{Ending, Error, Kind};
use crate::cli::load;
use crate::cli::parts;
use crate::cli::settings::{CloudSettings, values};
use crate::cli::terminal::Terminal;
use crate::cloud::{Action, CloudError, ErrorKind, Filter, Instance, InstanceId, KeyId, Survey};
use crate::report::{clean, instances as count_instances};
use crate::tencent::{LONGEST_POLICY, Policy, Work};
use crate::workflow::{KeySource, LoadSshKey, Start, Target, Workflow};

pub(in crate::cli) async fn policy(
    terminal: &Terminal,
    environment: &Environment,
    args: args::Policy,
) -> Result<Ending, Error> {
    let settings = CloudSettings::resolve(args.cloud)?;
    let workflow = load::load(terminal, &args.file, values(args.values.set)).await?.workflow;
    let mut account = args.account;
    let instances = match &workflow.target {
        Target::Instances(ids) => Some(distinct(ids)),
        Target::Match { .. } if args.offline => {
            terminal.say(&format!(
                "note: without asking what the match finds, the policy allows these changes to every instance of {}",
                workflow.region
            ));
            None
        }
        Target::Match { filter, at_most } => {
            let site = parts::connect(&settings, &workflow.region, environment)?;
            let found = found(site.survey.as_ref(), filter, *at_most).await?;
            if account.is_none() {
                // It may not be allowed, and a policy is right without it.
                account = site.survey.caller().await.ok().map(|caller| caller.account);
            }
            terminal.say(&format!(
                "note: for the {} that the match finds now ({}); print it again when others fit",
                count_instances(found.len()),
                names(&found)
            ));
            Some(found.into_iter().map(|instance| instance.id).collect())
        }
    };
    let work = work(&workflow, instances, account, args.prepaid);
    let policy = Policy::least(&work);
    let written = |text: serde_json::Result<String>| {
        text.map_err(|error| Error::new(Kind::Bug, format!("a policy can't be written: {error}")))
    };
    let line = written(serde_json::to_string(&policy))?;
    match terminal.output() {
        Output::Human => terminal.data(&written(serde_json::to_string_pretty(&policy))?)?,
        Output::Json => terminal.data(&line)?,
    }
    for note in notes(&work, line.len()) {
        terminal.say(&note);
    }
    Ok(Ending::Well)
}

/// What the workflow does, in the words of the cloud.
fn work(
    workflow: &Workflow,
    instances: Option<Vec<InstanceId>>,
    account: Option<String>,
    prepaid: bool,
) -> Work {
    let changes = &workflow.changes;
    let actions: BTreeSet<Action> = [
        (true, Action::Stop),
        // What shall be stopped in the end is never started.
        (workflow.start != Start::Never, Action::Start),
        (changes.resize.is_some(), Action::Resize),
        (changes.reset_password.is_some(), Action::ResetPassword),
        (changes.load_ssh_key.is_some(), Action::LoadSshKeys),
    ]
    .into_iter()
    .filter_map(|(needed, action)| needed.then_some(action))
    .collect();
    Work {
        region: workflow.region.clone(),
        account,
        instances,
        actions,
        key: changes.load_ssh_key.as_ref().and_then(only_key),
        import_key: matches!(changes.load_ssh_key, Some(LoadSshKey { key: KeySource::PublicKey { .. }, .. })),
        prepaid,
    }
}

/// The key, where it is known before the cloud is asked and no other is bound with it.
fn only_key(load: &LoadSshKey) -> Option<KeyId> {
    match &load.key {
        KeySource::Id(id) if !load.keep_existing => Some(id.clone()),
        KeySource::Id(_) | KeySource::Name(_) | KeySource::PublicKey { .. } => None,
    }
}

fn distinct(ids: &[InstanceId]) -> Vec<InstanceId> {
    let mut seen = BTreeSet::new();
    ids.iter().filter(|id| seen.insert(*id)).cloned().collect()
}

/// The instances that fit, by name.
async fn found(cloud: &dyn Survey, filter: &Filter, at_most: Option<usize>) -> Result<Vec<Instance>, Error> {
    let mut found = cloud.find(filter).await.map_err(|error| not_asked(&error))?;
    found.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
    if found.is_empty() {
        return Err(Error::new(
            Kind::CouldNotBegin,
            "no instance fits the match, so there is nothing to allow",
        )
        .hint("print the policy when there are instances, or allow every instance with --offline"));
    }
    if at_most.is_some_and(|at_most| found.len() > at_most) {
        let message = format!(
            "the match finds {}, and `at-most` is {}: {}",
            count_instances(found.len()),
            at_most.unwrap_or_default(),
            names(&found)
        );
        return Err(
            Error::new(Kind::NotApproved, message).hint("make the match narrower, or raise `at-most`")
        );
    }
    Ok(found)
}

/// Whoever prints a policy may not have any permission yet.
fn not_asked(error: &CloudError) -> Error {
    let message = format!("the workflow has a `match`, and what it finds can't be asked: {error}");
    let asked = Error::new(Kind::CouldNotBegin, message);
    let asked = match error.kind {
        ErrorKind::Auth => asked.hint("asking takes credentials that may cvm:DescribeInstances on `*`"),
        _ => asked.hint(error.hint()),
    };
    asked.hint(
        "or ask nothing with --offline: the policy then allows the changes to every instance of the region",
    )
}

/// The names of the first few.
fn names(instances: &[Instance]) -> String {
    const SHOWN: usize = 5;
    let name = |instance: &Instance| match instance.name.as_str() {
        "" => instance.id.to_string(),
        name => clean(name),
    };
    let shown: Vec<String> = instances.iter().take(SHOWN).map(name).collect();
    let more = if instances.len() > SHOWN { ", …" } else { "" };
    shown.join(", ") + more
}

/// What a person should know who puts the policy into force.
fn notes(work: &Work, length: usize) -> Vec<String> {
    let mut notes = Vec::new();
    if work.actions.contains(&Action::LoadSshKeys) && work.key.is_none() {
        notes.push(
            "note: which keys will be bound is not known yet, so it allows all keys of the region".to_owned(),
        );
    }
    if work.actions.contains(&Action::Resize) && !work.prepaid {
        notes.push(
            "note: the resize of a prepaid instance has to be paid, which --prepaid allows as well"
                .to_owned(),
        );
    }
    if length > LONGEST_POLICY {
        notes.push(format!(
            "warning: it has {length} characters without blanks, and CAM takes {LONGEST_POLICY}: divide the instances among \
             several policies"
        ));
    }
    notes
}
