//! What a machine does that was suspended: nothing stands as it was left, neither the hold of the run nor what was seen.
//!
//! What was decided before is held back in `sending`; that the renewal of the hold comes before all else is in `wait`.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use super::Engine;
use crate::clock::Clock;
use crate::journal::Journal;

/// Waits until the hold of the run is to be renewed, and asks at every poll: a timer stands still while the machine is
/// suspended, and what was in the air before would go on first.
pub(super) async fn is_due(journal: &Journal, clock: &Clock) {
    let mut timer = pin!(clock.sleep_until(journal.renewal_due()));
    poll_fn(|context| if journal.is_renewal_due() { Poll::Ready(()) } else { timer.as_mut().poll(context) })
        .await;
}

impl Engine {
    /// Begins a turn. If the machine was suspended since the last one, all that was seen is forgotten, and whoever is
    /// waited for is looked at now.
    pub(super) fn wake_up(&mut self) {
        let clock = self.parts.clock.clone();
        let suspended = clock.stood_still(&self.awake);
        self.awake = clock.moment();
        if suspended <= self.parts.pace.fresh {
            return;
        }
        tracing::warn!(
            ?suspended,
            "this machine was suspended, or its clock set forward: all is looked at again"
        );
        self.anew = clock.now();
        let waiting: Vec<_> = self.timers.iter().map(|(_, at)| *at).collect();
        for at in waiting {
            self.wake_at(at, self.anew);
        }
    }
}
