//! Keeps credentials until they are about to expire.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::Mutex;

use super::{Credential, CredentialError, Provider};
use crate::clock::{Clock, between};

/// A place that credentials can be got from, each time anew.
#[async_trait]
pub trait Source: Send + Sync {
    /// Gets them.
    async fn fetch(&self) -> Result<Credential, CredentialError>;
}

/// Credentials are renewed this long before they expire, as the official SDKs do.
const AHEAD: Duration = Duration::from_mins(5);

/// A source that hands out the same credentials again is not asked again for this long.
const PATIENCE: Duration = Duration::from_secs(10);

/// A [`Source`] that is asked only when it has to be. Callers that come together wait for one and the same answer.
pub struct Cached<S> {
    source: S,
    clock: Clock,
    last: Mutex<Option<Fetched>>,
}

struct Fetched {
    credential: Credential,
    at: Timestamp,
}

impl Fetched {
    /// Good enough to sign with, without asking for others.
    fn is_young(&self, now: Timestamp) -> bool {
        let Some(expires) = self.credential.expires else { return true };
        let life = between(self.at, expires);
        let left = between(now, expires);
        left > AHEAD.min(life / 2) || (left > Duration::ZERO && between(self.at, now) < PATIENCE)
    }

    /// Still accepted by the cloud, as far as we know.
    fn is_alive(&self, now: Timestamp) -> bool {
        self.credential.expires.is_none_or(|expires| now < expires)
    }
}

impl<S: Source> Cached<S> {
    /// Nothing is asked of the source before the first call.
    pub fn new(source: S, clock: Clock) -> Self {
        Self { source, clock, last: Mutex::new(None) }
    }
}

#[async_trait]
impl<S: Source> Provider for Cached<S> {
    async fn get(&self, fresh: bool) -> Result<Credential, CredentialError> {
        let mut last = self.last.lock().await;
        let now = self.clock.wall();
        if let Some(fetched) = last.as_ref().filter(|fetched| !fresh && fetched.is_young(now)) {
            return Ok(fetched.credential.clone());
        }
        match self.source.fetch().await {
            Ok(credential) => {
                tracing::debug!(source = credential.source, expires = ?credential.expires, "credentials");
                *last = Some(Fetched { credential: credential.clone(), at: self.clock.wall() });
                Ok(credential)
            }
            Err(error) => match last.as_mut().filter(|fetched| !fresh && fetched.is_alive(now)) {
                Some(fetched) => {
                    tracing::warn!(%error, "credentials could not be renewed yet; the old ones are still good");
                    Ok(fetched.credential.clone())
                }
                None => Err(error),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// Hands out credentials that live an hour; every fetch has a number; fails from `broken_from` on.
    struct Numbered {
        clock: Clock,
        fetches: AtomicU32,
        broken_from: u32,
    }

    #[async_trait]
    impl Source for Numbered {
        async fn fetch(&self) -> Result<Credential, CredentialError> {
            let number = self.fetches.fetch_add(1, Ordering::SeqCst) + 1;
            if number >= self.broken_from {
                return Err(CredentialError::Role("down".to_owned()));
            }
            Ok(Credential {
                secret_id: format!("id-{number}"),
                secret_key: "key".into(),
                token: None,
                expires: Some(self.clock.wall() + Duration::from_hours(1)),
                source: "test".to_owned(),
            })
        }
    }

    fn cached(broken_from: u32) -> (Cached<Numbered>, Clock) {
        let clock = Clock::simulated(Timestamp::from_second(1_800_000_000).unwrap());
        let source = Numbered { clock: clock.clone(), fetches: AtomicU32::new(0), broken_from };
        (Cached::new(source, clock.clone()), clock)
    }

    #[tokio::test(start_paused = true)]
    async fn renewed_five_minutes_before_the_end_and_not_earlier() {
        let (cached, clock) = cached(u32::MAX);
        assert_eq!(cached.get(false).await.unwrap().secret_id, "id-1");
        clock.sleep(Duration::from_mins(54)).await;
        assert_eq!(cached.get(false).await.unwrap().secret_id, "id-1");
        clock.sleep(Duration::from_mins(1)).await;
        assert_eq!(cached.get(false).await.unwrap().secret_id, "id-2");
    }

    #[tokio::test(start_paused = true)]
    async fn fresh_ones_are_got_when_the_cloud_refused_the_old() {
        let (cached, _) = cached(u32::MAX);
        assert_eq!(cached.get(false).await.unwrap().secret_id, "id-1");
        assert_eq!(cached.get(true).await.unwrap().secret_id, "id-2");
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_renewal_does_no_harm_while_the_old_ones_are_good() {
        let (cached, clock) = cached(2);
        cached.get(false).await.unwrap();
        clock.sleep(Duration::from_mins(57)).await;
        assert_eq!(cached.get(false).await.unwrap().secret_id, "id-1");
        clock.sleep(Duration::from_mins(4)).await;
        assert!(cached.get(false).await.is_err(), "expired, and not renewed");
    }

    #[tokio::test(start_paused = true)]
    async fn callers_that_come_together_wait_for_one_fetch() {
        let (cached, _) = cached(u32::MAX);
        let all = futures_util::future::join_all((0..20).map(|_| cached.get(false))).await;
        assert!(all.iter().all(|credential| credential.as_ref().unwrap().secret_id == "id-1"));
    }
}
