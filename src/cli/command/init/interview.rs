//! The questions, in order: where, which instances, what is changed, what follows.

use std::collections::BTreeMap;

use super::account::{Account, columns, lines};
use super::ask::Person;
use super::draft::{Chosen, Draft, Key, Password, Source, Target, Which};
use super::given::Given;
use crate::cli::environment::Environment;
use crate::cli::exit::Error;
use crate::cli::settings::CloudSettings;
use crate::cli::terminal::Terminal;
use crate::cloud::{Filter, Instance, InstanceId};
use crate::report::{clean, instances};
use crate::workflow::Start;

/// The kinds of change, as they are asked for.
const CHANGES: [&str; 3] = ["the type (cores and memory)", "the login password", "the SSH key"];

/// One conversation.
pub(super) struct Interview<'a> {
    pub(super) terminal: &'a Terminal,
    pub(super) environment: &'a Environment,
    pub(super) settings: &'a CloudSettings,
    pub(super) person: Person,
}

impl Interview<'_> {
    /// Asks for all that is not given.
    pub(super) async fn fill(&mut self, given: Given) -> Result<Draft, Error> {
        let (region, account) = self.region(&given).await?;
        let (target, ids) = match given.target {
            Some(target) => {
                let ids = self.ids(&target, account.as_ref()).await;
                (target, ids)
            }
            None => self.target(account.as_ref()).await?,
        };
        let (mut resize, mut password, mut key) = (given.resize, given.password, given.key);
        if resize.is_none() && password.is_none() && key.is_none() {
            let kinds = CHANGES.map(str::to_owned);
            let wanted = self.person.some("What is changed while they are stopped", &kinds, &kinds).await?;
            if wanted.contains(&0) {
                resize = Some(self.resize(account.as_ref(), &ids).await?);
            }
            if wanted.contains(&1) {
                password = Some(self.password().await?);
            }
            if wanted.contains(&2) {
                key = Some(self.key(account.as_ref()).await?);
            }
        }
        let start = match given.start {
            Some(start) => start,
            None => self.start().await?,
        };
        let ports = match given.ports {
            Some(ports) => ports,
            None if start == Start::Never => Vec::new(),
            None => self.ports().await?,
        };
        Ok(Draft { name: String::new(), region, target, resize, password, key, start, ports })
    }

    /// The region, and what the account has there. Without credentials the answers are typed.
    async fn region(&mut self, given: &Given) -> Result<(String, Option<Account>), Error> {
        loop {
            let region = if let Some(region) = &given.region {
                region.clone()
            } else {
                let usual = self.environment.get("TENCENTCLOUD_REGION").unwrap_or("ap-guangzhou").to_owned();
                let judge = |text: &str| Draft { region: text.to_owned(), ..Draft::sample() }.judge();
                self.person.text("Region", Some(usual), judge).await?
            };
            match Account::open(self.settings, &region, self.environment).await {
                Ok(account) if account.instances.is_empty() && given.region.is_none() => {
                    self.terminal.say(&format!("there are no instances in {region}"));
                }
                Ok(account) if account.instances.is_empty() => return Ok((region, None)),
                Ok(account) => return Ok((region, Some(account))),
                Err(error) => {
                    let error = error.hint("to try it without an account: pitstop init --cloud sim");
                    self.regret("the account can't be read, so ids and names have to be typed", &error);
                    return Ok((region, None));
                }
            }
        }
    }

    fn regret(&self, what: &str, error: &Error) {
        let mut lines = vec![format!("{what}: {error}")];
        lines.extend(error.hints.iter().map(|hint| format!("  {hint}")));
        self.terminal.say(&lines.join("\n"));
    }

    /// The instances that a target means now, as far as that can be told.
    async fn ids(&self, target: &Target, account: Option<&Account>) -> Vec<InstanceId> {
        match (target, account) {
            (Target::Instances(chosen), _) => {
                chosen.iter().map(|one| InstanceId::new(one.id.as_str())).collect()
            }
            (Target::Match { name, tags, .. }, Some(account)) => {
                let filter = Filter { name: name.clone(), tags: tags.clone(), ..Filter::default() };
                let found = account.find(&filter).await.unwrap_or_default();
                found.into_iter().map(|instance| instance.id).collect()
            }
            (Target::Match { .. }, None) => Vec::new(),
        }
    }

    async fn target(&mut self, account: Option<&Account>) -> Result<(Target, Vec<InstanceId>), Error> {
        let ways = ["some of them, by id", "all that fit a name or tags, also later ones"]
            .map(str::to_owned)
            .to_vec();
        if self.person.one("Which instances", ways).await? == 1 {
            return self.matching(account).await;
        }
        let chosen = match account {
            Some(account) => {
                let names: Vec<_> = account.instances.iter().map(|instance| clean(&instance.name)).collect();
                let marked = self.person.some("Instances", &lines(&account.instances), &names).await?;
                marked.into_iter().map(|at| chosen(&account.instances[at])).collect()
            }
            None => self.typed_ids().await?,
        };
        let ids = chosen.iter().map(|one: &Chosen| InstanceId::new(one.id.as_str())).collect();
        Ok((Target::Instances(chosen), ids))
    }

    async fn typed_ids(&mut self) -> Result<Vec<Chosen>, Error> {
        let parse = |text: &str| -> Vec<Chosen> {
            let ids = text.split([',', ' ']).filter(|id| !id.is_empty());
            ids.map(|id| Chosen { id: id.to_owned(), note: String::new() }).collect()
        };
        let judge =
            move |text: &str| Draft { target: Target::Instances(parse(text)), ..Draft::sample() }.judge();
        Ok(parse(&self.person.text("Instance ids, with blanks between them", None, judge).await?))
    }

    async fn matching(&mut self, account: Option<&Account>) -> Result<(Target, Vec<InstanceId>), Error> {
        loop {
            let name = self.person.text("Name (* and ? are wildcards; empty: any)", None, |_| Ok(())).await?;
            let written = self
                .person
                .text("Tags like role=web env=prod (empty: any)", None, |text| tags(text).map(drop))
                .await?;
            let (name, tags) =
                (Some(name).filter(|name| !name.is_empty()), tags(&written).unwrap_or_default());
            if name.is_none() && tags.is_empty() {
                self.terminal.say("give a name, or a tag; the name `*` is every instance of the region");
                continue;
            }
            let mut target = Target::Match { name, tags, at_most: None };
            if let Err(why) = (Draft { target: target.clone(), ..Draft::sample() }).judge() {
                self.terminal.say(&why);
                continue;
            }
            let ids = self.ids(&target, account).await;
            if let Some(account) = account {
                let found: Vec<_> =
                    account.instances.iter().filter(|instance| ids.contains(&instance.id)).collect();
                let names: Vec<_> = found.iter().map(|instance| clean(&instance.name)).collect();
                self.terminal.say(&format!("{} now: {}", instances(found.len()), names.join(", ")));
            }
            let judge = |text: &str| {
                let target = Target::Match {
                    name: Some("*".to_owned()),
                    tags: BTreeMap::new(),
                    at_most: Some(text.to_owned()),
                };
                Draft { target, ..Draft::sample() }.judge()
            };
            let most = self
                .person
                .text("Refuse to run if more are found than", Some(ids.len().max(1).to_string()), judge)
                .await?;
            if let Target::Match { at_most, .. } = &mut target {
                *at_most = Some(most);
            }
            return Ok((target, ids));
        }
    }

    async fn resize(&mut self, account: Option<&Account>, ids: &[InstanceId]) -> Result<String, Error> {
        let types = match account {
            Some(account) => account.types(ids).await,
            None => Ok(Vec::new()),
        };
        let types = types.unwrap_or_else(|error| {
            self.regret("what they can become can't be read", &error);
            Vec::new()
        });
        if !types.is_empty() {
            let cells = |option: &crate::cloud::ResizeOption| {
                let (cpu, memory) = (option.cpu, option.memory_gib);
                let cores = if cpu == 1 { "core" } else { "cores" };
                [option.instance_type.to_string(), format!("{cpu:>3} {cores:5}"), format!("{memory:>4} GiB")]
            };
            let mut items = columns(&types.iter().map(cells).collect::<Vec<_>>());
            items.push("another".to_owned());
            let chosen = self.person.one("New type, of those that all of them can have now", items).await?;
            if let Some(option) = types.get(chosen) {
                return Ok(option.instance_type.to_string());
            }
        }
        let judge = |text: &str| Draft { resize: Some(text.to_owned()), ..Draft::sample() }.judge();
        self.person.text("New type, like S5.LARGE8", None, judge).await
    }

    async fn password(&mut self) -> Result<Password, Error> {
        let ways = [
            "an environment variable",
            "the first line of a file",
            "the first line that a program prints",
            "typed when the run begins",
            "made up, and saved to a file",
        ];
        let judge = |make: fn(&str) -> Source| {
            move |text: &str| {
                let password = Password { user: None, source: make(text) };
                Draft { password: Some(password), ..Draft::sample() }.judge()
            }
        };
        let (question, usual, make): (_, _, fn(&str) -> Source) = match self
            .person
            .one("Where the new password comes from", ways.map(str::to_owned).to_vec())
            .await?
        {
            0 => ("Name of the variable", Some("NEW_PASSWORD"), |text| Source::Env(text.to_owned())),
            1 => ("File", None, |text| Source::File(text.to_owned())),
            2 => ("Program and its arguments", None, |text| {
                Source::Command(text.split_whitespace().map(str::to_owned).collect())
            }),
            3 => ("", None, |_| Source::Prompt),
            _ => ("File to save it to", Some("new-password.txt"), |text| Source::Generate(text.to_owned())),
        };
        let source = if question.is_empty() {
            Source::Prompt
        } else {
            make(&self.person.text(question, usual.map(str::to_owned), judge(make)).await?)
        };
        let judge = |text: &str| {
            let user = Some(text.to_owned()).filter(|user| !user.is_empty());
            Draft { password: Some(Password { user, source: Source::Prompt }), ..Draft::sample() }.judge()
        };
        let user = self.person.text("User (empty: the administrator of each system)", None, judge).await?;
        Ok(Password { user: Some(user).filter(|user| !user.is_empty()), source })
    }

    async fn key(&mut self, account: Option<&Account>) -> Result<Key, Error> {
        let pairs = match account {
            Some(account) => account.keys().await,
            None => Ok(Vec::new()),
        };
        let pairs = pairs.unwrap_or_else(|error| {
            self.regret("the account's keys can't be read", &error);
            Vec::new()
        });
        let mut items =
            columns(&pairs.iter().map(|pair| [pair.name.clone(), pair.id.to_string()]).collect::<Vec<_>>());
        items.push("one with another name".to_owned());
        items.push("a public key in a file".to_owned());
        let at = self.person.one("Which SSH key", items).await?;
        let which = if let Some(pair) = pairs.get(at) {
            Which::Name(pair.name.clone())
        } else {
            let (question, make): (_, fn(&str) -> Which) = if at == pairs.len() {
                ("Name of the key", |text| Which::Name(text.to_owned()))
            } else {
                ("File with the public key", |text| Which::File(text.to_owned()))
            };
            let judge = move |text: &str| {
                let key = Key { which: make(text), keep_existing: true };
                Draft { key: Some(key), ..Draft::sample() }.judge()
            };
            make(&self.person.text(question, None, judge).await?)
        };
        let keep_existing = self.person.yes("Shall keys that are bound already stay bound?", true).await?;
        Ok(Key { which, keep_existing })
    }

    async fn start(&mut self) -> Result<Start, Error> {
        let ways = [
            ("those that ran", Start::AsFound),
            ("all, also those that were found stopped", Start::Always),
            ("none", Start::Never),
        ];
        let items = ways.iter().map(|(words, _)| (*words).to_owned()).collect();
        let chosen = self.person.one("Which of them run afterwards", items).await?;
        Ok(ways[chosen].1)
    }

    async fn ports(&mut self) -> Result<Vec<String>, Error> {
        let judge = |text: &str| Draft { ports: numbers(text), ..Draft::sample() }.judge();
        let question = "Ports that must answer after the start, like 22 443 (empty: no check)";
        Ok(numbers(&self.person.text(question, None, judge).await?))
    }
}

fn chosen(instance: &Instance) -> Chosen {
    Chosen { id: instance.id.to_string(), note: format!("{}, {}", instance.name, instance.instance_type) }
}

/// `role=web env=prod`.
fn tags(text: &str) -> Result<BTreeMap<String, String>, String> {
    let pair = |word: &str| match word.split_once('=') {
        Some((tag, value)) if !tag.is_empty() => Ok((tag.to_owned(), value.to_owned())),
        _ => Err(format!("`{word}` is not a tag; write it like role=web")),
    };
    text.split_whitespace().map(pair).collect()
}

fn numbers(text: &str) -> Vec<String> {
    text.split([',', ' ']).filter(|port| !port.is_empty()).map(str::to_owned).collect()
}
