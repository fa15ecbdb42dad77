//! A transport that answers from a script and remembers what it was sent; for tests.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::client::{Client, Settings};
use super::credentials::Credential;
use super::wire::{Request, Response, Transport, TransportError};
use crate::clock::Clock;

pub(crate) type Reply = Result<Response, TransportError>;

#[derive(Default)]
pub(crate) struct Scripted {
    replies: Mutex<VecDeque<Reply>>,
    seen: Mutex<Vec<(Request, Timestamp)>>,
    pub(crate) offset: SignedDuration,
    clock: Option<Clock>,
}

impl Scripted {
    pub(crate) fn new(replies: impl IntoIterator<Item = Reply>, clock: &Clock) -> Arc<Self> {
        Arc::new(Self::with_offset(replies, clock, SignedDuration::ZERO))
    }

    pub(crate) fn with_offset(
        replies: impl IntoIterator<Item = Reply>,
        clock: &Clock,
        offset: SignedDuration,
    ) -> Self {
        let replies = Mutex::new(replies.into_iter().collect());
        Self { replies, offset, clock: Some(clock.clone()), ..Self::default() }
    }

    /// What was sent, in order.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.seen.lock().unwrap().iter().map(|(request, _)| request.clone()).collect()
    }

    /// The actions that were sent, in order.
    pub(crate) fn actions(&self) -> Vec<String> {
        self.requests().iter().map(|request| request.header("x-tc-action").unwrap().to_owned()).collect()
    }

    /// The parameters that were sent, in order.
    pub(crate) fn bodies(&self) -> Vec<Value> {
        self.requests().iter().map(|request| serde_json::from_slice(&request.body).unwrap()).collect()
    }

    /// When each request was sent.
    pub(crate) fn times(&self) -> Vec<Timestamp> {
        self.seen.lock().unwrap().iter().map(|(_, at)| *at).collect()
    }

    /// Nothing of the script is left.
    pub(crate) fn is_done(&self) -> bool {
        self.replies.lock().unwrap().is_empty()
    }
}

#[async_trait]
impl Transport for Scripted {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let action = request.header("x-tc-action").unwrap_or_default().to_owned();
        let at = self.clock.as_ref().unwrap().now();
        self.seen.lock().unwrap().push((request, at));
        let reply = self.replies.lock().unwrap().pop_front();
        reply.unwrap_or_else(|| panic!("{action} is one call too many"))
    }

    fn clock_offset(&self) -> SignedDuration {
        self.offset
    }
}

pub(crate) fn clock() -> Clock {
    Clock::simulated(Timestamp::from_second(1_800_000_000).unwrap())
}

/// A good answer with these fields.
pub(crate) fn answer(mut fields: Value) -> Reply {
    fields["RequestId"] = json!("req-1");
    raw(200, &json!({ "Response": fields }).to_string())
}

/// A refusal.
pub(crate) fn refusal(code: &str) -> Reply {
    answer(json!({ "Error": { "Code": code, "Message": format!("about {code}") } }))
}

#[expect(clippy::unnecessary_wraps, reason = "a reply of a script, as the others are")]
pub(crate) fn raw(status: u16, body: &str) -> Reply {
    Ok(Response { status, body: body.as_bytes().to_vec() })
}

pub(crate) fn not_sent() -> Reply {
    Err(TransportError::NotSent("no connection".to_owned()))
}

pub(crate) fn maybe_sent() -> Reply {
    Err(TransportError::MaybeSent("it broke".to_owned()))
}

pub(crate) const SECRET: &str = "canary-secret-key";

pub(crate) fn credential() -> Credential {
    Credential {
        secret_id: "AKIDtest".to_owned(),
        secret_key: SECRET.into(),
        token: Some("canary-token".into()),
        expires: None,
        source: "a test".to_owned(),
    }
}

/// A client in `ap-guangzhou` over this script.
pub(crate) fn client(replies: impl IntoIterator<Item = Reply>) -> (Client, Arc<Scripted>) {
    let clock = clock();
    let transport = Scripted::new(replies, &clock);
    let settings = Settings::of_region("ap-guangzhou");
    let client = Client::new(settings, transport.clone(), Arc::new(credential()), clock).unwrap();
    (client, transport)
}
