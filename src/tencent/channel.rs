//! One call from beginning to end: turn, credential, signature, transport, envelope, verdict, repetition.
//!
//! It knows nothing of single actions. Both the client and the credential sources that ask STS call through it.
//!
//! Parameters and bodies may hold a password, and the answers of STS a temporary key: both are wiped from memory after
//! use, as far as the bytes are ours. They are not in the buffers of reqwest and rustls, through which everything passes,
//! nor in reqwest's copy of the headers, one of which is a temporary credential's token.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::Value;
use zeroize::{Zeroize as _, Zeroizing};

use super::api::Api;
use super::classify::{Effect, classify};
use super::client::Settings;
use super::credentials::{Credential, Provider};
use super::decode;
use super::endpoint::{Endpoint, EndpointError, check_region};
use super::limits::{Limits, Pacer};
use super::retry::Retry;
use super::sign::Signable;
use super::wire::{self, Request, Response, Transport, TransportError};
use crate::clock::{Clock, between};
use crate::cloud::{CloudError, ErrorKind, Permit, RequestId, Sent};

/// Byte for byte what is signed and what is sent.
pub(crate) const CONTENT_TYPE: &str = "application/json";

/// How Pitstop names itself; the vendor allows letters, digits and `-_,;.`.
const CLIENT: &str = concat!("pitstop_", env!("CARGO_PKG_VERSION"));

/// No answer after this long is none at all, whatever the transport's own time-outs are.
const PATIENCE: Duration = Duration::from_mins(1);

/// A call before it is signed.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) api: Api,
    /// The parameters; may hold a password, so this type has no `Debug`, and wipes them when it is dropped.
    pub(crate) body: Value,
}

impl Call {
    /// The parameters as they are sent.
    fn json(&self) -> Zeroizing<Vec<u8>> {
        let mut size = Size(0);
        // Writing to memory can't fail, and a value has no keys that are not text.
        serde_json::to_writer(&mut size, &self.body).unwrap_or_default();
        // A buffer that grew would leave copies behind that nobody wipes.
        let mut body = Zeroizing::new(Vec::with_capacity(size.0));
        serde_json::to_writer(&mut *body, &self.body).unwrap_or_default();
        body
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        wipe(&mut self.body);
    }
}

/// Overwrites all text in it.
fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(values) => values.iter_mut().for_each(wipe),
        Value::Object(fields) => fields.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Counts what is written.
struct Size(usize);

impl io::Write for Size {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Who signs a call.
#[derive(Clone, Copy)]
pub(crate) enum Signing<'a> {
    /// The holder of these credentials.
    With(&'a dyn Provider),
    /// Nobody: the call carries its own proof (STS API, AssumeRoleWithWebIdentity).
    Skip,
}

/// An answer that is not an error.
#[derive(Debug)]
pub(crate) struct Answer<T> {
    pub(crate) request: RequestId,
    /// Or what does not fit.
    pub(crate) fields: Result<T, String>,
}

/// A failed attempt.
struct Failure {
    error: CloudError,
    /// Trying again gives the same: whoever answered is not the vendor, or nothing may be sent any more.
    lasting: bool,
}

impl From<CloudError> for Failure {
    fn from(error: CloudError) -> Self {
        Self { error, lasting: false }
    }
}

/// What has been tried once already to mend a refused signature.
#[derive(Default)]
struct Remedies {
    refreshed: bool,
    resynchronised: bool,
}

/// The way to one region of the cloud.
pub(crate) struct Channel {
    transport: Arc<dyn Transport>,
    clock: Clock,
    endpoint: Endpoint,
    region: String,
    pacer: Pacer,
    retry: Retry,
    calls: AtomicU64,
    /// How far the cloud's clock is ahead of ours, in milliseconds; used once the cloud complained.
    offset: AtomicI64,
}

impl Channel {
    /// Fails if the region can't be one.
    pub(crate) fn new(
        settings: Settings,
        transport: Arc<dyn Transport>,
        clock: Clock,
    ) -> Result<Self, EndpointError> {
        let Settings { region, endpoint, limits, retry } = settings;
        check_region(&region)?;
        let pacer = Pacer::new(limits, clock.clone());
        let (calls, offset) = (AtomicU64::new(0), AtomicI64::new(0));
        Ok(Self { transport, clock, endpoint, region, pacer, retry, calls, offset })
    }

    pub(crate) fn limits(&self) -> &Limits {
        self.pacer.limits()
    }

    /// How many calls of this action are sent in a minute at present.
    pub(crate) fn per_minute(&self, action: &'static str) -> u32 {
        self.pacer.per_minute(action)
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Makes the call, repeating it where that is safe and may help.
    pub(crate) async fn call<T: DeserializeOwned + Send>(
        &self,
        call: &Call,
        signing: Signing<'_>,
    ) -> Result<Answer<T>, CloudError> {
        self.call_if(&|| Ok(()), call, signing).await
    }

    /// The same, as long as `permit` allows it: it is asked right before each sending.
    pub(crate) async fn call_if<T: DeserializeOwned + Send>(
        &self,
        permit: Permit<'_>,
        call: &Call,
        signing: Signing<'_>,
    ) -> Result<Answer<T>, CloudError> {
        let mut pauses = self.retry.pauses(self.calls.fetch_add(1, Ordering::Relaxed));
        let mut remedies = Remedies::default();
        let action = call.api.name();
        let mut turn = self.pacer.turn(action, permit).await?;
        loop {
            let failure = match self.attempt(permit, call, signing, remedies.refreshed).await {
                Ok(answer) => {
                    self.pacer.went_through(action);
                    return Ok(answer);
                }
                Err(failure) => failure,
            };
            let pause = if failure.lasting { None } else { pauses.after(&failure.error, call.api.effect()) };
            // Without a code it is not the cloud that says so.
            let throttled = failure.error.kind == ErrorKind::Throttled;
            match (&failure.error.code, throttled) {
                (Some(_), true) => self.pacer.throttled(action, turn, pause.unwrap_or(self.retry.first)),
                (Some(_), false) => self.pacer.went_through(action),
                (None, _) => {}
            }
            if self.mend(&failure.error, signing, &mut remedies) {
                turn = self.pacer.turn(action, permit).await?;
                continue;
            }
            let Some(pause) = pause else { return Err(failure.error) };
            tracing::debug!(action, kind = ?failure.error.kind, ?pause, "call is repeated");
            turn = if throttled {
                self.pacer.turn_again(action, turn, permit).await?
            } else {
                self.clock.sleep(pause).await;
                self.pacer.turn(action, permit).await?
            };
        }
    }

    /// Whether something was put in order after which the refused call is worth sending once more.
    fn mend(&self, error: &CloudError, signing: Signing<'_>, remedies: &mut Remedies) -> bool {
        if matches!(signing, Signing::Skip) {
            return false;
        }
        match error.code.as_deref() {
            // A temporary credential that has run out is told in any of these words.
            Some(
                "AuthFailure.TokenFailure"
                | "AuthFailure.SecretIdNotFound"
                | "UnauthorizedOperation.InvalidToken",
            ) => !std::mem::replace(&mut remedies.refreshed, true),
            Some("AuthFailure.SignatureExpire") => {
                let offset = self.transport.clock_offset();
                if !offset.is_zero() {
                    tracing::warn!(%offset, "this machine's clock is off; signing by the cloud's clock");
                }
                let millis = i64::try_from(offset.as_millis()).unwrap_or(0);
                self.offset.store(millis, Ordering::Relaxed);
                !std::mem::replace(&mut remedies.resynchronised, true)
            }
            _ => false,
        }
    }

    async fn attempt<T: DeserializeOwned + Send>(
        &self,
        permit: Permit<'_>,
        call: &Call,
        signing: Signing<'_>,
        fresh: bool,
    ) -> Result<Answer<T>, Failure> {
        let credential = match signing {
            Signing::With(provider) => Some(provider.get(fresh).await.map_err(CloudError::from)?),
            Signing::Skip => None,
        };
        permit().map_err(|error| Failure { error, lasting: true })?;
        let begin = self.clock.now();
        let at = self.clock.wall() + SignedDuration::from_millis(self.offset.load(Ordering::Relaxed));
        let request = self.signed(call, credential.as_ref(), at);
        let sent = self.clock.timeout(PATIENCE, self.transport.send(request)).await;
        let result = match sent {
            None => {
                Err(unsent(&TransportError::MaybeSent("no answer in 60 s".to_owned()), call.api.effect())
                    .into())
            }
            Some(Err(error)) => Err(unsent(&error, call.api.effect()).into()),
            Some(Ok(mut response)) => {
                let read = self.read(call, &response);
                response.body.zeroize();
                read
            }
        };
        self.trace(call, &result, between(begin, self.clock.now()));
        result
    }

    /// The request, signed for this attempt: a signature is good for five minutes, and never sent twice.
    fn signed(&self, call: &Call, credential: Option<&Credential>, at: Timestamp) -> Request {
        let origin = self.endpoint.origin(call.api.service(), &self.region);
        let host = origin.split_once("://").map_or(origin.as_str(), |(_, host)| host).to_owned();
        let body = call.json();
        let authorization = credential.map_or_else(
            || "SKIP".to_owned(),
            |credential| {
                let headers = [("content-type", CONTENT_TYPE), ("host", host.as_str())];
                let service = call.api.service().name();
                Signable { method: "POST", query: "", headers: &headers, body: &body, service, at }
                    .authorization(&credential.secret_id, &credential.secret_key)
            },
        );
        let mut headers = vec![
            ("host", host),
            ("content-type", CONTENT_TYPE.to_owned()),
            ("x-tc-action", call.api.name().to_owned()),
            ("x-tc-version", call.api.service().version().to_owned()),
            ("x-tc-timestamp", at.as_second().to_string()),
            ("x-tc-region", self.region.clone()),
            ("x-tc-language", "en-US".to_owned()),
            ("x-tc-requestclient", CLIENT.to_owned()),
            ("authorization", authorization),
        ];
        if let Some(token) = credential.and_then(Credential::token) {
            headers.push(("x-tc-token", token.to_owned()));
        }
        Request { origin, headers, body }
    }

    fn read<T: DeserializeOwned>(&self, call: &Call, response: &Response) -> Result<Answer<T>, Failure> {
        let Some(answer) = wire::open(response) else {
            let origin = self.endpoint.origin(call.api.service(), &self.region);
            return Err(unreadable(call, &origin, response));
        };
        let request = RequestId::new(answer.request_id);
        match answer.outcome {
            Ok(Some(fields)) => Ok(Answer { request, fields: Ok(fields) }),
            Ok(None) => Ok(Answer { request, fields: decode::by_value(&response.body) }),
            Err(refusal) => {
                let (kind, sent) = classify(&refusal.code, call.api.effect());
                let mut error = CloudError::new(kind, sent, refusal.message);
                error.code = Some(refusal.code);
                error.request = Some(request);
                Err(error.into())
            }
        }
    }

    /// What happened, without headers and bodies.
    fn trace<T>(&self, call: &Call, result: &Result<Answer<T>, Failure>, took: Duration) {
        let (request, error) = match result {
            Ok(answer) => (Some(&answer.request), None),
            Err(failure) => {
                let code = failure.error.code.clone();
                let code = code.unwrap_or_else(|| format!("{:?}", failure.error.kind));
                (failure.error.request.as_ref(), Some(code))
            }
        };
        tracing::debug!(
            service = call.api.service().name(),
            action = call.api.name(),
            region = self.region,
            request = request.map(RequestId::as_str),
            error,
            took_ms = took.as_millis(),
            "call",
        );
    }
}

/// A call that got no answer.
fn unsent(error: &TransportError, effect: Effect) -> CloudError {
    let sent = match (error, effect) {
        (TransportError::MaybeSent(_), Effect::Write) => Sent::Maybe,
        (TransportError::MaybeSent(_), Effect::Read) | (TransportError::NotSent(_), _) => Sent::No,
    };
    CloudError::new(ErrorKind::Network, sent, error.to_string())
}

/// An answer that the vendor's API would not give: from a proxy, another server, or cut off.
fn unreadable(call: &Call, origin: &str, response: &Response) -> Failure {
    let status = response.status;
    let what = looks_like(&response.body);
    match call.api.effect() {
        Effect::Write => {
            let message = format!(
                "{origin} answered HTTP {status} with {what}, so it is unknown whether {} was executed",
                call.api.name()
            );
            Failure { error: CloudError::new(ErrorKind::Network, Sent::Maybe, message), lasting: true }
        }
        Effect::Read => {
            let begin = snippet(&response.body);
            let message = format!(
                "this does not look like Tencent Cloud's API: {origin} answered HTTP {status} with {what}{begin}"
            );
            let lasting = (300..500).contains(&status) && ![408, 429].contains(&status);
            Failure { error: CloudError::new(ErrorKind::Network, Sent::No, message), lasting }
        }
    }
}

fn looks_like(body: &[u8]) -> &'static str {
    let text = body.trim_ascii_start();
    match text.first() {
        None => "an empty body",
        Some(b'<') => "an HTML or XML page",
        Some(b'{' | b'[') if serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok() => {
            "JSON of another form"
        }
        Some(b'{' | b'[') => "JSON that is cut off or broken",
        Some(_) => "text",
    }
}

/// The begin of a body, for a person. Left out if a server echoes what was sent.
fn snippet(body: &[u8]) -> String {
    const LONGEST: usize = 80;
    let text = String::from_utf8_lossy(&body[..body.len().min(16 * 1024)]);
    let echoes = ["TC3-HMAC", "authorization", "x-tc-token"];
    if echoes.iter().any(|echo| text.to_ascii_lowercase().contains(&echo.to_ascii_lowercase())) {
        return String::new();
    }
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let line = words.take(LONGEST).collect::<Vec<_>>().join(" ");
    if line.is_empty() {
        return String::new();
    }
    let short: String = line.chars().take(LONGEST).collect();
    let dots = if short.len() < line.len() { "…" } else { "" };
    format!(": {short}{dots}")
}

#[cfg(test)]
mod tests;
