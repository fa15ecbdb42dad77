//! What the engine needs of its surroundings besides the cloud: a person's secrets, and a look at a guest's ports.

use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;

use crate::cloud::InstanceId;

/// The person or program that runs Pitstop.
#[async_trait]
pub trait Operator: Send + Sync {
    /// Asks for a secret. `what` says which, e.g. "new password for root".
    /// An error is a sentence for the person, for example that there is no terminal to ask at.
    async fn secret(&self, what: &str) -> Result<SecretString, String>;

    /// Asks whether a run shall go on with its `others`, now that these canaries are well.
    /// `None`: nobody can be asked; the run stands still, and can be taken up again by somebody who can.
    async fn carry_on(&self, canaries: &[InstanceId], others: usize) -> Option<bool> {
        let _ = (canaries, others);
        None
    }
}

/// Looks at a guest from outside.
#[async_trait]
pub trait Probe: Send + Sync {
    /// Tries once to connect, for at most `limit`; an error says why not.
    async fn tcp(&self, host: &str, port: u16, limit: Duration) -> Result<(), String>;
}
