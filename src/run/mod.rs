//! The engine: carries an approved plan out.
//!
//! Level 4. [`decide`](decide::decide) is pure and says what is next for one instance; the engine reads, batches,
//! journals and sends, and knows nothing of why. A run that went badly is an [`Outcome`]; an error means that it
//! could not be carried on.

mod operator;

pub use operator::{Operator, Probe};
