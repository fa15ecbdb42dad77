//! Real listeners for the guests of running instances, so that a TCP check over HTTP meets a port.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::Shared;

/// How often the ports follow the world.
const EVERY: Duration = Duration::from_millis(50);

/// The open ports of all guests; dropping it closes them.
pub(super) struct Guests(JoinHandle<()>);

impl Guests {
    /// Opens the ports and follows the world.
    pub(super) fn open(shared: Shared) -> Self {
        Self(tokio::spawn(follow(shared)))
    }
}

impl Drop for Guests {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A port that accepts connections until it is dropped.
struct Port(JoinHandle<()>);

impl Drop for Port {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn follow(shared: Shared) {
    let mut open: BTreeMap<(String, u16), Port> = BTreeMap::new();
    let mut failed = BTreeSet::new();
    loop {
        let now = shared.clock.now();
        let wanted: BTreeSet<_> = shared.world().listening(now).into_iter().collect();
        open.retain(|place, _| wanted.contains(place));
        for place in wanted {
            if open.contains_key(&place) || failed.contains(&place) {
                continue;
            }
            match listen(&place.0, place.1).await {
                Ok(port) => {
                    open.insert(place, port);
                }
                Err(error) => {
                    tracing::warn!(host = place.0, port = place.1, %error, "a guest's port can't be opened");
                    failed.insert(place);
                }
            }
        }
        shared.clock.sleep(EVERY).await;
    }
}

async fn listen(host: &str, port: u16) -> std::io::Result<Port> {
    let address: IpAddr = host.parse().map_err(std::io::Error::other)?;
    if !address.is_loopback() {
        return Err(std::io::Error::other("it is not a loopback address"));
    }
    let listener = TcpListener::bind((address, port)).await?;
    Ok(Port(tokio::spawn(async move { while listener.accept().await.is_ok() {} })))
}
