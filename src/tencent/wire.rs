//! The vendor's protocol, API 3.0: one HTTPS POST per call, an envelope around every answer.
//!
//! Shared by the client, which writes requests and reads answers, and by the simulator, which does the reverse.
//! Nothing here performs I/O; [`Transport`] is what does, and has two implementations: reqwest, and a simulated world.

use std::fmt;

use async_trait::async_trait;
use jiff::SignedDuration;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use zeroize::Zeroizing;

/// A product of the vendor's that Pitstop calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    /// Instances.
    Cvm,
    /// Load balancers.
    Clb,
    /// Auto scaling.
    As,
    /// Identities.
    Sts,
}

impl Service {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Cvm, Self::Clb, Self::As, Self::Sts];

    /// The name that is signed, and the host's first label.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cvm => "cvm",
            Self::Clb => "clb",
            Self::As => "as",
            Self::Sts => "sts",
        }
    }

    /// The version sent as `X-TC-Version`.
    pub fn version(self) -> &'static str {
        match self {
            Self::Cvm => "2017-03-12",
            Self::Clb => "2018-03-17",
            Self::As => "2018-04-19",
            Self::Sts => "2018-08-13",
        }
    }
}

/// One HTTP request, ready to be sent. Its headers may hold a signature and a token, its body a password.
#[derive(Clone)]
pub struct Request {
    /// Scheme, host and port, e.g. `https://cvm.ap-guangzhou.tencentcloudapi.com`. The path is always `/`.
    pub origin: String,
    /// Names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// JSON; wiped from memory when it is dropped.
    pub body: Zeroizing<Vec<u8>>,
}

impl Request {
    /// The value of a header; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| *own == name).map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("origin", &self.origin)
            .field("action", &self.header("x-tc-action"))
            .finish_non_exhaustive()
    }
}

/// One HTTP answer.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status; the vendor answers 200 even for errors.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// The request got no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TransportError {
    /// Not one byte of it was sent: no name, no connection, no TLS session.
    #[error("{0}")]
    NotSent(String),
    /// It may have arrived: the connection broke, or the answer took too long.
    #[error("{0}")]
    MaybeSent(String),
}

/// What carries a request to the cloud and the answer back.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends the request once. It follows no redirect and retries nothing.
    async fn send(&self, request: Request) -> Result<Response, TransportError>;

    /// How far the cloud's clock is ahead of ours, by the `Date` of its last answer; zero if it is not known.
    fn clock_offset(&self) -> SignedDuration {
        SignedDuration::ZERO
    }
}

/// The envelope around every answer.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Envelope<T> {
    response: T,
}

/// What tells an answer from anything else, and a refusal from what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The request's id; the vendor always sends one.
    pub request_id: String,
    /// The error that came instead of the fields.
    pub refusal: Option<Refusal>,
}

#[derive(Deserialize)]
#[serde(field_identifier)]
enum HeadField {
    RequestId,
    Error,
    #[serde(other)]
    Other,
}

impl<'de> Deserialize<'de> for Head {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeadVisitor)
    }
}

/// Takes objects only; a derived one would take a list for an object's values.
struct HeadVisitor;

impl<'de> Visitor<'de> for HeadVisitor {
    type Value = Head;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an answer")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Head, A::Error> {
        let (mut request_id, mut refusal) = (None, None);
        while let Some(field) = fields.next_key()? {
            match field {
                HeadField::RequestId => request_id = Some(fields.next_value()?),
                HeadField::Error => refusal = fields.next_value()?,
                HeadField::Other => {
                    fields.next_value::<IgnoredAny>()?;
                }
            }
        }
        let request_id = request_id.ok_or_else(|| serde::de::Error::missing_field("RequestId"))?;
        Ok(Head { request_id, refusal })
    }
}

/// An error as the vendor answers it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Refusal {
    /// The code, e.g. `InvalidInstanceId.NotFound`.
    pub code: String,
    /// A text in a language that the request chose. Never matched on.
    #[serde(default)]
    pub message: String,
}

/// Reads an answer to its end, but for its head alone. `None`: this is not an answer of the vendor's, so the outcome is
/// unknown.
pub fn open(response: &Response) -> Option<Head> {
    if response.status != 200 {
        return None;
    }
    // What is skipped would not be checked.
    let text = std::str::from_utf8(&response.body).ok()?;
    serde_json::from_str(text).ok().map(|Envelope { response }| response)
}

/// Reads the fields of an answer that has been opened. serde's errors may quote values.
pub fn fields<'a, T: Deserialize<'a>>(body: &'a [u8]) -> serde_json::Result<T> {
    serde_json::from_slice(body).map(|Envelope { response }| response)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(status: u16, body: impl AsRef<[u8]>) -> Option<Head> {
        open(&Response { status, body: body.as_ref().to_vec() })
    }

    #[test]
    fn only_a_200_with_an_envelope_and_a_request_id_is_an_answer() {
        let good = r#"{"Response":{"TotalCount":0,"Error":null,"RequestId":"r1"},"Trace":7}"#;
        assert_eq!(opened(200, good), Some(Head { request_id: "r1".to_owned(), refusal: None }));
        assert_eq!(fields::<serde_json::Value>(good.as_bytes()).unwrap()["TotalCount"], 0);

        let bad =
            opened(200, r#"{"Response":{"RequestId":"r2","Error":{"Code":"A.B","Message":"m"}}}"#).unwrap();
        let refusal = Refusal { code: "A.B".to_owned(), message: "m".to_owned() };
        assert_eq!((bad.request_id.as_str(), bad.refusal), ("r2", Some(refusal)));

        for body in [
            "",
            "<html>",
            "{}",
            r#"{"Response":{}}"#,
            r#"{"Response":null}"#,
            r#"{"Response":["r1",null]}"#,
            r#"{"Response":{"RequestId":7}}"#,
            r#"{"Response":{"RequestId":null}}"#,
            r#"{"Response":{"RequestId":"r1","Error":{"Message":"m"}}}"#,
            r#"{"Response":{"RequestId":"r1","Error":"no"}}"#,
            r#"{"Response":{"RequestId":"r1","InstanceSet":[{"CPU":2}"#,
            r#"{"Response":{"RequestId":"r1"}"#,
            r#"{"Response":{"RequestId":"r1"}}{"#,
            r#"{"RequestId":"r1"}"#,
        ] {
            assert_eq!(opened(200, body), None, "{body}");
        }
        assert_eq!(opened(502, r#"{"Response":{"RequestId":"r1"}}"#), None);
        assert_eq!(opened(200, b"{\"Response\":{\"RequestId\":\"r1\",\"OsName\":\"\xff\"}}"), None);
    }

    #[test]
    fn an_answer_that_is_cut_off_anywhere_is_none() {
        let whole = r#"{"Response":{"RequestId":"r1","TotalCount":12,"InstanceSet":[{"Tags":[],"CPU":2}]}}"#;
        assert!(opened(200, whole).is_some());
        for end in 0..whole.len() {
            assert_eq!(opened(200, &whole[..end]), None, "{}", &whole[..end]);
        }
    }
}
