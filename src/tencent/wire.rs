//! The vendor's protocol, API 3.0: one HTTPS POST per call, an envelope around every answer.
//!
//! Shared by the client, which writes requests and reads answers, and by the simulator, which does the reverse.
//! Nothing here performs I/O; [`Transport`] is what does, and has two implementations: reqwest, and a simulated world.

use std::fmt;
use std::marker::PhantomData;

use async_trait::async_trait;
use jiff::SignedDuration;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, IgnoredAny, IntoDeserializer, MapAccess, Visitor,
};
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

/// An answer without its envelope.
#[derive(Debug)]
pub struct Answer<T> {
    /// The request's id; the vendor always sends one.
    pub request_id: String,
    /// The other fields, or the error that came instead of them. `None`: they are not what `T` wants.
    pub outcome: Result<Option<T>, Refusal>,
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

/// Takes an answer out of its envelope, in one pass where nothing is wrong with it. `None`: this is not an answer of the
/// vendor's, so the outcome is unknown.
pub fn open<T: DeserializeOwned>(response: &Response) -> Option<Answer<T>> {
    if response.status != 200 {
        return None;
    }
    // Once for all of it, since texts that are skipped would not be checked.
    let text = std::str::from_utf8(&response.body).ok()?;
    let (head, fields) = match opened(text) {
        Ok(Opened { head, fields }) => (head, Some(fields)),
        Err(_) => (opened::<IgnoredAny>(text).ok()?.head, None),
    };
    let outcome = head.refusal.map_or(Ok(fields), Err);
    Some(Answer { request_id: head.request_id?, outcome })
}

/// Reads the fields of an answer, those of its head included. serde's errors may quote values.
pub(super) fn fields<'a, T: Deserialize<'a>>(body: &'a [u8]) -> serde_json::Result<T> {
    serde_json::from_slice(body).map(|Envelope { response }| response)
}

fn opened<'a, T: Deserialize<'a>>(text: &'a str) -> serde_json::Result<Opened<T>> {
    serde_json::from_str(text).map(|Envelope { response }| response)
}

/// What tells an answer from anything else, and a refusal from what was asked for.
#[derive(Default)]
struct Head {
    request_id: Option<String>,
    refusal: Option<Refusal>,
}

/// What an envelope holds. Only an object is one: a list of its values is not.
struct Opened<T> {
    head: Head,
    fields: T,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Opened<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Opening(PhantomData))
    }
}

struct Opening<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Opening<T> {
    type Value = Opened<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an answer")
    }

    fn visit_map<A: MapAccess<'de>>(self, all: A) -> Result<Opened<T>, A::Error> {
        let mut head = Head::default();
        let rest = Rest { all, head: &mut head };
        let fields = T::deserialize(MapAccessDeserializer::new(rest))?;
        Ok(Opened { head, fields })
    }
}

/// The fields of an answer but for its head, which is taken out as they go by.
struct Rest<'a, A> {
    all: A,
    head: &'a mut Head,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Rest<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        while let Some(name) = self.all.next_key::<String>()? {
            match name.as_str() {
                "RequestId" => self.head.request_id = Some(self.all.next_value()?),
                "Error" => self.head.refusal = self.all.next_value()?,
                _ => return seed.deserialize(name.into_deserializer()).map(Some),
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.all.next_value_seed(seed)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::*;

    type Opened = Option<(String, Result<Option<Value>, Refusal>)>;

    fn opened(status: u16, body: impl AsRef<[u8]>) -> Opened {
        let answer = open(&Response { status, body: body.as_ref().to_vec() })?;
        Some((answer.request_id, answer.outcome))
    }

    #[test]
    fn only_a_200_with_an_envelope_and_a_request_id_is_an_answer() {
        let good = r#"{"Response":{"TotalCount":0,"Error":null,"RequestId":"r1","Zone":"z"},"Trace":7}"#;
        let fields = json!({ "TotalCount": 0, "Zone": "z" });
        assert_eq!(opened(200, good), Some(("r1".to_owned(), Ok(Some(fields)))));

        let bad = r#"{"Response":{"RequestId":"r2","Error":{"Code":"A.B","Message":"m"}}}"#;
        let refusal = Refusal { code: "A.B".to_owned(), message: "m".to_owned() };
        assert_eq!(opened(200, bad), Some(("r2".to_owned(), Err(refusal))));

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
            r#"{"Response":{"RequestId":"r1"}}{"#,
            r#"{"RequestId":"r1"}"#,
        ] {
            assert_eq!(opened(200, body), None, "{body}");
        }
        assert_eq!(opened(502, r#"{"Response":{"RequestId":"r1"}}"#), None);
        assert_eq!(opened(200, b"{\"Response\":{\"RequestId\":\"r1\",\"OsName\":\"\xff\"}}"), None);
    }

    #[test]
    fn fields_that_do_not_fit_leave_the_head_as_it_is() {
        let opened = |body: &str| {
            let response = Response { status: 200, body: body.as_bytes().to_vec() };
            let answer = open::<BTreeMap<String, u32>>(&response).unwrap();
            (answer.request_id, answer.outcome.map_err(|refusal| refusal.code))
        };
        let id = "r1".to_owned();
        let fits = BTreeMap::from([("TotalCount".to_owned(), 7)]);
        let body = r#"{"Response":{"TotalCount":7,"RequestId":"r1"}}"#;
        assert_eq!(opened(body), (id.clone(), Ok(Some(fits))));
        let body = r#"{"Response":{"TotalCount":"7","RequestId":"r1"}}"#;
        assert_eq!(opened(body), (id.clone(), Ok(None)));
        let body = r#"{"Response":{"TotalCount":"7","Error":{"Code":"A.B"},"RequestId":"r1"}}"#;
        assert_eq!(opened(body), (id, Err("A.B".to_owned())));
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
