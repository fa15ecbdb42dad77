//! What is under way, or may be: whether it has ended, and how.

use jiff::Timestamp;

use super::{Next, View, failed, in_words};
use crate::clock::between;
use crate::cloud::{Action, Instance, KeyId, Operation, OperationState, PowerState, RequestId};
use crate::journal::{Event, Failure, Intent};

impl View<'_> {
    /// An operation was accepted: wait for its end and its effect.
    pub(super) fn follow(
        &self,
        intent: &Intent,
        baseline: Option<&RequestId>,
        request: &RequestId,
        at: Timestamp,
    ) -> Next {
        let action = intent.action();
        let elapsed = between(at, self.now);
        let limit = self.pace.limit(action, self.plan.stop.timeout);
        let timed_out = || failed(Failure::TimedOut { action, limit, request: Some(request.clone()) });
        // Only what is seen at the deadline or after it says that the time is up.
        let wait = || match elapsed >= limit {
            true if self.seen_at() >= at + limit => timed_out(),
            true => Next::Look(self.now),
            false => self.look_in(self.interval(action, elapsed), at + limit),
        };
        let Some(instance) = (match self.observe(at, Timestamp::MIN) {
            Ok(instance) => instance,
            Err(next) => return next,
        }) else {
            return failed(Failure::Gone);
        };
        let effect = has_effect(intent, instance);
        let may_show = self.seen_at() >= at + self.pace.visibility;
        let achieved = || Next::Note(Event::Achieved { took: elapsed });
        match instance
            .latest_operation
            .as_ref()
            .and_then(|operation| Some((operation, operation.request.as_ref()?)))
        {
            Some((operation, seen)) if seen == request => match operation.state {
                OperationState::Operating => wait(),
                OperationState::Failed => {
                    let message = operation.message.clone();
                    failed(Failure::Operation { action, message, request: request.clone() })
                }
                OperationState::Success | OperationState::Other(_) if effect => achieved(),
                OperationState::Success | OperationState::Other(_)
                    if elapsed < limit.min(self.pace.visibility * 2) =>
                {
                    wait()
                }
                OperationState::Success | OperationState::Other(_) => {
                    let expected = expected(intent);
                    failed(Failure::NoEffect { action, expected, request: request.clone() })
                }
            },
            // The operation fields lag the acceptance by seconds: until they show ours, the effect is no proof.
            Some((_, seen)) if !may_show && self.is_past(seen, baseline) => wait(),
            None if !may_show => wait(),
            Some((operation, _)) if operation.state == OperationState::Operating => wait(),
            // The vendor documents the request's equality, but nobody has proved it: the action's name will do.
            Some((operation, seen))
                if !self.is_past(seen, baseline)
                    && operation.action == action.api_name()
                    && operation.state == OperationState::Success
                    && effect =>
            {
                achieved()
            }
            Some(_) | None if effect && action != Action::ResetPassword => achieved(),
            // As ours may still be to show, one that is unknown may be older: the answer before ours showed even less.
            Some((operation, seen)) if may_show && !self.is_past(seen, baseline) => {
                failed(Failure::Interference { what: in_words(operation) })
            }
            Some(_) | None => wait(),
        }
    }

    /// A call's outcome is unknown: find out from what is seen whether it was executed.
    pub(super) fn find_out(&self, intent: &Intent, baseline: Option<&RequestId>, at: Timestamp) -> Next {
        let elapsed = between(at, self.now);
        let Some(instance) = (match self.observe(at, Timestamp::MIN) {
            Ok(instance) => instance,
            Err(next) => return next,
        }) else {
            return failed(Failure::Gone);
        };
        if let Some(operation) = &instance.latest_operation
            && let Some(request) = &operation.request
            && operation.action == intent.action().api_name()
            && !self.is_past(request, baseline)
            && Some(request) != self.state.ledger.latest.as_ref()
        {
            return Next::Note(Event::Accepted { request: request.clone() });
        }
        if self.seen_at() < at + self.pace.visibility {
            let interval = self.interval(intent.action(), elapsed).min(self.pace.visibility / 10);
            return self.look_in(interval, (at + self.pace.visibility).max(self.now));
        }
        if instance.is_operating() || instance.power.is_passing() {
            return match self.patience_left() {
                Some(()) => self.look_in(self.pace.longest / 3, Timestamp::MAX),
                None => failed(Failure::TimedOut {
                    action: intent.action(),
                    limit: self.pace.recovery,
                    request: None,
                }),
            };
        }
        // No trace of the operation. If the wanted state is there, whoever brought it about, there is nothing to send.
        if intent.action() != Action::ResetPassword && has_effect(intent, instance) {
            return Next::Note(Event::Achieved { took: elapsed });
        }
        match self.hiding(instance, baseline) {
            Some(operation) if intent.action() != Action::Start => {
                failed(Failure::Interference { what: in_words(operation) })
            }
            _ => Next::Note(Event::NotExecuted),
        }
    }

    /// Somebody else's operation that is newer than the call whose trace is looked for: it may hide that trace.
    fn hiding<'b>(&self, instance: &'b Instance, baseline: Option<&RequestId>) -> Option<&'b Operation> {
        instance.latest_operation.as_ref().filter(|operation| {
            operation.request.as_ref().is_some_and(|request| {
                !self.is_past(request, baseline) && Some(request) != self.state.ledger.latest.as_ref()
            })
        })
    }
}

/// The instance is as the call should make it. A password can't be seen: its operation's success is all there is.
fn has_effect(intent: &Intent, instance: &Instance) -> bool {
    match intent {
        Intent::Stop { .. } => instance.power == PowerState::Stopped,
        Intent::Start => instance.power == PowerState::Running,
        Intent::Resize { to } => instance.instance_type == *to,
        Intent::LoadSshKeys { keys } => {
            let mut bound = instance.keys.clone();
            bound.sort();
            bound == *keys
        }
        Intent::ResetPassword { .. } => true,
    }
}

/// What should be seen.
fn expected(intent: &Intent) -> String {
    match intent {
        Intent::Stop { .. } => PowerState::Stopped.to_string(),
        Intent::Start => PowerState::Running.to_string(),
        Intent::Resize { to } => format!("the type {to}"),
        Intent::LoadSshKeys { keys } => {
            format!("the keys {}", keys.iter().map(KeyId::as_str).collect::<Vec<_>>().join(", "))
        }
        Intent::ResetPassword { .. } => "the end of the operation".to_owned(),
    }
}
