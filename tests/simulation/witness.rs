//! Sees what passes between the process, its journal and the cloud, over all lives: what was durable when a call was
//! sent, who held the run then, and what the cloud's answers showed.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use pitstop::cloud::InstanceId;
use pitstop::journal::{Event, Record};
use serde::Deserialize;
use serde_json::Value;

/// A call that changes something, as it was sent.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) action: String,
    pub(crate) parameters: BTreeMap<String, Value>,
}

/// An answer that showed instances.
#[derive(Clone, Debug)]
pub(crate) struct Read {
    /// When it was there.
    pub(crate) landed: Timestamp,
    pub(crate) request: String,
    pub(crate) shown: Vec<Shown>,
}

/// What it showed of one.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Shown {
    #[serde(rename = "InstanceId")]
    pub(crate) id: String,
    #[serde(rename = "InstanceState")]
    pub(crate) power: String,
    #[serde(rename = "LatestOperationState", default)]
    pub(crate) operation: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Envelope {
    response: Answer,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    request_id: String,
    instance_set: Vec<Shown>,
}

/// What was seen.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) sent: Vec<Sent>,
    pub(crate) reads: Vec<Read>,
    pub(crate) problems: Vec<String>,
    /// How many writes of the journal were answered with an error.
    pub(crate) failed_writes: usize,
    /// The life that took the run last.
    holder: usize,
    /// The calls that stand in the journal without an outcome.
    intended: BTreeMap<InstanceId, String>,
    import_intended: bool,
}

#[derive(Default)]
pub(crate) struct Witness(Mutex<Seen>);

impl Witness {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn take(&self) -> Seen {
        std::mem::take(&mut self.seen())
    }

    /// This life has the run now.
    pub(crate) fn taken(&self, life: usize) {
        self.seen().holder = life;
    }

    pub(crate) fn write_failed(&self) {
        self.seen().failed_writes += 1;
    }

    /// A write by this life went through.
    pub(crate) fn written(&self, life: usize, records: &[Record]) {
        let mut seen = self.seen();
        if seen.holder != life {
            seen.problems.push(format!("fencing: life {life} wrote after another had taken the run"));
        }
        for record in records {
            match (&record.event, &record.instance) {
                (Event::Intended { intent, .. }, Some(id)) => {
                    seen.intended.insert(id.clone(), intent.action().api_name().to_owned());
                }
                (Event::KeyImportIntended { .. }, _) => seen.import_intended = true,
                (Event::Seen { .. } | Event::Lost { .. }, _) | (_, None) => {}
                (_, Some(id)) => {
                    seen.intended.remove(id);
                }
            }
        }
    }

    /// A call that changes something leaves this life. It must stand in the journal, and the run must be this life's.
    pub(crate) fn sends(&self, life: usize, action: &str, body: &[u8]) {
        let parameters: BTreeMap<String, Value> = serde_json::from_slice(body).unwrap_or_default();
        let mut seen = self.seen();
        if seen.holder != life {
            seen.problems.push(format!("fencing: life {life} sent {action} after another had taken the run"));
        }
        let ids = parameters.get("InstanceIds").and_then(Value::as_array).cloned().unwrap_or_default();
        for id in ids.iter().filter_map(Value::as_str) {
            let intended = seen.intended.get(&InstanceId::from(id)).cloned();
            if intended.as_deref() != Some(action) {
                seen.problems
                    .push(format!("write ahead: {action} of {id} was sent, and {intended:?} written"));
            }
        }
        if action == "ImportKeyPair" && !seen.import_intended {
            seen.problems.push("write ahead: a key was imported that is not in the journal".to_owned());
        }
        seen.sent.push(Sent { action: action.to_owned(), parameters });
    }

    /// An answer to DescribeInstances has come; those that the client can't read either don't count.
    pub(crate) fn reads(&self, landed: Timestamp, body: &[u8]) {
        if let Ok(Envelope { response }) = serde_json::from_slice(body) {
            let read = Read { landed, request: response.request_id, shown: response.instance_set };
            self.seen().reads.push(read);
        }
    }
}
