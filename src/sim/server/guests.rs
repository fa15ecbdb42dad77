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
    let mut open: BTreeMap<String, BTreeMap<u16, Port>> = BTreeMap::new();
    let mut failed = BTreeSet::new();
    loop {
        let now = shared.clock.now();
        let stirred = shared.world().stirred(now);
        for (host, wanted) in stirred {
            let ports = open.entry(host.clone()).or_default();
            ports.retain(|port, _| wanted.contains(port));
            for port in wanted {
                if ports.contains_key(&port) || failed.contains(&(host.clone(), port)) {
                    continue;
                }
                match listen(&host, port).await {
                    Ok(opened) => {
                        ports.insert(port, opened);
                    }
                    Err(error) => {
                        tracing::warn!(host, port, %error, "a guest's port can't be opened");
                        failed.insert((host.clone(), port));
                    }
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
