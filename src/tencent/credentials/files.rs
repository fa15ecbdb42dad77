//! Credentials in files: the SDKs' INI file, and tccli's profiles.

use std::fmt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::environment::{Environment, check_blanks};
use super::sts::Role;
use super::{Credential, CredentialError};

/// What a profile of tccli says.
#[derive(Debug)]
pub(super) enum Profile {
    /// Keys, and a role to assume with them.
    Keys(Credential, Option<Role>),
    /// Use the role that is bound to this machine.
    MachineRole,
}

/// The SDKs' file: named by a variable, or in the user's folder, or in the machine's.
/// Answers with the places looked at when there is none.
pub(super) fn ini(environment: &Environment) -> Result<Result<Credential, Vec<String>>, CredentialError> {
    const NAMED: &str = "TENCENTCLOUD_CREDENTIALS_FILE";
    if let Some(path) = environment.get(NAMED)? {
        let path = PathBuf::from(path);
        let text = read_secret(&path)?.ok_or_else(|| CredentialError::Unreadable {
            path: path.clone(),
            reason: format!("{NAMED} names it, but it is not there"),
        })?;
        return parse_ini(&path, text.expose_secret()).map(Ok);
    }
    let home = environment.home().map(|home| home.join(".tencentcloud/credentials"));
    let system = environment.system().map(|system| system.join("tencentcloud/credentials"));
    let mut looked = Vec::new();
    for path in home.into_iter().chain(system) {
        if let Some(text) = read_secret(&path)? {
            return parse_ini(&path, text.expose_secret()).map(Ok);
        }
        looked.push(format!("the file {}: not there", path.display()));
    }
    Ok(Err(looked))
}

fn parse_ini(path: &Path, text: &str) -> Result<Credential, CredentialError> {
    let place = path.display().to_string();
    let malformed = |problem: String| CredentialError::Malformed { place: place.clone(), problem };
    let (mut section, mut seen) = (String::new(), false);
    let (mut id, mut key, mut token) = (None, None, None);
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            name.trim().clone_into(&mut section);
            seen |= section == "default";
            continue;
        }
        // The line itself may be a secret, so only its number is told.
        let (name, value) = line.split_once('=').ok_or_else(|| {
            malformed(format!("line {} is neither `[section]` nor `key = value`", number + 1))
        })?;
        if section != "default" {
            continue;
        }
        let slot = match name.trim() {
            "secret_id" => &mut id,
            "secret_key" => &mut key,
            "token" => &mut token,
            _ => continue,
        };
        check_blanks(&format!("`{}` in {place}", name.trim()), value.trim())?;
        *slot = Some(value.trim().to_owned());
    }
    if !seen {
        return Err(malformed("it has no section [default]".to_owned()));
    }
    let missing = |name: &str| malformed(format!("section [default] has no `{name}`"));
    Ok(Credential {
        secret_id: id.ok_or_else(|| missing("secret_id"))?,
        secret_key: key.ok_or_else(|| missing("secret_key"))?.into(),
        token: token.map(Into::into),
        expires: None,
        source: format!("the file {place}"),
    })
}

/// One profile as tccli writes it.
#[derive(Deserialize)]
struct ProfileFile {
    #[serde(rename = "secretId")]
    secret_id: Option<String>,
    #[serde(rename = "secretKey")]
    secret_key: Option<SecretString>,
    token: Option<SecretString>,
    #[serde(rename = "role-arn")]
    role_arn: Option<String>,
    #[serde(rename = "role-session-name")]
    role_session_name: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(rename = "expiresAt")]
    expires_at: Option<i64>,
}

impl fmt::Debug for ProfileFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProfileFile").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Somebody has named a profile, so that it must exist and goes before files that nobody named.
pub(super) fn profile_is_named(environment: &Environment) -> Result<bool, CredentialError> {
    Ok(environment.first(&PROFILES)?.is_some())
}

const PROFILES: [&str; 2] = ["TCCLI_PROFILE", "TENCENTCLOUD_PROFILE"];

/// A profile of tccli: `~/.tccli/<profile>.credential`. Answers with the place looked at when there is none.
pub(super) fn profile(
    environment: &Environment,
    now: Timestamp,
) -> Result<Result<Profile, Vec<String>>, CredentialError> {
    let named = environment.first(&PROFILES)?;
    let folder = match environment.get("TENCENTCLOUD_SHARED_CREDENTIALS_DIR")? {
        Some(folder) => PathBuf::from(folder),
        None => match environment.home() {
            Some(home) => home.join(".tccli"),
            None => return Ok(Err(Vec::new())),
        },
    };
    let path = folder.join(format!("{}.credential", named.unwrap_or("default")));
    match read_secret(&path)? {
        Some(text) => parse_profile(&path, text.expose_secret(), now).map(Ok),
        None if named.is_some() => Err(CredentialError::Unreadable {
            path,
            reason: "TCCLI_PROFILE or TENCENTCLOUD_PROFILE names it, but it is not there".to_owned(),
        }),
        None => Ok(Err(vec![format!("the file {}: not there", path.display())])),
    }
}

fn parse_profile(path: &Path, text: &str, now: Timestamp) -> Result<Profile, CredentialError> {
    let place = path.display().to_string();
    let malformed = |problem: String| CredentialError::Malformed { place: place.clone(), problem };
    // serde's own words could quote a value.
    let file: ProfileFile = serde_json::from_str(text).map_err(|error| {
        malformed(format!("not a profile of tccli's, line {} column {}", error.line(), error.column()))
    })?;
    if file.kind.as_deref() == Some("cvm-role") {
        return Ok(Profile::MachineRole);
    }
    let missing = |name: &str| malformed(format!("it has no `{name}`; run `tccli configure`"));
    let secret_id = file.secret_id.ok_or_else(|| missing("secretId"))?;
    let secret_key = file.secret_key.ok_or_else(|| missing("secretKey"))?;
    check_blanks(&format!("`secretId` in {place}"), &secret_id)?;
    check_blanks(&format!("`secretKey` in {place}"), secret_key.expose_secret())?;
    let expires = file.expires_at.and_then(|at| Timestamp::from_second(at).ok());
    if let Some(at) = expires.filter(|at| *at <= now) {
        return Err(CredentialError::Expired { place, at });
    }
    let role = file.role_arn.filter(|arn| !arn.is_empty()).map(|arn| {
        let mut role = Role::new(arn);
        if let Some(session) = file.role_session_name.filter(|session| !session.is_empty()) {
            role.session = session;
        }
        role
    });
    let token = file.token.filter(|token| !token.expose_secret().is_empty());
    let source = format!("the file {place}");
    Ok(Profile::Keys(Credential { secret_id, secret_key, token, expires, source }, role))
}

/// A file's text; `None` if it is not there. Refuses a file that other users can read.
fn read_secret(path: &Path) -> Result<Option<SecretString>, CredentialError> {
    let unreadable = |error: std::io::Error| CredentialError::Unreadable {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error)
            if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(unreadable(error)),
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = metadata.permissions().mode() & 0o777;
        if metadata.is_file() && mode & 0o077 != 0 {
            return Err(CredentialError::OpenToOthers { path: path.to_owned(), mode });
        }
    }
    std::fs::read_to_string(path).map(|text| Some(text.into())).map_err(unreadable)
}
