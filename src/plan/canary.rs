//! Which instances go first: a few that stand for all, chosen by what they are and not by chance.

use std::collections::BTreeMap;

use super::{InstancePlan, Plan};

/// What makes instances alike as far as a change may go wrong with them: family, zone and operating system.
type Class<'a> = (&'a str, &'a str, &'a str);

fn class(own: &InstancePlan) -> Option<Class<'_>> {
    let found = own.found.as_ref()?;
    Some((found.instance_type.family(), &found.zone, &found.os))
}

impl Plan {
    /// Marks as many canaries as the workflow wants: the first instance of each class, the largest class first, then
    /// the second of each, and so on. Instances that are not touched prove nothing and are never chosen.
    pub(super) fn choose_canaries(&mut self) {
        let mut classes: BTreeMap<Class<'_>, Vec<usize>> = BTreeMap::new();
        for (at, own) in self.instances.iter().enumerate() {
            if let Some(class) = class(own).filter(|_| own.refusals.is_empty() && !own.is_unchanged()) {
                classes.entry(class).or_default().push(at);
            }
        }
        let touched = classes.values().map(Vec::len).sum();
        let wanted = self.rollout.canary.map_or(0, |share| share.of(touched));
        let mut largest_first: Vec<Vec<usize>> = classes.into_values().collect();
        largest_first.sort_by_key(|members| std::cmp::Reverse(members.len()));
        let rounds = largest_first.first().map_or(0, Vec::len);
        let in_turn =
            (0..rounds).flat_map(|round| largest_first.iter().filter_map(move |members| members.get(round)));
        let chosen: Vec<usize> = in_turn.copied().take(wanted).collect();
        for own in &mut self.instances {
            own.canary = false;
        }
        for at in chosen {
            self.instances[at].canary = true;
        }
    }
}
