//! One region of one account: [`Cloud`] over the vendor's API.
//!
//! [`Survey`](crate::cloud::Survey) is in the module `survey`; what both need of a call is here.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::ExposeSecret;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Value, json};

use super::api::Api;
use super::channel::{Answer, Call, Channel, Signing};
use super::credentials::{Metadata, Provider};
use super::decode::Instances;
use super::endpoint::{Endpoint, EndpointError};
use super::limits::Limits;
use super::retry::Retry;
use super::survey::BACKENDS;
use super::wire::Transport;
use crate::clock::Clock;
use crate::cloud::{
    Action, BATCH, Ceilings, Change, Charging, Cloud, CloudError, ErrorKind, Instance, InstanceId, Permit,
    RequestId, Sent, StopMode,
};

/// What a client is made of.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The region, e.g. `ap-guangzhou`.
    pub region: String,
    /// Where calls are sent.
    pub endpoint: Endpoint,
    /// How many calls are sent in a second.
    pub limits: Limits,
    /// How failed calls are repeated.
    pub retry: Retry,
}

impl Settings {
    /// The vendor's endpoint, ceilings and our usual patience.
    pub fn of_region(region: impl Into<String>) -> Self {
        Self {
            region: region.into(),
            endpoint: Endpoint::vendor(),
            limits: Limits::default(),
            retry: Retry::default(),
        }
    }
}

/// The client.
pub struct Client {
    channel: Channel,
    credentials: Arc<dyn Provider>,
    metadata: Option<Arc<dyn Metadata>>,
    /// How many addresses a reverse look-up is given at most, as far as the cloud has told.
    pub(super) backends: AtomicUsize,
}

impl Client {
    /// A client that sends over `transport`. Fails if the region can't be one.
    pub fn new(
        settings: Settings,
        transport: Arc<dyn Transport>,
        credentials: Arc<dyn Provider>,
        clock: Clock,
    ) -> Result<Self, EndpointError> {
        let channel = Channel::new(settings, transport, clock)?;
        Ok(Self { channel, credentials, metadata: None, backends: AtomicUsize::new(BACKENDS[0]) })
    }

    /// Lets [`Survey::own_instance`](crate::cloud::Survey::own_instance) ask the machine's metadata service.
    #[must_use]
    pub fn with_metadata(mut self, metadata: Arc<dyn Metadata>) -> Self {
        self.metadata = Some(metadata);
        self
    }

    pub(super) fn clock(&self) -> &Clock {
        self.channel.clock()
    }

    /// Reads, and decodes the answer.
    pub(super) async fn read<T: DeserializeOwned + Send>(
        &self,
        api: Api,
        body: Value,
    ) -> Result<T, CloudError> {
        let call = Call { api, body };
        let answer = self.channel.call(&call, Signing::With(self.credentials.as_ref())).await?;
        answer.fields.map_err(|problem| undecodable(api, Some(answer.request), &problem))
    }

    async fn write(&self, change: &Change, permit: Permit<'_>) -> Result<Answer<IgnoredAny>, CloudError> {
        let call = Call { api: Api::of(change), body: parameters(change) };
        self.channel.call_if(permit, &call, Signing::With(self.credentials.as_ref())).await
    }

    /// The instance that this process runs on, asked of the metadata service with little patience.
    pub(super) async fn own_id(&self) -> Option<InstanceId> {
        let metadata = self.metadata.as_ref()?;
        let answer = self.clock().timeout(Duration::from_secs(3), metadata.get("instance-id")).await?;
        let id = answer.ok()??.expose_secret().trim().to_owned();
        // A captive portal answers anything with a page.
        let fits = id.len() < 64 && id.starts_with("ins-");
        fits.then(|| InstanceId::new(id))
    }
}

/// An answer of the vendor's whose fields are not what they should be.
pub(super) fn undecodable(api: Api, request: Option<RequestId>, problem: &str) -> CloudError {
    let message = format!("the answer to {} can't be read: {problem}", api.name());
    CloudError { request, ..CloudError::new(ErrorKind::Network, Sent::No, message) }
}

/// The ids as the vendor takes them.
pub(super) fn names(ids: &[InstanceId]) -> Vec<&str> {
    ids.iter().map(InstanceId::as_str).collect()
}

#[async_trait]
impl Cloud for Client {
    async fn look(&self, ids: &[InstanceId]) -> Result<Vec<Instance>, CloudError> {
        check_batch("DescribeInstances", ids)?;
        // Without ids the vendor would answer with all instances.
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        // Without `Limit` the vendor answers with 20 of them.
        let body = json!({ "InstanceIds": names(ids), "Limit": BATCH });
        let answer: Instances = self.read(Api::DescribeInstances, body).await?;
        answer.all().map_err(|problem| undecodable(Api::DescribeInstances, None, &problem))
    }

    fn ceilings(&self) -> Ceilings {
        let limits = self.channel.limits();
        let resize = Action::Resize.api_name();
        Ceilings {
            looks: Some(limits.per_second("DescribeInstances")),
            resizes: Some(limits.per_second(resize)),
            resizes_a_minute: Some(self.channel.per_minute(resize)),
        }
    }

    async fn apply(&self, change: &Change, permit: Permit<'_>) -> Result<RequestId, CloudError> {
        check_batch(change.api_name(), change.ids())?;
        if change.ids().is_empty() && !matches!(change, Change::ImportKey { .. }) {
            return Err(refused(format!("{} needs at least one instance", change.api_name())));
        }
        let result = self.write(change, permit).await;
        result.map(|answer| answer.request).map_err(|error| without_password(error, change))
    }
}

fn check_batch(action: &str, ids: &[InstanceId]) -> Result<(), CloudError> {
    if ids.len() > BATCH {
        return Err(refused(format!("{action} takes {BATCH} instances at most, not {}", ids.len())));
    }
    Ok(())
}

/// A call that is not even sent.
fn refused(message: String) -> CloudError {
    CloudError::new(ErrorKind::Argument, Sent::No, message)
}

/// The parameters of a change. `ForceStop` is never among them.
fn parameters(change: &Change) -> Value {
    match change {
        Change::Stop { ids, mode, charging } => json!({
            "InstanceIds": names(ids),
            "StopType": match mode {
                StopMode::Soft => "SOFT",
                StopMode::SoftFirst => "SOFT_FIRST",
                StopMode::Hard => "HARD",
            },
            "StoppedMode": match charging {
                Charging::Keep => "KEEP_CHARGING",
                Charging::Stop => "STOP_CHARGING",
            },
        }),
        Change::Start { ids } => json!({ "InstanceIds": names(ids) }),
        Change::Resize { id, to } => json!({ "InstanceIds": [id.as_str()], "InstanceType": to.as_str() }),
        Change::ResetPassword { ids, user, password } => {
            let mut body = json!({ "InstanceIds": names(ids), "Password": password.expose_secret() });
            // Without a name the vendor takes the operating system's administrator.
            if !user.is_empty() {
                body["UserName"] = json!(user);
            }
            body
        }
        Change::LoadSshKeys { ids, keys } => json!({
            "InstanceIds": names(ids),
            "KeyIds": keys.iter().map(crate::cloud::KeyId::as_str).collect::<Vec<_>>(),
        }),
        Change::ImportKey { name, public_key } => {
            json!({ "KeyName": name, "ProjectId": 0, "PublicKey": public_key })
        }
    }
}

/// The vendor's message could repeat the password that it refuses.
fn without_password(mut error: CloudError, change: &Change) -> CloudError {
    if let Change::ResetPassword { password, .. } = change
        && !password.expose_secret().is_empty()
    {
        error.message = error.message.replace(password.expose_secret(), "[hidden]");
    }
    error
}

#[cfg(test)]
mod tests;
