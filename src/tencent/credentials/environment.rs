//! What the process offers, as a value.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use super::{Credential, CredentialError};

/// The variables and folders that are searched for credentials.
#[derive(Clone, Default)]
pub struct Environment {
    vars: BTreeMap<String, SecretString>,
    home: Option<PathBuf>,
    system: Option<PathBuf>,
}

/// Names only: some of the values are secrets.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("vars", &self.vars.keys())
            .field("home", &self.home)
            .field("system", &self.system)
            .finish()
    }
}

impl Environment {
    /// An environment of these variables; names outside the vendor's prefixes are left out.
    /// `home` is the user's folder, `system` the machine's configuration (`/etc`).
    pub fn new(
        vars: impl IntoIterator<Item = (String, String)>,
        home: Option<PathBuf>,
        system: Option<PathBuf>,
    ) -> Self {
        const PREFIXES: [&str; 3] = ["TENCENTCLOUD_", "TCCLI_", "TKE_"];
        let ours = |name: &String| PREFIXES.iter().any(|prefix| name.starts_with(prefix));
        let vars = vars.into_iter().filter(|(name, _)| ours(name));
        Self { vars: vars.map(|(name, value)| (name, value.into())).collect(), home, system }
    }

    /// The environment of this process.
    pub fn of_process() -> Self {
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        let vars = std::env::vars_os().map(|(name, value)| (text(name), text(value)));
        Self::new(vars, std::env::home_dir(), Some(PathBuf::from("/etc")))
    }

    /// A variable's value. Set but empty, or with blanks around it, is an error: it is a mistake in a script.
    pub(super) fn secret(&self, name: &str) -> Result<Option<&SecretString>, CredentialError> {
        let Some(value) = self.vars.get(name) else { return Ok(None) };
        check_blanks(name, value.expose_secret())?;
        Ok(Some(value))
    }

    /// A variable's value that is no secret.
    pub(super) fn get(&self, name: &str) -> Result<Option<&str>, CredentialError> {
        Ok(self.secret(name)?.map(ExposeSecret::expose_secret))
    }

    /// The first of these variables that is set.
    pub(super) fn first(&self, names: &[&str]) -> Result<Option<&str>, CredentialError> {
        for name in names {
            if let Some(value) = self.get(name)? {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    pub(super) fn home(&self) -> Option<&PathBuf> {
        self.home.as_ref()
    }

    pub(super) fn system(&self) -> Option<&PathBuf> {
        self.system.as_ref()
    }

    /// The credentials in the variables. Both names of the token are in use by the vendor's own tools.
    pub(super) fn credential(&self) -> Result<Option<Credential>, CredentialError> {
        const ID: &str = "TENCENTCLOUD_SECRET_ID";
        const KEY: &str = "TENCENTCLOUD_SECRET_KEY";
        const TOKENS: [&str; 2] = ["TENCENTCLOUD_TOKEN", "TENCENTCLOUD_SECURITY_TOKEN"];
        let incomplete = |present: &str, missing: &str| CredentialError::Incomplete {
            present: present.to_owned(),
            missing: missing.to_owned(),
        };
        let (secret_id, secret_key) = match (self.get(ID)?, self.secret(KEY)?) {
            (None, None) => return Ok(None),
            (Some(_), None) => return Err(incomplete(ID, KEY)),
            (None, Some(_)) => return Err(incomplete(KEY, ID)),
            (Some(id), Some(key)) => (id.to_owned(), key.clone()),
        };
        let token = match (self.secret(TOKENS[0])?, self.secret(TOKENS[1])?) {
            (Some(first), Some(second)) if first.expose_secret() != second.expose_secret() => {
                return Err(CredentialError::Conflict { first: TOKENS[0].into(), second: TOKENS[1].into() });
            }
            (first, second) => first.or(second).cloned(),
        };
        let source = "the variables TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY".to_owned();
        Ok(Some(Credential { secret_id, secret_key, token, expires: None, source }))
    }
}

/// Refuses values that are empty or have blanks around them, as the official SDKs do.
pub(super) fn check_blanks(place: &str, value: &str) -> Result<(), CredentialError> {
    let blank = |empty| CredentialError::Blank { place: place.to_owned(), empty };
    if value.trim().is_empty() {
        Err(blank(true))
    } else if value.trim() != value {
        Err(blank(false))
    } else {
        Ok(())
    }
}
