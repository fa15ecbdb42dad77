//! Secrets: read from their sources before anything stops, held in memory until the run ends, written nowhere.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rand::seq::{IndexedRandom as _, SliceRandom as _};
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::Operator;
use crate::clock::Clock;
use crate::cloud::password;
use crate::plan::{Plan, Step};
use crate::workflow::SecretSource;

/// How long a program that prints a secret may take.
const COMMAND_LIMIT: Duration = Duration::from_mins(1);
/// No secret file or output is read beyond this.
const LARGEST: u64 = 4096;

/// What a run needs to know and must not tell.
#[derive(Debug, Default)]
pub struct Secrets {
    password: Option<SecretString>,
    /// Where a generated password has to be saved before it is sent.
    save_to: Option<PathBuf>,
}

/// A secret can't be had. It never holds any part of one.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The environment lacks it.
    #[error("the environment variable {0}, which holds the new password, is not set or empty")]
    Env(String),
    /// The file can't be read.
    #[error("the new password can't be read from {path}: {why}")]
    File {
        /// The file.
        path: String,
        /// Why not.
        why: String,
    },
    /// Others can read the file.
    #[error(
        "{path} holds a password, and others can read it (mode {mode:o}); mend it with `chmod 600 {path}`"
    )]
    Readable {
        /// The file.
        path: String,
        /// Its permissions.
        mode: u32,
    },
    /// The program failed.
    #[error("the program `{program}`, which prints the new password, {why}")]
    Command {
        /// The program.
        program: String,
        /// How.
        why: String,
    },
    /// The operator could not be asked.
    #[error("{0}")]
    Prompt(String),
    /// The generated password can't be saved, so it is not used.
    #[error("the generated password can't be saved to {path}: {why}")]
    Save {
        /// The file.
        path: String,
        /// Why not.
        why: String,
    },
}

impl Secrets {
    /// Reads what the plan needs; makes a generated password up, for [`Secrets::save`] to save once the plan is approved.
    pub async fn gather(
        plan: &Plan,
        environment: &BTreeMap<String, String>,
        operator: &dyn Operator,
        clock: &Clock,
    ) -> Result<Self, SecretError> {
        Self::read(plan, environment, operator, clock, true).await
    }

    /// Reads what a run that was begun before needs; a generated password is read from where it was saved.
    pub async fn recall(
        plan: &Plan,
        environment: &BTreeMap<String, String>,
        operator: &dyn Operator,
        clock: &Clock,
    ) -> Result<Self, SecretError> {
        Self::read(plan, environment, operator, clock, false).await
    }

    async fn read(
        plan: &Plan,
        environment: &BTreeMap<String, String>,
        operator: &dyn Operator,
        clock: &Clock,
        make_up: bool,
    ) -> Result<Self, SecretError> {
        let needed = |step: &Step| matches!(step, Step::ResetPassword { .. });
        let source = match &plan.password {
            Some(source) if plan.instances.iter().any(|instance| instance.steps.iter().any(needed)) => source,
            _ => return Ok(Self::default()),
        };
        let password = match source {
            SecretSource::Env(name) => match environment.get(name) {
                Some(value) if !value.is_empty() => value.clone().into(),
                _ => return Err(SecretError::Env(name.clone())),
            },
            SecretSource::File(path) => read_file(path)?,
            SecretSource::Command(argv) => run_command(argv, clock).await?,
            SecretSource::Prompt => operator
                .secret(&format!("New password for {}", whose(plan)))
                .await
                .map_err(SecretError::Prompt)?,
            SecretSource::Generate { length, save_to } if make_up => {
                if save_to.exists() {
                    return Err(cant_save(save_to, &io::ErrorKind::AlreadyExists.into()));
                }
                return Ok(Self { password: Some(generate(*length)), save_to: Some(save_to.clone()) });
            }
            SecretSource::Generate { save_to, .. } => read_file(save_to)?,
        };
        Ok(Self { password: Some(password), save_to: None })
    }

    /// Saves a generated password, durably, so that it is known before it is sent. Does nothing for any other.
    pub fn save(&self) -> Result<(), SecretError> {
        match (&self.save_to, &self.password) {
            (Some(path), Some(password)) => save(path, password),
            _ => Ok(()),
        }
    }

    /// Takes back what [`Secrets::save`] did, for a run that was not begun after all.
    pub fn discard(&self) {
        if let Some(path) = &self.save_to
            && let Err(error) = fs::remove_file(path)
        {
            tracing::warn!(
                "{} holds a password that is not used, and can't be removed: {error}",
                path.display()
            );
        }
    }

    /// The new password, if the plan needs one.
    pub fn password(&self) -> Option<&SecretString> {
        self.password.as_ref()
    }
}

fn whose(plan: &Plan) -> String {
    let users: std::collections::BTreeSet<_> = plan
        .instances
        .iter()
        .flat_map(|instance| &instance.steps)
        .filter_map(|step| match step {
            Step::ResetPassword { user } => Some(user.as_str()),
            Step::LoadSshKeys { .. } | Step::Resize { .. } => None,
        })
        .collect();
    users.into_iter().collect::<Vec<_>>().join(" and ")
}

/// The first line, without its end.
fn first_line(bytes: &[u8]) -> Option<SecretString> {
    let line = bytes.split(|byte| *byte == b'\n').next()?;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let text = std::str::from_utf8(line).ok()?;
    (!text.is_empty()).then(|| SecretString::from(text))
}

fn read_file(path: &Path) -> Result<SecretString, SecretError> {
    let shown = path.display().to_string();
    let cant = |error: io::Error| SecretError::File { path: shown.clone(), why: error.to_string() };
    let file = fs::File::open(path).map_err(cant)?;
    let mode = file.metadata().map_err(cant)?.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(SecretError::Readable { path: shown, mode });
    }
    let mut bytes = Zeroizing::new(Vec::new());
    io::Read::read_to_end(&mut io::Read::take(file, LARGEST), &mut bytes).map_err(cant)?;
    first_line(&bytes)
        .ok_or_else(|| SecretError::File { path: shown, why: "its first line is empty".to_owned() })
}

async fn run_command(argv: &[String], clock: &Clock) -> Result<SecretString, SecretError> {
    let program = argv.first().cloned().unwrap_or_default();
    let cant = |why: String| SecretError::Command { program: program.clone(), why };
    let child = tokio::process::Command::new(&program)
        .args(argv.iter().skip(1))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output();
    let output = match clock.timeout(COMMAND_LIMIT, child).await {
        None => return Err(cant(format!("did not end within {} s", COMMAND_LIMIT.as_secs()))),
        Some(Err(error)) => return Err(cant(format!("can't be run: {error}"))),
        Some(Ok(output)) => output,
    };
    let printed = Zeroizing::new(output.stdout);
    if !output.status.success() {
        return Err(cant(format!("failed: {}", output.status)));
    }
    first_line(&printed).ok_or_else(|| cant("printed nothing".to_owned()))
}

/// A password that every rule of the vendor's accepts: all four classes, a letter first, no look-alikes of quoting.
fn generate(length: usize) -> SecretString {
    const CLASSES: [&[u8]; 4] =
        [b"abcdefghijklmnopqrstuvwxyz", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"0123456789", b"!@#$%^*-+="];
    let mut chance = rand::rng();
    let mut pick = |class: usize| CLASSES[class].choose(&mut chance).copied().unwrap_or(b'x');
    let length = length.clamp(password::Rule::Windows.shortest(), password::LONGEST);
    let first = pick(0);
    let mut rest = Zeroizing::new((1..length).map(|at| pick(at % CLASSES.len())).collect::<Vec<u8>>());
    rest.shuffle(&mut rand::rng());
    let text: String = std::iter::once(first).chain(rest.iter().copied()).map(char::from).collect();
    text.into()
}

fn cant_save(path: &Path, error: &io::Error) -> SecretError {
    let why = match error.kind() {
        io::ErrorKind::AlreadyExists => "the file exists already, and is not overwritten".to_owned(),
        _ => error.to_string(),
    };
    SecretError::Save { path: path.display().to_string(), why }
}

fn save(path: &Path, password: &SecretString) -> Result<(), SecretError> {
    let cant = |error: io::Error| cant_save(path, &error);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(cant)?;
    file.write_all(password.expose_secret().as_bytes()).map_err(cant)?;
    file.write_all(b"\n").map_err(cant)?;
    file.sync_all().map_err(cant)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::password::{Rule, check};

    #[test]
    fn generated_passwords_fit_both_rules_and_differ() {
        let made: Vec<_> = (0..200).map(|at| generate(12 + at % 19)).collect();
        for password in &made {
            let text = password.expose_secret();
            check(text, "Administrator", Rule::Windows).unwrap();
            check(text, "root", Rule::Linux).unwrap();
        }
        let distinct: std::collections::BTreeSet<_> =
            made.iter().map(|p| p.expose_secret().to_owned()).collect();
        assert_eq!(distinct.len(), made.len());
    }

    #[test]
    fn a_generated_password_is_saved_for_its_owner_only_and_never_overwrites() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new-password");
        save(&path, &"Secret-Canary-1".into()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(read_file(&path).unwrap().expose_secret(), "Secret-Canary-1");
        let error = save(&path, &"Secret-Canary-2".into()).unwrap_err().to_string();
        assert!(error.contains("exists already") && !error.contains("Canary"), "{error}");
        assert_eq!(read_file(&path).unwrap().expose_secret(), "Secret-Canary-1");
    }

    #[test]
    fn a_file_that_others_can_read_is_refused_with_the_command_that_mends_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(&path).unwrap();
        file.write_all(b"Secret-Canary-1\n").unwrap();
        let error = read_file(&path).unwrap_err().to_string();
        assert!(error.contains("chmod 600") && !error.contains("Canary"), "{error}");
    }

    #[test]
    fn a_generated_password_that_is_not_used_is_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new-password");
        let secrets = Secrets { password: Some("Secret-Canary-1".into()), save_to: Some(path.clone()) };
        secrets.save().unwrap();
        assert!(path.exists());
        secrets.discard();
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_command_gives_its_first_line_and_its_failure_is_told() {
        let argv = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let clock = Clock::system();
        let got = run_command(&argv(&["printf", "first\nsecond\n"]), &clock).await.unwrap();
        assert_eq!(got.expose_secret(), "first");
        let error = run_command(&argv(&["false"]), &clock).await.unwrap_err().to_string();
        assert_eq!(error, "the program `false`, which prints the new password, failed: exit status: 1");
        let error = run_command(&argv(&["/no/such/program"]), &clock).await.unwrap_err().to_string();
        assert!(error.contains("can't be run"), "{error}");
        assert!(
            run_command(&argv(&["true"]), &clock).await.unwrap_err().to_string().contains("printed nothing")
        );
    }
}
