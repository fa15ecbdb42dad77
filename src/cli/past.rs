//! What earlier operations took, as what is expected of the next ones; kept up to date while a run goes on.

use std::collections::BTreeMap;

use crate::cloud::Action;
use crate::journal::{Store, StoreError, Took};
use crate::report::{Expectation, Expected};
use crate::run::Experience;

/// How many durations of each action are read from earlier runs.
const HISTORY: u32 = 200;

/// Experience, and what it leads to expect.
#[derive(Debug, Default)]
pub(super) struct Past {
    experience: Experience,
    counts: BTreeMap<(Action, String), usize>,
    expected: Expected,
}

impl Past {
    /// What the journal knows of runs on the real cloud, or on simulated ones.
    pub(super) async fn read(store: &dyn Store, simulated: bool) -> Result<Self, StoreError> {
        Ok(Self::new(&store.history(simulated, HISTORY).await?))
    }

    /// The newest come first.
    fn new(history: &[Took]) -> Self {
        let mut past = Self { experience: Experience::new(history), ..Self::default() };
        for took in history {
            *past.counts.entry((took.action, took.family.clone())).or_default() += 1;
        }
        let kinds: Vec<_> = past.counts.keys().cloned().collect();
        for (action, family) in kinds {
            past.expect(action, &family);
        }
        past
    }

    /// An operation has ended.
    pub(super) fn add(&mut self, took: &Took) {
        self.experience.add(took);
        *self.counts.entry((took.action, took.family.clone())).or_default() += 1;
        self.expect(took.action, &took.family);
    }

    /// What is expected by now.
    pub(super) fn expected(&self) -> &Expected {
        &self.expected
    }

    fn expect(&mut self, action: Action, family: &str) {
        let of = self.counts.get(&(action, family.to_owned())).copied().unwrap_or_default();
        if let Some(span) = self.experience.span(action, family) {
            self.expected.set(action, family, Expectation { early: span.early, late: span.late, of });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn nothing_is_expected_before_three_of_a_kind_have_ended() {
        let took = |seconds| Took {
            action: Action::Stop,
            family: "S5".to_owned(),
            took: Duration::from_secs(seconds),
        };
        let mut past = Past::new(&[took(10), took(12)]);
        assert_eq!(past.expected().of(Action::Stop, "S5"), None);
        past.add(&took(20));
        let known = past.expected().of(Action::Stop, "S5").unwrap();
        assert!(known.early < Duration::from_secs(10) && known.late > Duration::from_secs(20), "{known:?}");
        assert_eq!(known.of, 3);
        assert_eq!(past.expected().of(Action::Stop, "S6"), None);
    }
}
