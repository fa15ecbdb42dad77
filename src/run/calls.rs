//! Sending what was recorded: each takes a [`Recorded`], so nothing can be sent that does not stand in the journal.

use std::time::Duration;

use crate::cloud::{Change, Cloud, CloudError, ErrorKind, KeyId, Permit, RequestId, Sent, Survey};
use crate::journal::{Intent, Joint, Recorded};
use crate::plan::ImportKey;

use super::secrets::Secrets;

/// Sends one joint intent, once, if `permit` still allows it.
pub(super) async fn perform(
    cloud: &dyn Cloud,
    recorded: &Recorded<Joint>,
    secrets: &Secrets,
    permit: Permit<'_>,
) -> Result<RequestId, CloudError> {
    let joint = recorded.get();
    let mut ids: Vec<_> = joint.instances.iter().map(|(id, _)| id.clone()).collect();
    let change = match &joint.intent {
        Intent::Stop { mode, charging } => Change::Stop { ids, mode: *mode, charging: *charging },
        Intent::Start => Change::Start { ids },
        Intent::LoadSshKeys { keys } => Change::LoadSshKeys { ids, keys: keys.clone() },
        Intent::ResetPassword { user } => {
            let Some(password) = secrets.password().cloned() else {
                return Err(CloudError::new(ErrorKind::Argument, Sent::No, "there is no password to set"));
            };
            Change::ResetPassword { ids, user: user.clone(), password }
        }
        Intent::Resize { to } => match (ids.pop(), ids.is_empty()) {
            (Some(id), true) => Change::Resize { id, to: to.clone() },
            _ => {
                return Err(CloudError::new(
                    ErrorKind::Argument,
                    Sent::No,
                    "a resize names exactly one instance",
                ));
            }
        },
    };
    cloud.apply(&change, permit).await
}

/// What comes of an intent that was decided on too long ago to be sent: the instance is looked at again.
pub(super) fn too_late(late: Duration) -> CloudError {
    let message = format!("not sent, as it was decided {} s before it could be", late.as_secs());
    // Of the kinds the one that is tried again for longest.
    CloudError::new(ErrorKind::Throttled, Sent::No, message)
}

/// Imports a key, once. Whether it is there afterwards is for [`find_key`] to say.
pub(super) async fn import(
    cloud: &dyn Cloud,
    recorded: &Recorded<ImportKey>,
) -> Result<RequestId, CloudError> {
    let ImportKey { name, public_key } = recorded.get().clone();
    // A key touches no instance, and is no worse for being imported late.
    cloud.apply(&Change::ImportKey { name, public_key }, &|| Ok(())).await
}

/// The key of this material, if the account has it.
pub(super) async fn find_key(cloud: &dyn Survey, wanted: &ImportKey) -> Result<Option<KeyId>, CloudError> {
    // The comment behind the material does not count.
    let material = |text: &str| text.split_whitespace().take(2).map(str::to_owned).collect::<Vec<_>>();
    let keys = cloud.key_pairs().await?;
    Ok(keys
        .into_iter()
        .find(|key| material(&key.public_key) == material(&wanted.public_key))
        .map(|key| key.id))
}
