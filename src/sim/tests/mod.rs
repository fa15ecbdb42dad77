//! The world through its own front door: signed requests in, envelopes out.

mod door;
mod faults;
mod reads;
mod server;
mod states;

use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::front::{Delivery, exchange};
use super::*;
use crate::cloud::InstanceId;
use crate::tencent::sign::Signable;
use crate::tencent::wire::{self, Refusal, Request, Response, Service};

pub(super) const BEGAN: &str = "2026-05-04T22:00:00Z";

/// A caller with a pure world, and a time of its own.
pub(super) struct Caller {
    pub(super) world: World,
    pub(super) now: Timestamp,
    pub(super) secret_id: String,
    pub(super) secret_key: SecretString,
    pub(super) token: Option<String>,
    pub(super) region: &'static str,
}

/// An answer with all its fields.
pub(super) struct Answer {
    pub(super) request_id: String,
    pub(super) outcome: Result<Value, Refusal>,
}

pub(super) fn open(response: &Response) -> Option<Answer> {
    let wire::Answer { request_id, outcome } = wire::open(response)?;
    Some(Answer { request_id, outcome: outcome.map(Option::unwrap) })
}

/// A request that is signed as the vendor asks for.
pub(super) fn signed(
    service: Service,
    action: &str,
    params: &Value,
    at: Timestamp,
    secret_id: &str,
    secret_key: &SecretString,
) -> Request {
    let host = "127.0.0.1:1";
    let headers = [("content-type", "application/json"), ("host", host)];
    let body = params.to_string().into_bytes();
    let signable =
        Signable { method: "POST", query: "", headers: &headers, body: &body, service: service.name(), at };
    let authorization = signable.authorization(secret_id, secret_key);
    Request {
        origin: format!("http://{host}"),
        headers: vec![
            ("content-type", "application/json".to_owned()),
            ("host", host.to_owned()),
            ("x-tc-action", action.to_owned()),
            ("x-tc-version", service.version().to_owned()),
            ("x-tc-timestamp", at.as_second().to_string()),
            ("x-tc-region", DEMO_REGION.to_owned()),
            ("authorization", authorization),
        ],
        body: body.into(),
    }
}

impl Caller {
    pub(super) fn new(world: World) -> Self {
        Self {
            world,
            now: BEGAN.parse().unwrap(),
            secret_id: DEMO_SECRET_ID.to_owned(),
            secret_key: DEMO_SECRET_KEY.into(),
            token: None,
            region: DEMO_REGION,
        }
    }

    pub(super) fn demo() -> Self {
        Self::with(|_| {})
    }

    pub(super) fn with(change: impl FnOnce(&mut Fleet)) -> Self {
        let mut fleet = Fleet::demo();
        change(&mut fleet);
        Self::new(World::new(fleet, 1, BEGAN.parse().unwrap()))
    }

    pub(super) fn send(&mut self, service: Service, action: &str, params: &Value) -> Option<Response> {
        let mut request = signed(service, action, params, self.now, &self.secret_id, &self.secret_key);
        for (name, value) in &mut request.headers {
            if *name == "x-tc-region" {
                self.region.clone_into(value);
            }
        }
        request.headers.extend(self.token.clone().map(|token| ("x-tc-token", token)));
        let recorder = Recorder::from_environment();
        let exchange = exchange(&mut self.world, self.now, &request, recorder.is_some());
        if let (Some(recorder), Some(recording)) = (recorder, &exchange.recording) {
            recorder.write(recording);
        }
        match exchange.delivery {
            Delivery::Answer(response) => Some(response),
            Delivery::NoConnection | Delivery::Broken => None,
        }
    }

    pub(super) fn answer(&mut self, service: Service, action: &str, params: &Value) -> Answer {
        // One call a second keeps clear of the rate limits.
        self.now += Duration::from_millis(200);
        let response = self.send(service, action, params).expect("no fault was asked for");
        open(&response).expect("the simulator answers in the vendor's envelope")
    }

    /// Calls CVM and gives the fields, or the code of the refusal.
    pub(super) fn cvm(&mut self, action: &str, params: &Value) -> Result<Value, String> {
        self.answer(Service::Cvm, action, params).outcome.map_err(|refusal| refusal.code)
    }

    pub(super) fn look(&mut self, id: &str) -> Value {
        let found = self.cvm("DescribeInstances", &json!({"InstanceIds": [id]})).unwrap();
        found["InstanceSet"][0].clone()
    }

    pub(super) fn wait(&mut self, pause: Duration) {
        self.now += pause;
    }

    /// Waits until no operation runs on the instance.
    pub(super) fn settle(&mut self, id: &str) -> Value {
        for _ in 0..10_000 {
            self.world.advance(self.now);
            if !self.world.is_operating(&InstanceId::from(id)) {
                self.wait(Duration::from_secs(2));
                return self.look(id);
            }
            self.wait(Duration::from_millis(500));
        }
        panic!("{id} never settles");
    }
}
