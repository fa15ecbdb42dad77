//! The process's environment as a value, so that everything made from it can be tested.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// Environment variables. Values may be secrets, so that it has no `Debug`.
#[derive(Clone, Default)]
pub(super) struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The environment of this process; variables that are not UTF-8 are left out.
    pub(super) fn of_process() -> Self {
        Self(
            std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
                .collect(),
        )
    }

    /// A variable that is set and not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The locale of messages, by the variables that POSIX looks at.
    pub(super) fn locale(&self) -> Option<&str> {
        ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(|name| self.get(name))
    }

    /// All of them.
    pub(super) fn variables(&self) -> &BTreeMap<String, String> {
        &self.0
    }

    /// The folder for state that outlives a run: systemd's, the XDG one, or the one below the home folder.
    pub(super) fn state_folder(&self) -> Option<PathBuf> {
        let absolute = |name| self.get(name).map(PathBuf::from).filter(|path| path.is_absolute());
        // systemd sets it, for `StateDirectory=`, to one or more folders.
        let systemd =
            self.get("STATE_DIRECTORY").and_then(|folders| folders.split(':').next()).map(PathBuf::from);
        systemd
            .or_else(|| absolute("XDG_STATE_HOME").map(|folder| folder.join("pitstop")))
            .or_else(|| absolute("HOME").map(|home| home.join(".local/state/pitstop")))
    }
}

#[cfg(test)]
impl<const N: usize> From<[(&str, &str); N]> for Environment {
    fn from(variables: [(&str, &str); N]) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_state_folder_where_people_expect_it() {
        let table: [(&str, Option<&str>); 6] = [
            ("HOME=/home/ops", Some("/home/ops/.local/state/pitstop")),
            ("HOME=/home/ops XDG_STATE_HOME=/s", Some("/s/pitstop")),
            ("HOME=/home/ops XDG_STATE_HOME=relative", Some("/home/ops/.local/state/pitstop")),
            ("STATE_DIRECTORY=/var/lib/pitstop:/var/lib/other HOME=/root", Some("/var/lib/pitstop")),
            ("HOME=", None),
            ("", None),
        ];
        for (variables, folder) in table {
            let pairs = variables.split_whitespace().filter_map(|pair| pair.split_once('='));
            let variables = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            assert_eq!(Environment(variables).state_folder(), folder.map(PathBuf::from));
        }
    }
}
