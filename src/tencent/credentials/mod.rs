//! Who we are to the vendor: found by the vendor's own names and files, renewed before it expires.
//!
//! The order is that of the official tools, the explicit before the ambient; see [`Chain`]. Everything that the
//! process offers comes in as a value, an [`Environment`], so that the search is a function of it.
//! A place that is set but wrong ends the search with an error: falling through to the next place could act on
//! another account.

mod cached;
mod chain;
mod environment;
mod files;
mod role;
mod sts;

pub use cached::{Cached, Source};
pub use chain::{Chain, find};
pub use environment::Environment;
pub use role::Metadata;

use std::fmt;
use std::path::PathBuf;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use crate::cloud::{CloudError, ErrorKind, Sent};

/// A secret id and key, with a token if they are temporary.
#[derive(Clone)]
pub struct Credential {
    /// The public half.
    pub secret_id: String,
    /// The secret half.
    pub secret_key: SecretString,
    /// Temporary credentials are only good together with this.
    pub token: Option<SecretString>,
    /// When they stop being good; `None`: not known, or never.
    pub expires: Option<Timestamp>,
    /// Where they were found; never the secret.
    pub source: String,
}

impl Credential {
    pub(crate) fn token(&self) -> Option<&str> {
        self.token.as_ref().map(ExposeSecret::expose_secret)
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("source", &self.source)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// Hands out credentials for each call.
#[async_trait]
pub trait Provider: Send + Sync {
    /// The credentials to sign with now. `fresh`: the cloud has just refused the last ones, so get new ones.
    async fn get(&self, fresh: bool) -> Result<Credential, CredentialError>;
}

/// Credentials that never change.
#[async_trait]
impl Provider for Credential {
    async fn get(&self, _fresh: bool) -> Result<Credential, CredentialError> {
        Ok(self.clone())
    }
}

/// No credentials, or none that can be used.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// They are nowhere.
    #[error("{}", nowhere(.looked))]
    NotFound {
        /// Every place that was looked at, and what was found there.
        looked: Vec<String>,
    },
    /// A value is set, but empty or surrounded by blanks.
    #[error("{place} is {}; set it to the plain value, or remove it", if *.empty { "set but empty" } else { "surrounded by blanks" })]
    Blank {
        /// The variable, or the key in a file.
        place: String,
        /// It is empty; otherwise it has blanks around it.
        empty: bool,
    },
    /// One of two values that belong together is missing.
    #[error("{present} is set, but {missing} is not; set both or neither")]
    Incomplete {
        /// What is there.
        present: String,
        /// What is not.
        missing: String,
    },
    /// Two values that mean the same differ.
    #[error("{first} and {second} are both set and differ; remove one of them")]
    Conflict {
        /// One.
        first: String,
        /// The other.
        second: String,
    },
    /// Other users of the machine can read the file.
    #[error(
        "{} holds secrets and can be read by others (mode {mode:03o}); run: chmod 600 '{}' \
         (a Kubernetes volume: defaultMode: 0400)", .path.display(), .path.display()
    )]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file can't be read.
    #[error("can't read {}: {reason}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's words.
        reason: String,
    },
    /// The file, or an answer, has another form than it must have.
    #[error("{place}: {problem}")]
    Malformed {
        /// Where.
        place: String,
        /// What is wrong, without any value.
        problem: String,
    },
    /// Temporary credentials that somebody else renews have run out.
    #[error("the credentials in {place} expired at {at}; log in again, e.g. with `tccli auth login`")]
    Expired {
        /// Where they are.
        place: String,
        /// When.
        at: Timestamp,
    },
    /// The machine's metadata service does not give the role's credentials.
    #[error("the CVM role's credentials can't be had from the metadata service: {0}")]
    Role(String),
    /// STS refused to give temporary credentials, or could not be reached.
    #[error("{role} can't be assumed: {error}")]
    Sts {
        /// The role's name.
        role: String,
        /// What STS said.
        #[source]
        error: Box<CloudError>,
    },
}

impl From<CredentialError> for CloudError {
    /// Nothing was sent: a call needs its credentials first.
    fn from(error: CredentialError) -> Self {
        let message = error.to_string();
        match error {
            CredentialError::Sts { error, .. } => {
                // The message names the code already.
                Self { sent: Sent::No, message, code: None, ..*error }
            }
            CredentialError::Role(_) => Self::new(ErrorKind::Network, Sent::No, message),
            _ => Self::new(ErrorKind::Auth, Sent::No, message),
        }
    }
}

fn nowhere(looked: &[String]) -> String {
    let places = looked.join("\n  - ");
    format!(
        "no credentials found; looked at:\n  - {places}\nset TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY \
         (with TENCENTCLOUD_TOKEN if they are temporary), or run `tccli configure`, or bind a CAM role to this machine"
    )
}
