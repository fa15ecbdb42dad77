//! Every exchange as one line of JSON, so that it can be held against the vendor's published API model.
//!
//! Secrets are replaced by constants that fit the vendor's rules (`Password` of requests, `TmpSecretKey` and `Token` of
//! answers), so that lines stay checkable; nothing else is changed.
//!
//! Every simulated cloud of a process records, without being told to, if `PITSTOP_RECORDINGS` names a folder: each
//! process appends to a file of its own there. That is how a whole test suite is recorded. Of exchanges that look alike
//! only the first few are written then, since a suite makes very many.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::fs::OpenOptions;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde::Serialize;
use serde_json::Value;

/// What a secret is replaced by: as a password it is valid by the vendor's rules for Linux and Windows.
const INSTEAD: &str = "Recorded-Password-0";
/// The environment variable that names the folder to record to.
const FOLDER: &str = "PITSTOP_RECORDINGS";
/// How many exchanges of the same shape a process writes to that folder.
const ALIKE: u32 = 25;

/// One exchange.
#[derive(Clone, Debug, Serialize)]
pub struct Recording {
    /// The service's name, e.g. `cvm`.
    pub service: String,
    /// The action.
    pub action: String,
    /// The API's version.
    pub version: String,
    /// What the caller calls itself (`X-TC-RequestClient`), empty if it doesn't say.
    pub client: String,
    /// The fault script wrote the answer's error code, so it need not be one that the action declares.
    pub scripted: bool,
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
pub struct Recorder(Arc<Mutex<Sink>>);

struct Sink {
    writer: Box<dyn Write + Send>,
    sample: Option<Sample>,
}

impl Recorder {
    /// Writes one line for every exchange.
    pub fn new(writer: impl Write + Send + 'static) -> Self {
        Self::with(writer, None)
    }

    /// Appends one line for every exchange to a file, which is created if it is not there.
    pub fn append(path: &Path) -> std::io::Result<Self> {
        Ok(Self::new(OpenOptions::new().create(true).append(true).open(path)?))
    }

    /// Writes only the first `alike` exchanges of every shape: action, names and types of all fields, error code.
    pub fn sampled(writer: impl Write + Send + 'static, alike: u32) -> Self {
        Self::with(writer, Some(Sample { alike, seen: HashMap::new() }))
    }

    fn with(writer: impl Write + Send + 'static, sample: Option<Sample>) -> Self {
        Self(Arc::new(Mutex::new(Sink { writer: Box::new(writer), sample })))
    }

    /// This process's own, if the environment asks for one.
    pub(crate) fn from_environment() -> Option<Self> {
        static OWN: OnceLock<Option<Recorder>> = OnceLock::new();
        let open = || {
            let folder = std::env::var_os(FOLDER)?;
            let path = Path::new(&folder).join(format!("{}.jsonl", std::process::id()));
            let file = OpenOptions::new().create(true).append(true).open(&path);
            let file = file.inspect_err(|error| {
                tracing::warn!(%error, path = %path.display(), "exchanges can't be recorded");
            });
            Some(Self::sampled(file.ok()?, ALIKE))
        };
        OWN.get_or_init(open).clone()
    }

    /// Writes a line. What can't be written is lost, with a warning: a recording is not worth an answer.
    pub(crate) fn write(&self, recording: &Recording) {
        let mut sink = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !sink.sample.as_mut().is_none_or(|sample| sample.takes(recording)) {
            return;
        }
        let mut line = serde_json::to_vec(recording).unwrap_or_default();
        line.push(b'\n');
        if let Err(error) = sink.writer.write_all(&line).and_then(|()| sink.writer.flush()) {
            tracing::warn!(%error, "an exchange could not be recorded");
        }
    }
}

/// Which exchanges have been seen how often.
struct Sample {
    alike: u32,
    seen: HashMap<u64, u32>,
}

impl Sample {
    fn takes(&mut self, recording: &Recording) -> bool {
        let mut hasher = DefaultHasher::new();
        let Recording { service, action, version, client, scripted, request, response } = recording;
        (service, action, version, client, scripted).hash(&mut hasher);
        (shape(request), shape(response)).hash(&mut hasher);
        response.pointer("/Response/Error/Code").and_then(Value::as_str).hash(&mut hasher);
        let seen = self.seen.entry(hasher.finish()).or_default();
        *seen += 1;
        *seen <= self.alike
    }
}

/// A number for the names and types in a value. Lists are alike if their elements have the same set of shapes.
fn shape(value: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    std::mem::discriminant(value).hash(&mut hasher);
    match value {
        Value::Array(list) => list.iter().map(shape).collect::<BTreeSet<_>>().hash(&mut hasher),
        Value::Object(fields) => {
            let fields: BTreeSet<_> = fields.iter().map(|(name, value)| (name, shape(value))).collect();
            fields.hash(&mut hasher);
        }
        Value::Number(number) => number.is_f64().hash(&mut hasher),
        Value::String(text) => text.is_empty().hash(&mut hasher),
        Value::Null | Value::Bool(_) => {}
    }
    hasher.finish()
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recorder")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn recording(ids: &[&str], code: Option<&str>) -> Recording {
        let response = match code {
            Some(code) => json!({"Response": {"Error": {"Code": code, "Message": ""}, "RequestId": "r"}}),
            None => json!({"Response": {"RequestId": "r"}}),
        };
        Recording {
            service: "cvm".into(),
            action: "StopInstances".into(),
            version: "2017-03-12".into(),
            client: String::new(),
            scripted: false,
            request: json!({ "InstanceIds": ids }),
            response,
        }
    }

    #[test]
    fn of_those_that_look_alike_only_the_first_are_written() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let recorder = Recorder::sampled(file.reopen().unwrap(), 2);
        for ids in [&["ins-1"][..], &["ins-2", "ins-3"], &["ins-4"]] {
            recorder.write(&recording(ids, None));
        }
        recorder.write(&recording(&[], None));
        recorder.write(&recording(&["ins-1"], Some("InternalServerError")));
        recorder.write(&recording(&["ins-1"], Some("MissingParameter")));
        recorder.write(&Recording { scripted: true, ..recording(&["ins-1"], None) });
        let lines = std::fs::read_to_string(file.path()).unwrap();
        let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let ids: Vec<usize> =
            lines.iter().map(|line| line["request"]["InstanceIds"].as_array().unwrap().len()).collect();
        assert_eq!(ids, [1, 2, 0, 1, 1, 1]);
    }
}
