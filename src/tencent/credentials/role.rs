//! The role that is bound to the machine, told by the machine's metadata service.

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;
use serde::Deserialize;

use super::{Credential, CredentialError};
use crate::tencent::wire::TransportError;

/// The metadata service of the machine that this process runs on, if the vendor's (CVM documentation, metadata).
#[async_trait]
pub trait Metadata: Send + Sync {
    /// What is at `path` below `/latest/meta-data/`; `None` if nothing is.
    async fn get(&self, path: &str) -> Result<Option<SecretString>, TransportError>;
}

const PATH: &str = "cam/security-credentials/";

/// The credentials as the service tells them.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Told {
    tmp_secret_id: Option<String>,
    tmp_secret_key: Option<SecretString>,
    token: Option<SecretString>,
    expired_time: Option<i64>,
    code: Option<String>,
}

/// The name of the role; `None` if no role is bound, or this is no machine of the vendor's.
pub(super) async fn name(metadata: &dyn Metadata) -> Result<Option<String>, TransportError> {
    use secrecy::ExposeSecret as _;
    let answer = metadata.get(PATH).await?;
    let name = answer.map(|text| text.expose_secret().trim().to_owned());
    // A captive portal answers any name with a page; a role's name is one short word.
    let fits = |name: &String| {
        (1..=128).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.@+=,".contains(&byte))
    };
    Ok(name.filter(fits))
}

/// The credentials of the role `name`.
pub(super) async fn credential(metadata: &dyn Metadata, name: &str) -> Result<Credential, CredentialError> {
    use secrecy::ExposeSecret as _;
    let answer = metadata.get(&format!("{PATH}{name}")).await;
    let text = answer
        .map_err(|error| CredentialError::Role(error.to_string()))?
        .ok_or_else(|| CredentialError::Role(format!("the role {name} is not there any more")))?;
    let told: Told = serde_json::from_str(text.expose_secret())
        .map_err(|_| CredentialError::Role("the answer is not in the vendor's form".to_owned()))?;
    if let Some(code) = told.code.filter(|code| code != "Success") {
        return Err(CredentialError::Role(format!("the answer's code is {code}")));
    }
    let (Some(secret_id), Some(secret_key), Some(token)) =
        (told.tmp_secret_id, told.tmp_secret_key, told.token)
    else {
        return Err(CredentialError::Role("the answer lacks a key or the token".to_owned()));
    };
    let expires = told.expired_time.and_then(|at| Timestamp::from_second(at).ok());
    let source = format!("the CVM role {name}");
    Ok(Credential { secret_id, secret_key, token: Some(token), expires, source })
}
