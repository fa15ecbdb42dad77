//! `pitstop sim`: a simulated cloud that speaks the vendor's protocol.

use crate::cli::args;
use crate::cli::exit::{Ending, Error};
use crate::cli::terminal::Terminal;

pub(in crate::cli) async fn sim(_terminal: &Terminal, _args: args::Sim) -> Result<Ending, Error> {
    todo!()
}
