//! Checks: proof from outside that an instance is well after its start.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::{Pace, Probe};
use crate::clock::{Clock, between};
use crate::cloud::Instance;
use crate::journal::Order;
use crate::workflow::Check;

/// How long one try may take.
const TRY: Duration = Duration::from_secs(3);

/// A check with the instance's own values put in.
pub(super) struct Ready {
    host: String,
    port: u16,
    timeout: Duration,
}

/// Puts the instance's values into the check; an error says which of them it lacks.
pub(super) fn ready(check: &Check, instance: &Instance) -> Result<Ready, String> {
    let Check::Tcp { host, port, timeout } = check;
    let mut text = host.clone().unwrap_or_else(|| "${{ instance.private-ip }}".to_owned());
    for (name, addresses) in [("private-ip", &instance.private_ips), ("public-ip", &instance.public_ips)] {
        for place in [format!("${{{{ instance.{name} }}}}"), format!("${{{{instance.{name}}}}}")] {
            if text.contains(&place) {
                let address = addresses.first().ok_or_else(|| format!("it has no {name}"))?;
                text = text.replace(&place, &address.to_string());
            }
        }
    }
    Ok(Ready { host: text, port: *port, timeout: *timeout })
}

/// Tries until it passes or its time is up. `None`: the run was ordered to end, and the check was given up.
pub(super) async fn carry_out(
    check: Ready,
    probe: Arc<dyn Probe>,
    clock: Clock,
    pace: Pace,
    mut orders: watch::Receiver<Order>,
) -> Option<Result<(), String>> {
    let tries = async {
        let began = clock.now();
        loop {
            let problem = match probe.tcp(&check.host, check.port, TRY).await {
                Ok(()) => return Ok(()),
                Err(problem) => problem,
            };
            let elapsed = between(began, clock.now());
            if elapsed >= check.timeout {
                let Ready { host, port, timeout } = &check;
                return Err(format!(
                    "{host} port {port} did not accept within {} s: {problem}",
                    timeout.as_secs()
                ));
            }
            clock.sleep(pace.next_look(elapsed, None).min(check.timeout.saturating_sub(elapsed))).await;
        }
    };
    tokio::select! {
        result = tries => Some(result),
        Ok(_) = orders.wait_for(|order| *order != Order::CarryOn) => None,
    }
}
