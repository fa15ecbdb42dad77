//! From arguments and environment to settings that are checked and complete. Nothing here does I/O.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::args;
use super::environment::Environment;
use super::exit::{Error, Kind};
use crate::tencent::{Endpoint, Limits};

/// Which cloud to work on, and with how many calls.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct CloudSettings {
    pub(super) which: Which,
    pub(super) traffic: Traffic,
}

/// How many calls are sent.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Traffic {
    /// In a second, by action.
    pub(super) limits: Limits,
    /// What may be used of them for looking at instances, in percent.
    pub(super) looking: u8,
}

/// The clouds.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Which {
    /// The vendor's, or one that speaks the vendor's protocol.
    Tencent {
        /// Where calls go.
        endpoint: Endpoint,
        /// It is a simulated cloud: only that is spoken to in plain http, on this machine.
        simulator: Option<Simulator>,
        /// Certificates to trust instead of the system's.
        ca_file: Option<PathBuf>,
    },
    /// A simulated one inside this process.
    Sim(World),
}

/// A simulated cloud to be made.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct World {
    /// Its fleet; the demo fleet if absent.
    pub(super) fleet: Option<PathBuf>,
    /// What goes wrong in it; nothing if absent.
    pub(super) faults: Option<PathBuf>,
    /// How many times faster than the real one it is.
    pub(super) speed: f64,
    /// The beginning of its chance.
    pub(super) seed: u64,
}

/// A simulated cloud in another process.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Simulator {
    /// Its address.
    pub(super) url: String,
    /// How many times faster than the real cloud it is.
    pub(super) speed: f64,
}

impl CloudSettings {
    pub(super) fn resolve(args: args::Cloud) -> Result<Self, Error> {
        let limits = args.limit.iter().fold(Limits::default(), |limits, (action, calls)| {
            // Faster than the vendor allows is only slower: what it throttles has to be sent again.
            limits.clone().with(action, limits.per_second(action).min(*calls))
        });
        let traffic = Traffic { limits, looking: args.read_share };
        Ok(Self { which: Which::resolve(args)?, traffic })
    }
}

impl Which {
    fn resolve(args: args::Cloud) -> Result<Self, Error> {
        match (args.name, args.endpoint) {
            (args::CloudName::Sim, Some(_)) => {
                Err(Error::new(Kind::Usage, "--cloud sim has no endpoint: it is inside this process")
                    .hint("leave --endpoint out, or start `pitstop sim` and leave --cloud out"))
            }
            (args::CloudName::Sim, None) => Ok(Self::Sim(World {
                fleet: args.sim_fleet,
                faults: args.sim_faults,
                speed: args.sim_speed,
                seed: args.sim_seed,
            })),
            (args::CloudName::Tencent, None) => {
                Ok(Self::Tencent { endpoint: Endpoint::vendor(), simulator: None, ca_file: args.ca_file })
            }
            (args::CloudName::Tencent, Some(given)) => {
                let endpoint =
                    Endpoint::parse(&given).map_err(|error| Error::from_chain(Kind::Usage, &error))?;
                let simulator = endpoint.named().filter(|_| endpoint.is_plain_http());
                let simulator = simulator.map(|url| Simulator { url: url.to_owned(), speed: args.sim_speed });
                Ok(Self::Tencent { endpoint, simulator, ca_file: args.ca_file })
            }
        }
    }
}

/// Where journals are kept.
pub(super) fn journal_path(state: Option<&str>, environment: &Environment) -> Result<PathBuf, Error> {
    match state {
        Some(state) => match state.strip_prefix("sqlite:") {
            Some(path) if !path.is_empty() => Ok(PathBuf::from(path)),
            _ => Err(Error::new(Kind::Usage, format!("`{}` is not a place for journals", shown(state)))
                .hint("write --state sqlite:PATH, e.g. --state sqlite:/var/lib/pitstop/journal.db")),
        },
        None => environment.state_folder().map(|folder| folder.join("journal.db")).ok_or_else(|| {
            Error::new(Kind::CouldNotBegin, "there is no folder to keep the journal in: HOME is not set")
                .hint("name a file: --state sqlite:/var/lib/pitstop/journal.db")
        }),
    }
}

/// A state URL may carry a password before an `@`; that is not repeated.
fn shown(state: &str) -> &str {
    state.rsplit_once('@').map_or(state, |(_, host)| host)
}

/// The values given for params; of one given twice, the last counts.
pub(super) fn values(set: Vec<(String, String)>) -> BTreeMap<String, String> {
    set.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_can_be_lowered_and_not_raised() {
        use clap::Parser as _;
        let resolve = |words: &[&str]| {
            let words = ["pitstop", "plan", "x.yaml"].iter().chain(words);
            let args::Command::Plan(plan) = args::Arguments::try_parse_from(words).unwrap().command else {
                panic!("it is a plan")
            };
            CloudSettings::resolve(plan.cloud).unwrap().traffic
        };
        let usual = resolve(&[]);
        assert_eq!((usual.limits.per_second("ResetInstancesType"), usual.looking), (10, 20));
        let lowered =
            resolve(&["--limit", "ResetInstancesType=3", "--limit", "StopInstances=99", "--read-share=50"]);
        assert_eq!((lowered.limits.per_second("ResetInstancesType"), lowered.looking), (3, 50));
        assert_eq!(lowered.limits.per_second("StopInstances"), 10);
        for wrong in ["--limit=ResetInstanceType=3", "--limit=StopInstances=0", "--limit=5", "--read-share=0"]
        {
            assert!(
                args::Arguments::try_parse_from(["pitstop", "plan", "x.yaml", wrong]).is_err(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn the_journal_is_where_state_says_or_below_the_home_folder() {
        let home = Environment::from([("HOME", "/home/ops")]);
        assert_eq!(journal_path(Some("sqlite:/x/j.db"), &home).unwrap(), PathBuf::from("/x/j.db"));
        assert_eq!(
            journal_path(None, &home).unwrap(),
            PathBuf::from("/home/ops/.local/state/pitstop/journal.db")
        );
        for wrong in ["/x/j.db", "sqlite:", "postgres://ops:secret@db/pitstop"] {
            let error = journal_path(Some(wrong), &home).unwrap_err();
            assert_eq!(error.kind, Kind::Usage);
            assert!(!error.message.contains("secret"), "{error}");
        }
        let nowhere = journal_path(None, &Environment::default()).unwrap_err();
        assert_eq!(nowhere.kind, Kind::CouldNotBegin);
    }
}
