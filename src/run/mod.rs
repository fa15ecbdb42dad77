//! The engine: carries an approved plan out.
//!
//! Level 4. [`decide`](decide::decide) is pure and says what is next for one instance; the engine reads, batches,
//! journals and sends, and knows nothing of why. A run that went badly is an [`Outcome`]; an error means that it
//! could not be carried on. There is no second path for taking up a run: [`drive`] begins wherever the journal ends.

mod calls;
mod checks;
pub mod decide;
mod engine;
mod operator;
mod outcome;
mod pace;
mod queue;
mod rollout;
mod secrets;
mod typical;

pub use engine::{Parts, drive};
pub use operator::{Operator, Probe};
pub use outcome::{Cause, Conclusion, Outcome, RunError};
pub use pace::{Experience, Pace, Span};
pub use secrets::{SecretError, Secrets};
pub use typical::Typical;
