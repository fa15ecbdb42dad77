//! The places in which credentials are looked for, in their order.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;

use super::cached::{Cached, Source};
use super::environment::Environment;
use super::files::{self, Profile};
use super::role::{self, Metadata};
use super::sts::{self, Role};
use super::{Credential, CredentialError, Provider};
use crate::clock::Clock;
use crate::tencent::channel::Channel;
use crate::tencent::client::Settings;
use crate::tencent::endpoint::EndpointError;
use crate::tencent::wire::Transport;

/// Looks for credentials, at every fetch anew, so that files and tokens that others renew are read again:
///
/// 1. the variables `TENCENTCLOUD_SECRET_ID`, `TENCENTCLOUD_SECRET_KEY`, `TENCENTCLOUD_TOKEN` or `…_SECURITY_TOKEN`
/// 2. the tccli profile that `TCCLI_PROFILE` names
/// 3. `TENCENTCLOUD_CREDENTIALS_FILE`, `~/.tencentcloud/credentials`, `/etc/tencentcloud/credentials`
/// 4. tccli's default profile, `~/.tccli/default.credential`
/// 5. the identity of a pod: `TKE_PROVIDER_ID`, `TKE_WEB_IDENTITY_TOKEN_FILE`, `TKE_ROLE_ARN`
/// 6. the role that is bound to the machine
///
/// If `TENCENTCLOUD_ROLE_ARN` (or Terraform's `TENCENTCLOUD_ASSUME_ROLE_ARN`) is set, what was found is used to assume
/// that role. A pod's identity goes before the machine's role, unlike in the SDKs: the pod's was given to this very job.
pub struct Chain {
    environment: Environment,
    channel: Channel,
    metadata: Option<Arc<dyn Metadata>>,
}

/// A provider that searches `environment`, asks STS over `transport` as `settings` say, and caches what it finds.
/// Without `metadata`, as with a simulated cloud, the machine's role is left out.
pub fn find(
    environment: Environment,
    settings: &Settings,
    transport: Arc<dyn Transport>,
    metadata: Option<Arc<dyn Metadata>>,
    clock: Clock,
) -> Result<Arc<dyn Provider>, EndpointError> {
    let channel = Channel::new(settings.clone(), transport, clock.clone())?;
    Ok(Arc::new(Cached::new(Chain { environment, channel, metadata }, clock)))
}

#[async_trait]
impl Source for Chain {
    async fn fetch(&self) -> Result<Credential, CredentialError> {
        let (base, own_role) = self.base().await?;
        match self.role()?.or(own_role) {
            Some(role) => sts::assume(&self.channel, &base, &role).await,
            None => Ok(base),
        }
    }
}

impl Chain {
    /// The credentials themselves, and the role that the place where they were found wants assumed.
    async fn base(&self) -> Result<(Credential, Option<Role>), CredentialError> {
        let environment = &self.environment;
        if let Some(credential) = environment.credential()? {
            return Ok((credential, None));
        }
        let mut looked = vec!["TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY: not set".to_owned()];
        let named = files::profile_is_named(environment)?;
        if !named {
            match files::ini(environment)? {
                Ok(credential) => return Ok((credential, None)),
                Err(places) => looked.extend(places),
            }
        }
        match files::profile(environment, self.channel.clock().wall())? {
            Ok(Profile::Keys(credential, role)) => return Ok((credential, role)),
            Ok(Profile::MachineRole) => {
                let found = self.machine_role(&mut looked).await?;
                let missing = || CredentialError::Role("no role is bound to this machine".to_owned());
                return found.map(|credential| (credential, None)).ok_or_else(missing);
            }
            Err(places) => looked.extend(places),
        }
        if let Some(credential) = self.pod_identity(&mut looked).await? {
            return Ok((credential, None));
        }
        match self.machine_role(&mut looked).await? {
            Some(credential) => Ok((credential, None)),
            None => Err(CredentialError::NotFound { looked }),
        }
    }

    /// The role that variables ask for.
    fn role(&self) -> Result<Option<Role>, CredentialError> {
        const SECONDS: &str = "TENCENTCLOUD_ASSUME_ROLE_SESSION_DURATION";
        let environment = &self.environment;
        let Some(arn) = environment.first(&["TENCENTCLOUD_ROLE_ARN", "TENCENTCLOUD_ASSUME_ROLE_ARN"])? else {
            return Ok(None);
        };
        let mut role = Role::new(arn);
        let sessions = ["TENCENTCLOUD_ROLE_SESSION_NAME", "TENCENTCLOUD_ASSUME_ROLE_SESSION_NAME"];
        if let Some(session) = environment.first(&sessions)? {
            session.clone_into(&mut role.session);
        }
        if let Some(seconds) = environment.get(SECONDS)? {
            role.seconds = seconds.parse().map_err(|_| CredentialError::Malformed {
                place: SECONDS.to_owned(),
                problem: "not a number of seconds".to_owned(),
            })?;
        }
        role.external_id = environment.get("TENCENTCLOUD_ASSUME_ROLE_EXTERNAL_ID")?.map(str::to_owned);
        Ok(Some(role))
    }

    /// The identity that TKE gives to a pod.
    async fn pod_identity(&self, looked: &mut Vec<String>) -> Result<Option<Credential>, CredentialError> {
        const NAMES: [&str; 3] = ["TKE_PROVIDER_ID", "TKE_WEB_IDENTITY_TOKEN_FILE", "TKE_ROLE_ARN"];
        let mut values = [None; 3];
        for (name, value) in NAMES.iter().zip(&mut values) {
            *value = self.environment.get(name)?;
        }
        let [Some(provider), Some(file), Some(arn)] = values else {
            let first = |set: bool| NAMES.iter().zip(&values).find(|(_, value)| value.is_some() == set);
            if let (Some((present, _)), Some((missing, _))) = (first(true), first(false)) {
                let (present, missing) = ((*present).to_owned(), (*missing).to_owned());
                return Err(CredentialError::Incomplete { present, missing });
            }
            looked.push(format!("{}, {} and {}: not set", NAMES[0], NAMES[1], NAMES[2]));
            return Ok(None);
        };
        let token = read_token(Path::new(file))?;
        let credential =
            sts::assume_with_web_identity(&self.channel, provider, &token, &Role::new(arn)).await?;
        Ok(Some(credential))
    }

    async fn machine_role(&self, looked: &mut Vec<String>) -> Result<Option<Credential>, CredentialError> {
        let Some(metadata) = &self.metadata else {
            looked.push("a CVM role: not asked for, because the endpoint is not the vendor's".to_owned());
            return Ok(None);
        };
        match role::name(metadata.as_ref()).await {
            Ok(Some(name)) => role::credential(metadata.as_ref(), &name).await.map(Some),
            Ok(None) => {
                looked.push("a CVM role: none is bound to this machine".to_owned());
                Ok(None)
            }
            Err(error) => {
                looked.push(format!("a CVM role: this machine has no metadata service ({error})"));
                Ok(None)
            }
        }
    }
}

/// A pod's token. The system that writes it renews it, and its permissions are not ours to judge.
fn read_token(path: &Path) -> Result<SecretString, CredentialError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| CredentialError::Unreadable { path: path.to_owned(), reason: error.to_string() })?;
    let token = text.trim();
    if token.is_empty() {
        let place = path.display().to_string();
        return Err(CredentialError::Malformed { place, problem: "the token is empty".to_owned() });
    }
    Ok(token.into())
}

#[cfg(test)]
mod tests;
