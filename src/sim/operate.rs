//! How an accepted operation goes on: its steps and when they happen.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;

use super::chance::Purpose;
use super::fault::What;
use super::fleet::StockWord;
use super::log::Actor;
use super::machine::{Job, Size, Step};
use super::rules::Mutation;
use super::timings::ResizeBoots;
use super::world::World;
use crate::cloud::{ChargeType, KeyId, PowerState, StopMode, StoppedCharging};

/// A call that was accepted for one instance.
#[derive(Clone, Debug)]
pub(crate) enum Order {
    Stop { mode: StopMode, give_back: bool },
    Start,
    Reboot,
    Resize(Size),
    Password { user: String, password: SecretString },
    Associate(Vec<KeyId>),
    Disassociate(Vec<KeyId>),
}

impl Order {
    pub(crate) fn soft_stop() -> Self {
        Self::Stop { mode: StopMode::Soft, give_back: false }
    }

    pub(crate) fn mutation(&self) -> Mutation {
        match self {
            Self::Stop { .. } => Mutation::Stop,
            Self::Start => Mutation::Start,
            Self::Reboot => Mutation::Reboot,
            Self::Resize(_) => Mutation::Resize,
            Self::Password { .. } => Mutation::Password,
            Self::Associate(_) => Mutation::Associate,
            Self::Disassociate(_) => Mutation::Disassociate,
        }
    }
}

/// The steps of an operation as they are put together.
struct Course {
    at: Timestamp,
    steps: VecDeque<(Timestamp, Step)>,
}

impl Course {
    fn now(&mut self, step: Step) {
        self.steps.push_back((self.at, step));
    }

    fn after(&mut self, pause: Duration, step: Step) {
        self.at += pause;
        self.now(step);
    }
}

impl World {
    /// Begins the operation. The caller has made sure that the vendor would accept it.
    pub(crate) fn operate(
        &mut self,
        index: usize,
        at: Timestamp,
        request: &str,
        by: Actor,
        order: Order,
        mishaps: &[What],
    ) {
        let mutation = order.mutation();
        let which = [index as u64, mutation as u64, self.machines[index].count(mutation)];
        let mut course = Course { at, steps: VecDeque::new() };
        let failed = mishaps.iter().find_map(|what| match what {
            What::Fail(message) => Some(message.clone()),
            _ => None,
        });
        let hangs = mishaps.contains(&What::Hang) || self.machines[index].spec.guest.stubborn;
        match order {
            Order::Stop { mode, give_back } => {
                self.stop(&mut course, index, &which, mode, give_back, hangs, failed);
            }
            Order::Start => self.start(&mut course, index, &which, failed),
            Order::Reboot => {
                course.now(Step::Power(PowerState::Rebooting));
                match failed {
                    None => {
                        let effects = vec![Step::Power(PowerState::Running)];
                        self.settle(&mut course, &which, mutation, None, effects);
                    }
                    Some(message) => {
                        course.after(self.takes(&which, mutation), Step::Power(PowerState::Running));
                        course.now(Step::End(Err(message)));
                    }
                }
            }
            Order::Resize(size) => self.resize(&mut course, index, &which, size, failed),
            Order::Password { user, password } => {
                self.offline(&mut course, index, &which, mutation, failed, Step::Password { user, password });
            }
            Order::Associate(keys) => {
                self.offline(&mut course, index, &which, mutation, failed, Step::Keys(keys));
            }
            Order::Disassociate(keys) => {
                let bound = &self.machines[index].face.keys;
                let left = bound.iter().filter(|key| !keys.contains(key)).cloned().collect();
                self.offline(&mut course, index, &which, mutation, failed, Step::Keys(left));
            }
        }
        let lag = self.draw(Purpose::Lag, &which, self.fleet.timings.lag);
        let visible = (at + lag).min(course.at);
        self.machines[index].count_up(mutation);
        let job = Job {
            action: mutation.name().into(),
            request: request.to_owned(),
            by,
            steps: course.steps,
            visible,
        };
        self.launch(index, at, job);
    }

    /// How long an operation takes.
    fn takes(&self, which: &[u64; 3], mutation: Mutation) -> Duration {
        let timings = &self.fleet.timings;
        let spread = match mutation {
            Mutation::Stop => timings.stop,
            Mutation::Start => timings.start,
            Mutation::Reboot => timings.reboot,
            Mutation::Resize => timings.resize,
            Mutation::Password => timings.password,
            Mutation::Associate | Mutation::Disassociate => timings.keys,
        };
        let mut which = which.to_vec();
        which.push(mutation as u64);
        self.draw(Purpose::Duration, &which, spread)
    }

    /// The effects, then a short while in which they show and the operation still runs, then its end.
    fn settle(
        &self,
        course: &mut Course,
        which: &[u64; 3],
        mutation: Mutation,
        failed: Option<String>,
        effects: Vec<Step>,
    ) {
        let total = self.takes(which, mutation);
        let settling = self.draw(Purpose::Settling, which, self.fleet.timings.settling).min(total / 2);
        course.at += total.saturating_sub(settling);
        let outcome = match failed {
            None => {
                for effect in effects {
                    course.now(effect);
                }
                Ok(())
            }
            Some(message) => Err(message),
        };
        course.after(settling, Step::End(outcome));
    }

    #[expect(clippy::too_many_arguments, reason = "a stop depends on all of them")]
    fn stop(
        &self,
        course: &mut Course,
        index: usize,
        which: &[u64; 3],
        mode: StopMode,
        give_back: bool,
        hangs: bool,
        failed: Option<String>,
    ) {
        course.now(Step::Power(PowerState::Stopping));
        let patience = self.draw(Purpose::Duration, which, self.fleet.timings.patience);
        let gives_up = hangs && mode == StopMode::Soft;
        if gives_up || failed.is_some() {
            let pause = if gives_up { patience } else { self.takes(which, Mutation::Stop) };
            let message = failed.unwrap_or_else(|| "The instance did not shut down in time.".to_owned());
            course.after(pause, Step::Power(PowerState::Running));
            return course.now(Step::End(Err(message)));
        }
        if hangs && mode == StopMode::SoftFirst {
            course.at += patience;
        }
        let spec = &self.machines[index].spec;
        let returnable = spec.charge_type == ChargeType::PostpaidByHour
            && !spec.system_disk.starts_with("LOCAL_")
            && !spec.data_disks.iter().any(|kind| kind.starts_with("LOCAL_"));
        let mut effects = vec![Step::Power(PowerState::Stopped)];
        if give_back && returnable {
            effects.push(Step::Charging(StoppedCharging::StopCharging));
        }
        self.settle(course, which, Mutation::Stop, None, effects);
    }

    fn start(&self, course: &mut Course, index: usize, which: &[u64; 3], failed: Option<String>) {
        let machine = &self.machines[index];
        let name = &machine.face.size.name;
        let dead = machine.spec.guest.dead_on.contains(name);
        let given_back = machine.face.stopped_charging == StoppedCharging::StopCharging;
        let sold_out = given_back && self.stock.get(name) == Some(&StockWord::None);
        let failed = failed
            .or_else(|| dead.then(|| "The instance failed to start.".to_owned()))
            .or_else(|| sold_out.then(|| "The specified instance type is sold out.".to_owned()));
        course.now(Step::Power(PowerState::Starting));
        let Some(message) = failed else {
            let effects = vec![Step::Power(PowerState::Running)];
            return self.settle(course, which, Mutation::Start, None, effects);
        };
        course.after(self.takes(which, Mutation::Start), Step::Power(PowerState::Stopped));
        if given_back {
            course.now(Step::Charging(StoppedCharging::StopCharging));
        }
        course.now(Step::End(Err(message)));
    }

    fn resize(
        &self,
        course: &mut Course,
        index: usize,
        which: &[u64; 3],
        size: Size,
        failed: Option<String>,
    ) {
        let machine = &self.machines[index];
        let dead = machine.spec.guest.dead_on.contains(&size.name);
        let boots = match self.fleet.resize_boots {
            ResizeBoots::Always => true,
            ResizeBoots::Never => false,
            ResizeBoots::Random => self.chance.happens(Purpose::ResizeBoots, which, 0.5),
        };
        let forced = machine.face.power == PowerState::Running;
        if forced || failed.is_some() || !boots || dead {
            return self.offline(course, index, which, Mutation::Resize, failed, Step::Resize(size));
        }
        course.after(self.takes(which, Mutation::Resize), Step::Resize(size));
        course.now(Step::Power(PowerState::Starting));
        self.settle(course, which, Mutation::Start, None, vec![Step::Power(PowerState::Running)]);
    }

    /// A change of a stopped instance; a running one (`ForceStop`) goes down and up again around it.
    fn offline(
        &self,
        course: &mut Course,
        index: usize,
        which: &[u64; 3],
        mutation: Mutation,
        failed: Option<String>,
        effect: Step,
    ) {
        if self.machines[index].face.power != PowerState::Running {
            return self.settle(course, which, mutation, failed, vec![effect]);
        }
        course.now(Step::Power(PowerState::Stopping));
        course.after(self.takes(which, Mutation::Stop), Step::Power(PowerState::Stopped));
        let outcome = match failed {
            None => {
                course.after(self.takes(which, mutation), effect);
                Ok(())
            }
            Some(message) => Err(message),
        };
        course.now(Step::Power(PowerState::Starting));
        course.after(self.takes(which, Mutation::Start), Step::Power(PowerState::Running));
        course.now(Step::End(outcome));
    }
}
