//! TC3-HMAC-SHA256, the vendor's request signature: a pure function of request, credential and time.
//!
//! Source: the vendor's page "Signature v3" of the CVM API; the tests hold its published examples.

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// What is signed.
#[derive(Clone, Copy, Debug)]
pub struct Signable<'a> {
    /// `POST` or `GET`.
    pub method: &'a str,
    /// The query string exactly as sent; empty for POST.
    pub query: &'a str,
    /// Names in lower case, in alphabetical order; `content-type` and `host` at least.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body exactly as sent.
    pub body: &'a [u8],
    /// The service's name, e.g. `cvm`.
    pub service: &'a str,
    /// When; also sent as `X-TC-Timestamp`.
    pub at: Timestamp,
}

impl Signable<'_> {
    /// The scope of the credential: UTC date, service, protocol.
    fn scope(&self) -> String {
        let date = self.at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d");
        format!("{date}/{}/tc3_request", self.service)
    }

    fn signed_headers(&self) -> String {
        self.headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";")
    }

    fn canonical(&self) -> String {
        let mut headers = String::new();
        for (name, value) in self.headers {
            headers.extend([name, ":", &value.trim().to_lowercase(), "\n"]);
        }
        [self.method, "/", self.query, &headers, &self.signed_headers(), &hex(&Sha256::digest(self.body))]
            .join("\n")
    }

    /// The signature, in lower-case hexadecimal.
    pub fn signature(&self, secret_key: &SecretString) -> String {
        let canonical = hex(&Sha256::digest(self.canonical()));
        let scope = self.scope();
        let text = format!("TC3-HMAC-SHA256\n{}\n{scope}\n{canonical}", self.at.as_second());
        let mut key = zeroize::Zeroizing::new(format!("TC3{}", secret_key.expose_secret()).into_bytes());
        for part in scope.split('/') {
            key = zeroize::Zeroizing::new(keyed(&key, part));
        }
        hex(&keyed(&key, &text))
    }

    /// The value of the `Authorization` header.
    pub fn authorization(&self, secret_id: &str, secret_key: &SecretString) -> String {
        format!(
            "TC3-HMAC-SHA256 Credential={secret_id}/{}, SignedHeaders={}, Signature={}",
            self.scope(),
            self.signed_headers(),
            self.signature(secret_key),
        )
    }
}

fn keyed(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digit = |four: u8| DIGITS[usize::from(four & 15)];
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY_A: &str =
        r#"{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}"#;

    fn example<'a>(
        method: &'a str,
        query: &'a str,
        headers: &'a [(&'a str, &'a str)],
        body: &'a str,
    ) -> Signable<'a> {
        let at = Timestamp::from_second(1_551_113_065).unwrap();
        Signable { method, query, headers, body: body.as_bytes(), service: "cvm", at }
    }

    #[test]
    fn vector_a_as_published() {
        let headers =
            [("content-type", "application/json; charset=utf-8"), ("host", "cvm.tencentcloudapi.com")];
        let request = example("POST", "", &headers, BODY_A);
        for (key, expected) in [
            (
                "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE",
                "72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168",
            ),
            (
                "Gu5t9xGARNpq86cd98joQYCN3*******",
                "2230eefd229f582d8b1b891af7107b91597240707d778ab3738f756258d7652c",
            ),
        ] {
            assert_eq!(request.signature(&key.into()), expected);
        }
        assert_eq!(
            request.authorization(
                "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE",
                &"Gu5t9xGARNpq86cd98joQYCN3EXAMPLE".into()
            ),
            "TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE/2019-02-25/cvm/tc3_request, \
             SignedHeaders=content-type;host, \
             Signature=72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"
        );
    }

    #[test]
    fn vector_a_with_the_action_signed() {
        let headers = [
            ("content-type", "application/json; charset=utf-8"),
            ("host", "cvm.tencentcloudapi.com"),
            ("x-tc-action", "DescribeInstances"),
        ];
        let request = example("POST", "", &headers, BODY_A);
        assert_eq!(
            request.signature(&"*".repeat(32).into()),
            "10b1a37a7301a02ca19a647ad722d5e43b4b3cff309d421d85b46093f6ab6c4f"
        );
    }

    #[test]
    fn vectors_b_and_c_as_the_official_sdk_computes_them() {
        let key = "SecretKeyExampleSecretKeyExample".into();
        let headers = [("content-type", "application/json"), ("host", "cvm.tencentcloudapi.com")];
        let body = r#"{"InstanceIds":["ins-r8hr2upy"],"StopType":"SOFT"}"#;
        assert_eq!(
            example("POST", "", &headers, body).signature(&key),
            "479e19d6745fa487f699259887006bbb5e80d3cdbf6dc80123926864b02a1630"
        );
        let headers =
            [("content-type", "application/x-www-form-urlencoded"), ("host", "cvm.tencentcloudapi.com")];
        assert_eq!(
            example("GET", "InstanceIds.0=ins-r8hr2upy&Limit=1", &headers, "").signature(&key),
            "f205f979fecfffc25a14c873c1ac3b1ef01e1ac2c4b5a35f26ebf030113d208b"
        );
    }
}
