//! [`Transport`] and [`Metadata`] over HTTP: reqwest with rustls.

use std::error::Error as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::SignedDuration;
use jiff::fmt::rfc2822;
use reqwest::header::{DATE, HeaderValue};
use secrecy::SecretString;

use super::credentials::Metadata;
use super::endpoint::Endpoint;
use super::wire::{Request, Response, Transport, TransportError};
use crate::clock::Clock;

/// An answer that is longer than this is not the vendor's: its longest pages are some hundred KiB.
const LONGEST_BODY: usize = 16 * 1024 * 1024;
/// How many connections are kept between bursts of calls: about as many as the calls of a second.
const IDLE: usize = 12;

/// How long to wait for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// For a connection and its TLS session.
    pub connect: Duration,
    /// For the next bytes of an answer.
    pub read: Duration,
    /// For the whole exchange.
    pub total: Duration,
    /// Certificates to trust instead of the system's, in PEM.
    pub ca_file: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            read: Duration::from_secs(15),
            total: Duration::from_secs(30),
            ca_file: None,
        }
    }
}

/// The HTTP client can't be made.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The machine trusts no one, as in slim containers.
    #[error(
        "this machine has no CA certificates, so no https connection can be trusted; \
         install the package ca-certificates, or set SSL_CERT_FILE"
    )]
    NoCertificates,
    /// The file of certificates can't be used.
    #[error("can't use the CA certificates in {}: {reason}", .path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// Anything else.
    #[error("can't make an HTTP client: {0}")]
    Client(String),
}

/// Sends requests to the vendor, or to the endpoint that the user named.
pub struct Http {
    client: reqwest::Client,
    clock: Clock,
    /// How far the cloud's clock is ahead of ours, in seconds.
    offset: AtomicI64,
}

impl Http {
    /// A client for this endpoint. The proxies of the environment are used, except for an endpoint on this machine.
    pub fn new(endpoint: &Endpoint, settings: &Settings, clock: Clock) -> Result<Self, HttpError> {
        let loopback = endpoint.loopback();
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(settings.connect)
            .read_timeout(settings.read)
            // A connection that the other side may have closed meanwhile would leave a write's outcome unknown.
            .pool_idle_timeout(Duration::from_secs(20))
            // Each keeps room for answers as long as those that it has brought, up to 400 kB.
            .pool_max_idle_per_host(IDLE)
            .timeout(settings.total);
        if loopback.is_some() {
            builder = builder.no_proxy();
        }
        if let Some(path) = &settings.ca_file {
            builder = builder.tls_certs_only(certificates(path)?);
        } else if loopback.is_some_and(|url| url.scheme() == "http") {
            // Plain http needs no certificates, and a machine without any must be able to use the simulator.
            builder = builder.tls_certs_only([]);
        }
        let client = builder.build().map_err(|error| {
            let cause = root_cause(&error);
            if cause.contains("No CA certificates") {
                HttpError::NoCertificates
            } else {
                HttpError::Client(cause)
            }
        })?;
        Ok(Self { client, clock, offset: AtomicI64::new(0) })
    }

    fn note_date(&self, date: Option<&HeaderValue>) {
        let date = date.and_then(|date| date.to_str().ok());
        let Some(theirs) = date.and_then(|date| rfc2822::DateTimeParser::new().parse_timestamp(date).ok())
        else {
            return;
        };
        let offset = theirs.duration_since(self.clock.wall());
        // The header counts whole seconds, and the answer took its time.
        let seconds = if offset.abs() < SignedDuration::from_secs(5) { 0 } else { offset.as_secs() };
        self.offset.store(seconds, Ordering::Relaxed);
    }
}

fn certificates(path: &PathBuf) -> Result<Vec<reqwest::Certificate>, HttpError> {
    let failed = |reason: String| HttpError::CaFile { path: path.clone(), reason };
    let pem = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
    let certificates =
        reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| failed(root_cause(&error)))?;
    if certificates.is_empty() { Err(failed("it holds none".to_owned())) } else { Ok(certificates) }
}

#[async_trait]
impl Transport for Http {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let mut post = self.client.post(&request.origin);
        for (name, value) in &request.headers {
            // reqwest sends `host` itself, from the same origin that was signed.
            if *name == "host" {
                continue;
            }
            let mut value = HeaderValue::from_str(value).map_err(|_| {
                TransportError::NotSent(format!(
                    "the header {name} holds characters that HTTP does not allow"
                ))
            })?;
            value.set_sensitive(matches!(*name, "authorization" | "x-tc-token"));
            post = post.header(*name, value);
        }
        // The same memory, so that it is wiped when the last of reqwest lets go of it.
        let body = Bytes::from_owner(request.body);
        let mut answer = post.body(body).send().await.map_err(|error| failed(&error))?;
        self.note_date(answer.headers().get(DATE));
        let status = answer.status().as_u16();
        // Room for all of it if its length is told: a buffer that grew would leave copies behind that nobody wipes.
        let length = answer.content_length().and_then(|length| usize::try_from(length).ok());
        let mut body = Vec::with_capacity(length.unwrap_or_default().min(LONGEST_BODY));
        while let Some(chunk) = answer.chunk().await.map_err(|error| failed(&error))? {
            if body.len() + chunk.len() > LONGEST_BODY {
                return Err(TransportError::MaybeSent("the answer is longer than 16 MiB".to_owned()));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Response { status, body })
    }

    fn clock_offset(&self) -> SignedDuration {
        SignedDuration::from_secs(self.offset.load(Ordering::Relaxed))
    }
}

/// Whether anything of a failed request was sent, and what went wrong.
fn failed(error: &reqwest::Error) -> TransportError {
    let cause = root_cause(error);
    let slow = error.is_timeout();
    if error.is_connect() {
        let words = if slow { "it took too long".to_owned() } else { cause };
        TransportError::NotSent(format!("no connection to {}: {words}", host(error)))
    } else if error.is_builder() {
        TransportError::NotSent(cause)
    } else if slow {
        TransportError::MaybeSent(format!("no answer from {} in time", host(error)))
    } else {
        TransportError::MaybeSent(format!("the connection to {} broke: {cause}", host(error)))
    }
}

fn host(error: &reqwest::Error) -> String {
    let url = error.url().map(|url| url.origin().ascii_serialization());
    url.unwrap_or_else(|| "the endpoint".to_owned())
}

/// The innermost error's words: the outer ones only say "error sending request".
fn root_cause(error: &reqwest::Error) -> String {
    let mut words = String::new();
    let mut next = error.source();
    while let Some(inner) = next {
        words = inner.to_string();
        next = inner.source();
    }
    if words.is_empty() { "unknown failure".to_owned() } else { words }
}

/// The vendor's metadata service, which answers only on the vendor's machines.
pub struct HttpMetadata {
    client: reqwest::Client,
    base: String,
}

impl HttpMetadata {
    /// The service at its fixed address; asked directly, never through a proxy.
    pub fn new() -> Result<Self, HttpError> {
        Self::at("http://metadata.tencentyun.com/latest/meta-data/")
    }

    fn at(base: &str) -> Result<Self, HttpError> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .tls_certs_only([])
            .connect_timeout(Duration::from_secs(1))
            .timeout(Duration::from_secs(2))
            .build()
            .map_err(|error| HttpError::Client(root_cause(&error)))?;
        Ok(Self { client, base: base.to_owned() })
    }
}

#[async_trait]
impl Metadata for HttpMetadata {
    async fn get(&self, path: &str) -> Result<Option<SecretString>, TransportError> {
        let answer =
            self.client.get(format!("{}{path}", self.base)).send().await.map_err(|error| failed(&error))?;
        match answer.status().as_u16() {
            200 => {
                let text = answer.text().await.map_err(|error| failed(&error))?;
                Ok(Some(text.into()))
            }
            404 => Ok(None),
            status => Err(TransportError::MaybeSent(format!("the metadata service answered HTTP {status}"))),
        }
    }
}

#[cfg(test)]
mod tests;
