//! Every exchange as one line of JSON, so that it can be held against the vendor's published API model.
//!
//! The value of `Password` is replaced by one constant that fits the vendor's rule; nothing else is changed.

use std::fmt;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde_json::Value;

/// What a password is replaced by: valid by the vendor's rule for Linux and Windows, so that lines stay checkable.
const INSTEAD_OF_PASSWORD: &str = "Recorded-Password-0";

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
    /// The same without the password's value.
    pub(crate) fn masked(mut self) -> Self {
        if let Some(password) = self.request.get_mut("Password") {
            *password = Value::from(INSTEAD_OF_PASSWORD);
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
