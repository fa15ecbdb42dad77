//! Temporary credentials from STS: for a role, by other credentials or by a token of another identity provider.

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Credential, CredentialError};
use crate::cloud::{CloudError, ErrorKind, Sent};
use crate::tencent::api::Api;
use crate::tencent::channel::{Call, Channel, Signing};

/// A role to assume (STS API, AssumeRole).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Role {
    /// `qcs::cam::uin/<uin>:roleName/<name>`.
    pub(super) arn: String,
    /// Who we are, in the vendor's audit log.
    pub(super) session: String,
    /// How long the credentials shall live, in seconds.
    pub(super) seconds: u32,
    /// A word that the role's owner may ask for.
    pub(super) external_id: Option<String>,
}

impl Role {
    pub(super) fn new(arn: impl Into<String>) -> Self {
        Self { arn: arn.into(), session: "pitstop".to_owned(), seconds: 7200, external_id: None }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Given {
    credentials: GivenKeys,
    expired_time: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GivenKeys {
    token: SecretString,
    tmp_secret_id: String,
    tmp_secret_key: SecretString,
}

/// Temporary credentials for `role`, asked for with `base`.
pub(super) async fn assume(
    channel: &Channel,
    base: &Credential,
    role: &Role,
) -> Result<Credential, CredentialError> {
    let mut body = json!({
        "RoleArn": role.arn, "RoleSessionName": role.session, "DurationSeconds": role.seconds,
    });
    if let Some(id) = &role.external_id {
        body["ExternalId"] = json!(id);
    }
    let source = format!("the role {} by {}", role.arn, base.source);
    ask(channel, Api::AssumeRole, body, Signing::With(base), &role.arn, source).await
}

/// Temporary credentials for `role`, for the bearer of another identity provider's token.
pub(super) async fn assume_with_web_identity(
    channel: &Channel,
    provider: &str,
    token: &SecretString,
    role: &Role,
) -> Result<Credential, CredentialError> {
    let body = json!({
        "ProviderId": provider, "WebIdentityToken": token.expose_secret(), "RoleArn": role.arn,
        "RoleSessionName": role.session, "DurationSeconds": role.seconds,
    });
    let source = format!("the role {} by the identity provider {provider}", role.arn);
    ask(channel, Api::AssumeRoleWithWebIdentity, body, Signing::Skip, &role.arn, source).await
}

async fn ask(
    channel: &Channel,
    api: Api,
    body: Value,
    signing: Signing<'_>,
    arn: &str,
    source: String,
) -> Result<Credential, CredentialError> {
    let call = Call { api, body };
    let refused = |error: CloudError| CredentialError::Sts { role: arn.to_owned(), error: Box::new(error) };
    let answer = Box::pin(channel.call::<Given>(&call, signing)).await.map_err(refused)?;
    let given = answer.fields.map_err(|_| {
        let message = format!("the answer to {} lacks a key or the token", api.name());
        refused(CloudError::new(ErrorKind::Network, Sent::No, message))
    })?;
    Ok(Credential {
        secret_id: given.credentials.tmp_secret_id,
        secret_key: given.credentials.tmp_secret_key,
        token: Some(given.credentials.token),
        expires: given.expired_time.and_then(|at| Timestamp::from_second(at).ok()),
        source,
    })
}
