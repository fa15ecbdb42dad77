//! Whether the cloud answers at all: one request that nobody has signed, so that it takes no credentials.

use std::time::Duration;

use jiff::SignedDuration;
use serde::de::IgnoredAny;
use zeroize::Zeroizing;

use super::api::Api;
use super::channel::CONTENT_TYPE;
use super::endpoint::Endpoint;
use super::wire::{self, Request, Transport};
use crate::clock::{Clock, between};

/// An answer, of whatever kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Knock {
    /// Who was asked: scheme, host and port.
    pub origin: String,
    /// How long the answer took, a new connection included.
    pub took: Duration,
    /// How far the cloud's clock is ahead of ours, to about 5 s; zero if it is not known.
    pub ahead: SignedDuration,
}

/// Asks the endpoint for the instances of a region. The vendor refuses a request without a signature, and that is an
/// answer; an answer in another form comes from somebody else on the way.
pub async fn knock(
    transport: &dyn Transport,
    endpoint: &Endpoint,
    region: &str,
    clock: &Clock,
) -> Result<Knock, String> {
    let api = Api::DescribeInstances;
    let origin = endpoint.origin(api.service(), region);
    let host = origin.split_once("://").map_or(origin.as_str(), |(_, host)| host).to_owned();
    let request = Request {
        origin: origin.clone(),
        headers: vec![
            ("host", host),
            ("content-type", CONTENT_TYPE.to_owned()),
            ("x-tc-action", api.name().to_owned()),
            ("x-tc-version", api.service().version().to_owned()),
            ("x-tc-timestamp", clock.wall().as_second().to_string()),
            ("x-tc-region", region.to_owned()),
        ],
        body: Zeroizing::new(b"{}".to_vec()),
    };
    let began = clock.now();
    let answer = transport.send(request).await.map_err(|error| error.to_string())?;
    let took = between(began, clock.now());
    if wire::open::<IgnoredAny>(&answer).is_none() {
        return Err(format!("{origin} answers HTTP {}, which Tencent Cloud's API does not", answer.status));
    }
    Ok(Knock { origin, took, ahead: transport.clock_offset() })
}
