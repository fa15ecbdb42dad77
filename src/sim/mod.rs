//! A simulated cloud that answers the vendor's API.
//!
//! Level 2: it imports the clock, the boundary's words, and of the client only the wire and the signature.
//! [`World`] is pure: no I/O, no clock, no hidden randomness; a call brings it forward to the call's time and is answered
//! as the vendor answers. It is used twice, by the same bytes-in, bytes-out path that checks signatures and plays the
//! fault script: [`InProcess`] carries the requests of the real client without a socket, also under paused time, and
//! [`server`] answers over HTTP. What the vendor leaves open (does a resize power the instance on, how late does an
//! operation show) is a setting of the [`Fleet`], so that clients meet every answer.
//!
//! Not here: anything that knows what Pitstop does with the answers.

mod account;
mod api;
mod call;
mod catalogue;
mod chance;
mod fault;
mod fleet;
mod front;
mod in_process;
mod instances;
mod log;
mod machine;
mod mutations;
mod operate;
mod parameters;
mod policy;
mod record;
mod rules;
pub mod server;
mod surroundings;
mod timings;
mod world;

pub use fault::{Fault, What};
pub use fleet::{
    Credential, DEMO_REGION, DEMO_SECRET_ID, DEMO_SECRET_KEY, EventSpec, Fleet, FleetError, ForeignAct,
    Guest, InstanceSpec, KeySpec, LoadBalancerSpec, Offer, OperationSpec, RepairSpec, ScalingGroupSpec,
    StockWord, TimerSpec,
};
pub use in_process::InProcess;
pub use log::{Actor, Effect, Happening, LogEntry};
pub use policy::Policy;
pub use record::{Recorder, Recording};
pub use timings::{ResizeBoots, Spread, Timings};
pub use world::World;

#[cfg(test)]
mod tests;
