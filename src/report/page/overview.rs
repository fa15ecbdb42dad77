//! How many instances were down at one time, over all of a long run: a picture above the folded groups.

use jiff::Timestamp;
use serde::Serialize;

use super::scale::Scale;
use crate::report::timeline::{Activity, Timeline};

/// The picture's width in steps; its height is [`HIGH`].
const STEPS: usize = 400;
/// The picture's height.
const HIGH: usize = 60;

/// The picture, in a frame of [`STEPS`] by [`HIGH`].
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Overview {
    /// The outline of the area.
    pub(super) path: String,
    /// The most that were down at one time.
    pub(super) most: usize,
}

/// Counts, for each step, the most instances that were down at one time in it.
pub(super) fn overview(timeline: &Timeline, scale: &Scale) -> Overview {
    let most_in = counts(timeline, scale);
    let most = most_in.iter().copied().max().unwrap_or_default();
    let mut path = vec![format!("M0 {HIGH}")];
    let mut before = 0;
    for (step, count) in most_in.into_iter().enumerate() {
        if count != before {
            path.push(format!("H{step}V{}", HIGH - count * HIGH / most.max(1)));
            before = count;
        }
    }
    path.push(format!("H{STEPS}V{HIGH}Z"));
    Overview { path: path.concat(), most }
}

fn counts(timeline: &Timeline, scale: &Scale) -> Vec<usize> {
    // At one moment, who goes is before who comes: the stretches of an instance follow each other.
    let mut turns: Vec<(Timestamp, bool)> = Vec::new();
    for stretch in timeline.tracks.iter().flat_map(|track| &track.stretches) {
        if stretch.activity != Activity::Checking && stretch.from < stretch.until {
            turns.extend([(stretch.from, true), (stretch.until, false)]);
        }
    }
    turns.sort_unstable();
    let mut most_in = vec![0; STEPS];
    let mut down = 0_usize;
    let mut turns = turns.into_iter().peekable();
    for (at, most) in most_in.iter_mut().enumerate() {
        *most = down;
        while let Some((_, comes)) = turns.next_if(|(moment, _)| step(scale.place(*moment)) <= at) {
            down = if comes { down + 1 } else { down.saturating_sub(1) };
            *most = (*most).max(down);
        }
    }
    most_in
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a percentage")]
#[expect(clippy::cast_precision_loss, reason = "a small constant")]
fn step(percent: f64) -> usize {
    ((percent / 100.0 * STEPS as f64) as usize).min(STEPS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::staged::{fleet, three};
    use crate::report::timeline::timeline;

    fn told(records: &[crate::journal::Record]) -> Overview {
        let (_, timeline) = timeline(records, None).unwrap();
        let scale = Scale::over(timeline.from, timeline.until, &timeline.gaps);
        overview(&timeline, &scale)
    }

    #[test]
    fn counts_who_is_down_at_one_time() {
        assert_eq!(told(&three().records).most, 3);
        let overview = told(&fleet(300).records);
        assert_eq!(overview.most, 5, "five at a time");
        assert!(overview.path.len() < 8000, "{}", overview.path.len());
    }
}
