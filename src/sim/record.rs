//! Every exchange as one line of JSON, so that it can be held against the vendor's published API model.
//!
//! Secrets are replaced by constants that fit the vendor's rules (`Password` of requests, `TmpSecretKey` and `Token` of
//! answers), so that lines stay checkable; nothing else is changed.

use std::fmt;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde_json::Value;

/// What a secret is replaced by: as a password it is valid by the vendor's rules for Linux and Windows.
const INSTEAD: &str = "Recorded-Password-0";

/// One exchange.
#[derive(Clone, Debug, Serialize)]
pub struct Recording {
    /// The service's name, e.g. `cvm`.
    pub service: String,
    /// The action.
    pub action: String,
    /// The API's version.
    pub version: String,
    /// The parameters.
    pub request: Value,
    /// The whole answer, as the vendor would send it.
    pub response: Value,
}

impl Recording {
    /// The same without secrets.
    pub(crate) fn masked(mut self) -> Self {
        if let Some(password) = self.request.get_mut("Password") {
            *password = Value::from(INSTEAD);
        }
        if let Some(credentials) = self.response.pointer_mut("/Response/Credentials") {
            for name in ["TmpSecretKey", "Token"] {
                credentials[name] = Value::from(INSTEAD);
            }
        }
        self
    }
}

/// Where recordings go.
#[derive(Clone)]
pub struct Recorder(Arc<Mutex<dyn Write + Send>>);

impl Recorder {
    /// Writes one line for every exchange.
    pub fn new(writer: impl Write + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(writer)))
    }

    /// Appends one line for every exchange to a file, which is created if it is not there.
    pub fn append(path: &Path) -> std::io::Result<Self> {
        Ok(Self::new(OpenOptions::new().create(true).append(true).open(path)?))
    }

    /// Writes a line. What can't be written is lost, with a warning: a recording is not worth an answer.
    pub(crate) fn write(&self, recording: &Recording) {
        let mut line = serde_json::to_vec(recording).unwrap_or_default();
        line.push(b'\n');
        let mut writer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = writer.write_all(&line).and_then(|()| writer.flush()) {
            tracing::warn!(%error, "an exchange could not be recorded");
        }
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recorder")
    }
}
