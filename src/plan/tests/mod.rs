//! Tests of the plan by what they prove.

mod after;
mod prefer;
mod properties;
mod reads;
mod refusals;
mod steps;
mod warnings;
