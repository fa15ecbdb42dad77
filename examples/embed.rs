//! The library inside another program: plan a workflow and run it, here on the simulated cloud.
//!
//! `cargo run --example embed`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::{collections::BTreeMap, error::Error, path::Path, sync::Arc, time::Duration};

use pitstop::clock::Clock;
use pitstop::journal::{Journal, Memory, Order, Place};
use pitstop::plan::{self, Approval};
use pitstop::report::{Expected, Look, Rows, plan_table};
use pitstop::run::{Conclusion, Operator, Pace, Parts, Probe, Secrets, drive};
use pitstop::sim::{DEMO_SECRET_ID, DEMO_SECRET_KEY, Fleet, InProcess, World};
use pitstop::tencent::{Client, Settings, credentials::Credential};
use pitstop::workflow;

/// This program runs no checks of its own after the start, and has nobody to ask.
struct Alone;

#[async_trait::async_trait]
impl Probe for Alone {
    async fn tcp(&self, _host: &str, _port: u16, _limit: Duration) -> Result<(), String> {
        Ok(())
    }
}

#[async_trait::async_trait]
impl Operator for Alone {
    async fn secret(&self, what: &str) -> Result<secrecy::SecretString, String> {
        Err(format!("nobody can be asked for the {what}"))
    }
}

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let clock = Clock::system();
    let workflow = workflow::file::load(Path::new("workflows/resize.yaml"), &BTreeMap::new())?;

    // For the real cloud: `tencent::http::Http` as the transport, `tencent::credentials::find` for the credentials.
    let world = World::new(Fleet::demo(), 1, clock.now()).speed(100.0);
    let transport = Arc::new(InProcess::new(world, clock.clone()));
    let credential = Credential {
        secret_id: DEMO_SECRET_ID.to_owned(),
        secret_key: DEMO_SECRET_KEY.into(),
        token: None,
        expires: None,
        source: "the demo fleet".to_owned(),
    };
    let settings = Settings::of_region(&workflow.region);
    let cloud = Arc::new(Client::new(settings, transport, Arc::new(credential), clock.clone())?);

    let inventory = plan::survey(&workflow, cloud.as_ref()).await?;
    let plan = plan::build(&workflow, &inventory, "embedded".to_owned())?;
    println!("{}", plan_table(&plan, &Expected::default(), Rows::Brief, Look::plain(100)));
    let approved = plan.approve(Approval::Program).map_err(|_| "the plan is refused")?;

    let (store, by) = (Arc::new(Memory::default()), "examples/embed.rs".to_owned());
    let journal =
        Journal::begin(store, clock.clone(), approved, Place::InProcess, by, rand::random()).await?;
    let pace = Pace::default().scaled(100.0);
    let parts = Parts { cloud, probe: Arc::new(Alone), operator: Arc::new(Alone), clock, pace };
    // An order sent here ends the run early; records of all that happens arrive at the other end of the feed.
    let (_orders, ordered) = tokio::sync::watch::channel(Order::CarryOn);
    let (feed, mut records) = tokio::sync::mpsc::unbounded_channel();
    let outcome = drive(journal, parts, Secrets::default(), ordered, feed).await?;
    while let Ok(record) = records.try_recv() {
        println!("{} {:?} {}", record.at, record.instance, record.event.name());
    }
    match outcome.conclusion() {
        Conclusion::Well => Ok(()),
        worse => Err(format!("the run ended with {worse:?}").into()),
    }
}
