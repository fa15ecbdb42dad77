//! The vendor's protocol, API 3.0: one HTTPS POST per call, an envelope around every answer.
//!
//! Shared by the client, which writes requests and reads answers, and by the simulator, which does the reverse.
//! Nothing here performs I/O; [`Transport`] is what does, and has two implementations: reqwest, and a simulated world.

use std::fmt;

use async_trait::async_trait;
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::Value;
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
struct Envelope {
    response: Value,
}

/// An answer without its envelope.
#[derive(Debug)]
pub struct Answer {
    /// The request's id; the vendor always sends one.
    pub request_id: String,
    /// The fields, or the error that came instead of them.
    pub outcome: Result<Value, Refusal>,
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

/// Takes an answer out of its envelope. `None`: this is not an answer of the vendor's, so the outcome is unknown.
pub fn open(response: &Response) -> Option<Answer> {
    if response.status != 200 {
        return None;
    }
    let Envelope { response: mut fields } = serde_json::from_slice(&response.body).ok()?;
    let request_id = fields.get("RequestId")?.as_str()?.to_owned();
    let outcome = match fields.get_mut("Error").map(Value::take) {
        None | Some(Value::Null) => Ok(fields),
        Some(error) => Err(serde_json::from_value(error).ok()?),
    };
    Some(Answer { request_id, outcome })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(status: u16, body: &str) -> Option<Answer> {
        open(&Response { status, body: body.as_bytes().to_vec() })
    }

    #[test]
    fn only_a_200_with_an_envelope_and_a_request_id_is_an_answer() {
        let good = opened(200, r#"{"Response":{"RequestId":"r1","TotalCount":0}}"#).unwrap();
        assert_eq!((good.request_id.as_str(), good.outcome.unwrap()["TotalCount"].as_u64()), ("r1", Some(0)));

        let bad =
            opened(200, r#"{"Response":{"RequestId":"r2","Error":{"Code":"A.B","Message":"m"}}}"#).unwrap();
        assert_eq!(bad.outcome.unwrap_err().code, "A.B");

        for body in ["", "<html>", "{}", r#"{"Response":{}}"#, r#"{"Response":{"RequestId":"r","#] {
            assert!(opened(200, body).is_none(), "{body}");
        }
        assert!(opened(502, r#"{"Response":{"RequestId":"r1"}}"#).is_none());
    }
}
