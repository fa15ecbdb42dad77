//! Bytes in, bytes out: the signature, the envelope, and the faults that strike on the way.
//!
//! The in-process transport and the HTTP server both go through [`exchange`].

use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Map, Value, json};

use super::api::{Body, Context};
use super::call::{Call, Refused};
use super::fault::{Strike, What};
use super::log::Happening;
use super::record::Recording;
use super::world::World;
use crate::tencent::sign::Signable;
use crate::tencent::wire::{Response, Service};

/// How far a request's time may be off (the vendor's page "Signature v3").
const TOLERANCE: Duration = Duration::from_mins(5);
/// The largest request (the vendor's page "Request structure").
pub(crate) const LARGEST: usize = 10 << 20;

/// A request as it came in.
pub(crate) trait Incoming {
    /// A header's value; `name` in lower case.
    fn header(&self, name: &str) -> Option<&str>;
    /// The body.
    fn body(&self) -> &[u8];
}

/// What comes back.
pub(crate) enum Delivery {
    /// An answer.
    Answer(Response),
    /// No connection came about.
    NoConnection,
    /// The connection broke.
    Broken,
}

/// An exchange: what comes back, how much later than usual, and what would be recorded.
pub(crate) struct Exchange {
    pub(crate) delivery: Delivery,
    pub(crate) delay: Duration,
    pub(crate) recording: Option<Recording>,
}

/// Brings the world forward to `at` and lets it answer.
pub(crate) fn exchange(
    world: &mut World,
    at: Timestamp,
    incoming: &impl Incoming,
    recorded: bool,
) -> Exchange {
    world.advance(at);
    let at = world.now;
    let action = incoming.header("x-tc-action").unwrap_or_default();
    let region = incoming.header("x-tc-region").unwrap_or_default();
    let body = serde_json::from_slice::<Value>(incoming.body()).ok();
    let params = match body {
        Some(Value::Object(params)) => Some(params),
        None if incoming.body().is_empty() => Some(Map::new()),
        _ => None,
    };
    let ids = ids(params.as_ref());
    let strikes = world.strikes(action, &ids, at);
    if let Some(delivery) = lost(&strikes) {
        note(world, at, (region, action), ids, None, &strikes);
        return Exchange { delivery, delay: delay(&strikes), recording: None };
    }
    for strike in strikes.iter().filter(|strike| strike.what == What::Vanish) {
        for id in ids.iter().filter(|id| strike.hits(id)) {
            if let Some(index) = world.find(id) {
                world.vanish(index, at);
            }
        }
    }
    let request = world.new_request();
    let authenticated = authenticate(world, at, incoming, &strikes);
    let outcome = authenticated.and_then(|(service, secret_id)| {
        let params = params
            .as_ref()
            .ok_or_else(|| Refused::new("InvalidRequest", "The request body is not a JSON object."))?;
        let call = Call::new(service, action, region, params)?;
        let context = Context { at, secret_id: &secret_id, request: &request, strikes: &strikes };
        world.answer(&call, &context)
    });
    let refused = outcome.as_ref().err().map(|refused| refused.code.to_string());
    note(world, at, (region, action), ids, Some((&request, refused)), &strikes);
    let text = envelope(&request, outcome);
    let recording = recorded.then(|| recording(incoming, action, params, &text, &strikes)).flatten();
    let delivery = deliver(text, &strikes);
    Exchange { delivery, delay: delay(&strikes), recording }
}

/// What comes back from a call that the cloud never sees.
fn lost(strikes: &[Strike]) -> Option<Delivery> {
    strikes.iter().find_map(|strike| match strike.what {
        What::NoConnection => Some(Delivery::NoConnection),
        What::LoseRequest => Some(Delivery::Broken),
        What::BadGateway => Some(Delivery::Answer(bad_gateway())),
        _ => None,
    })
}

/// The instances that a call names, before anything is known to be well-formed.
fn ids(params: Option<&Map<String, Value>>) -> Vec<String> {
    let list = params.and_then(|params| params.get("InstanceIds")).and_then(Value::as_array);
    list.map(|list| list.iter().filter_map(Value::as_str).map(str::to_owned).collect()).unwrap_or_default()
}

fn note(
    world: &mut World,
    at: Timestamp,
    (region, action): (&str, &str),
    ids: Vec<String>,
    answered: Option<(&String, Option<String>)>,
    strikes: &[Strike],
) {
    let (request, refused) = match answered {
        Some((request, refused)) => (Some(request.clone()), refused),
        None => (None, None),
    };
    let faults = strikes.iter().map(|strike| strike.what.clone()).collect();
    let (region, action) = (region.to_owned(), action.to_owned());
    world.note(at, Happening::Call { region, action, ids, request, refused, faults });
}

/// The whole answer, as JSON.
fn envelope(request: &str, outcome: Result<Body, Refused>) -> String {
    let mut fields = match outcome {
        Ok(Body::Text(text)) => return format!(r#"{{"Response":{{{text},"RequestId":"{request}"}}}}"#),
        Ok(Body::Fields(fields)) => fields,
        Err(Refused { code, message }) => {
            let error = json!({"Code": code, "Message": message});
            Map::from_iter([("Error".to_owned(), error)])
        }
    };
    fields.insert("RequestId".to_owned(), Value::from(request));
    json!({"Response": fields}).to_string()
}

fn recording(
    incoming: &impl Incoming,
    action: &str,
    params: Option<Map<String, Value>>,
    response: &str,
    strikes: &[Strike],
) -> Option<Recording> {
    let authorization = incoming.header("authorization").unwrap_or_default();
    let recording = Recording {
        service: Credentials::read(authorization)?.service.to_owned(),
        action: action.to_owned(),
        version: incoming.header("x-tc-version").unwrap_or_default().to_owned(),
        client: incoming.header("x-tc-requestclient").unwrap_or_default().to_owned(),
        scripted: strikes.iter().any(|strike| strike.what.writes_code()),
        request: Value::Object(params?),
        response: serde_json::from_str(response).ok()?,
    };
    Some(recording.masked())
}

fn delay(strikes: &[Strike]) -> Duration {
    let slow = strikes.iter().filter_map(|strike| match strike.what {
        What::Slow(delay) => Some(delay),
        _ => None,
    });
    slow.sum()
}

fn deliver(text: String, strikes: &[Strike]) -> Delivery {
    let mut body = text.into_bytes();
    for strike in strikes {
        match strike.what {
            What::LoseReply => return Delivery::Broken,
            What::BadGatewayAfter => return Delivery::Answer(bad_gateway()),
            What::Truncate => body.truncate(body.len() / 2),
            What::NotJson => body = b"<html><body>Please log in to the network.</body></html>".to_vec(),
            _ => {}
        }
    }
    Delivery::Answer(Response { status: 200, body })
}

fn bad_gateway() -> Response {
    Response { status: 502, body: b"<html><body><h1>502 Bad Gateway</h1></body></html>".to_vec() }
}

/// The parts of an `Authorization` header.
struct Credentials<'a> {
    secret_id: &'a str,
    date: &'a str,
    service: &'a str,
    signed: Vec<&'a str>,
    signature: &'a str,
}

impl<'a> Credentials<'a> {
    fn read(header: &'a str) -> Option<Self> {
        let rest = header.strip_prefix("TC3-HMAC-SHA256")?;
        let part =
            |name: &str| rest.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
        let mut scope = part("Credential")?.split('/');
        let (secret_id, date, service) = (scope.next()?, scope.next()?, scope.next()?);
        (scope.next() == Some("tc3_request") && scope.next().is_none()).then_some(())?;
        let signed = part("SignedHeaders")?.split(';').collect();
        Some(Self { secret_id, date, service, signed, signature: part("Signature")? })
    }
}

/// Checks the signature and says which service was called by whom.
fn authenticate(
    world: &World,
    at: Timestamp,
    incoming: &impl Incoming,
    strikes: &[Strike],
) -> Result<(Service, String), Refused> {
    let header = |name: &str| {
        incoming.header(name).filter(|value| !value.is_empty()).ok_or_else(|| {
            Refused::new("MissingParameter", format!("The request is missing the header `{name}`."))
        })
    };
    let invalid = || {
        let message = "The header `Authorization` is not as TC3-HMAC-SHA256 wants it.";
        Refused::new("AuthFailure.InvalidAuthorization", message)
    };
    let given = Credentials::read(header("authorization")?).ok_or_else(invalid)?;
    let timestamp = header("x-tc-timestamp")?.parse().ok().and_then(|at| Timestamp::from_second(at).ok());
    let signed_at = timestamp.ok_or_else(invalid)?;
    if Duration::try_from(at.duration_since(signed_at).abs()).is_ok_and(|apart| apart > TOLERANCE) {
        let message = "The signature has expired: the clocks are more than five minutes apart.";
        return Err(Refused::new("AuthFailure.SignatureExpire", message));
    }
    let Some(access) = world.access(given.secret_id) else {
        return Err(Refused::new("AuthFailure.SecretIdNotFound", "The SecretId is not found."));
    };
    let service = Service::ALL.into_iter().find(|service| service.name() == given.service);
    let service = service.ok_or_else(invalid)?;
    let dated = signed_at.strftime("%Y-%m-%d").to_string() == given.date;
    if !dated || !signature_fits(&given, signed_at, incoming, &access.secret_key)? {
        let message = "The provided credentials could not be validated.";
        return Err(Refused::new("AuthFailure.SignatureFailure", message));
    }
    let expired = strikes.iter().any(|strike| strike.what == What::ExpireToken);
    if expired || !access.takes(incoming.header("x-tc-token"), at) {
        return Err(Refused::new("AuthFailure.TokenFailure", "The token is wrong or has expired."));
    }
    if header("x-tc-version")? != service.version() {
        return Err(Refused::new("NoSuchVersion", "There is no such version of the API."));
    }
    Ok((service, given.secret_id.to_owned()))
}

fn signature_fits(
    given: &Credentials<'_>,
    at: Timestamp,
    incoming: &impl Incoming,
    secret_key: &SecretString,
) -> Result<bool, Refused> {
    let mut headers = Vec::with_capacity(given.signed.len());
    for name in &given.signed {
        let Some(value) = incoming.header(name) else { return Ok(false) };
        headers.push((*name, value));
    }
    if !["content-type", "host"].iter().all(|name| given.signed.contains(name)) {
        let message = "The headers `content-type` and `host` must be signed.";
        return Err(Refused::new("AuthFailure.InvalidAuthorization", message));
    }
    let unsigned = incoming.header("x-tc-content-sha256") == Some("UNSIGNED-PAYLOAD");
    let body = if unsigned { b"UNSIGNED-PAYLOAD" } else { incoming.body() };
    let request = Signable { method: "POST", query: "", headers: &headers, body, service: given.service, at };
    Ok(request.signature(secret_key) == given.signature)
}
