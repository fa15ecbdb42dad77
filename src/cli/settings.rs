//! From arguments and environment to settings that are checked and complete. Nothing here does I/O.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::args;
use super::environment::Environment;
use super::exit::{Error, Kind};
use crate::tencent::Endpoint;

/// Which cloud to work on.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum CloudSettings {
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
