//! A run as one HTML page that needs nothing but itself: no network, no script, no other file.
//!
//! The template and the style are beside this file; minijinja escapes every text that goes in, and the page's own
//! policy forbids a browser to load or run anything. What the page says is decided here and in the
//! [`Dossier`](super::dossier::Dossier), as plain data; the template only lays it out.
//!
//! # Many instances
//!
//! Up to [`ONE_TABLE`] instances make one table of time, the urgent ones first. With more, the urgent ones have a table
//! of their own, and the others follow in folded groups of [`GROUP`], in the order of their turns. Every group has an
//! axis of its own: fifty instances of a long run are seen as well as all of a short one.

mod instance;
mod overview;
mod planned;
mod scale;
mod view;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment};

use super::dossier::{Dossier, Viewpoint};
use super::story::StoryError;
use crate::journal::Record;

/// So many instances make one table.
const ONE_TABLE: usize = 60;
/// So many instances make a group, where there are more.
const GROUP: usize = 50;

/// Of so many instances all is printed, not only of those that went wrong.
const PRINTED_WHOLE: usize = 10;

/// The run as a page.
pub fn html(records: &[Record], view: Viewpoint) -> Result<String, StoryError> {
    let dossier = Dossier::open(records, view)?;
    Ok(render(&dossier))
}

/// Fills the template in.
fn render(dossier: &Dossier) -> String {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    if let Ok(syntax) = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
        environment.set_syntax(syntax);
    }
    let page = Serde(view::page(dossier));
    // The template is part of the program, and a test fills in all of it.
    environment
        .render_str(include_str!("page.html.jinja"), page)
        .map_or_else(|error| format!("a bug in pitstop: {error:#}\n"), |page| page + "\n")
}

#[cfg(test)]
mod tests;
