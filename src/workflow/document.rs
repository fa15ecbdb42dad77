//! A workflow file from its bytes to the checked [`Workflow`].

use std::collections::BTreeMap;

use super::diagnostic::{Diagnostic, Diagnostics, Span};
use super::model::Workflow;
use super::params::{self, Param, Values};
use super::reader::{Files, Reader};
use super::tree::{self, Node};
use super::{secret, sections, source};

/// A workflow file in which everything is right that can be judged without values for its parameters
/// and without the files that it names.
#[derive(Clone, Debug)]
pub struct Document {
    syntax: Syntax,
}

/// A file that is YAML of the kind a workflow is written in, with its parameters.
#[derive(Clone)]
struct Syntax {
    name: String,
    text: String,
    root: Node,
    params: Vec<Param>,
    secrets: Vec<Span>,
    /// What is wrong with `params`; it does not hide what else is wrong.
    complaints: Vec<Diagnostic>,
}

impl std::fmt::Debug for Syntax {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Syntax")
            .field("name", &self.name)
            .field("params", &self.params)
            .finish_non_exhaustive()
    }
}

impl Document {
    /// Reads the file's bytes. `name` is the file's name in complaints.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, Diagnostics> {
        let syntax = Syntax::parse(name, bytes)?;
        let (_, complaints) = syntax.read(Values::unknown(&syntax.params), None);
        if complaints.is_empty() { Ok(Self { syntax }) } else { Err(syntax.diagnostics(complaints)) }
    }

    /// [`Self::parse`] and [`Self::resolve`] in one, so that the complaints of both come at once.
    pub fn check(
        name: &str,
        bytes: &[u8],
        values: &BTreeMap<String, String>,
        files: Files<'_>,
    ) -> Result<Workflow, Diagnostics> {
        Syntax::parse(name, bytes)?.resolve(values, files)
    }

    /// The values that it asks for, in the file's order.
    pub fn params(&self) -> &[Param] {
        &self.syntax.params
    }

    /// The parameters that neither `values` nor a default gives a value to.
    pub fn missing(&self, values: &BTreeMap<String, String>) -> Vec<&Param> {
        let has_none = |param: &&Param| param.default.is_none() && !values.contains_key(&param.name);
        self.syntax.params.iter().filter(has_none).collect()
    }

    /// The file's name in complaints.
    pub fn name(&self) -> &str {
        &self.syntax.name
    }

    /// The file's text, without a byte-order mark.
    pub fn text(&self) -> &str {
        &self.syntax.text
    }

    /// Fills the parameters in and checks everything. `files` reads a file that the workflow names, by its path
    /// as written.
    pub fn resolve(
        &self,
        values: &BTreeMap<String, String>,
        files: Files<'_>,
    ) -> Result<Workflow, Diagnostics> {
        self.syntax.resolve(values, files)
    }
}

impl Syntax {
    fn parse(name: &str, bytes: &[u8]) -> Result<Self, Diagnostics> {
        let text = source::text(bytes).map_err(|(text, complaint)| refused(name, &text, vec![complaint]))?;
        let root = tree::read(text).map_err(|complaints| refused(name, text, complaints))?;
        let secrets = secret::places(&root);
        sections::version(&root)
            .map_err(|complaint| Diagnostics::new(name, secret::starred(text, &secrets), vec![complaint]))?;
        let mut complaints = Vec::new();
        let params = sections::params(&root, &mut complaints);
        params::check_uses(&root, text, &params, &mut complaints);
        Ok(Self { name: name.to_owned(), text: text.to_owned(), root, params, secrets, complaints })
    }

    fn resolve(&self, values: &BTreeMap<String, String>, files: Files<'_>) -> Result<Workflow, Diagnostics> {
        match self.read(Values::new(&self.params, values), Some(files)) {
            (Some(workflow), complaints) if complaints.is_empty() => Ok(workflow),
            (_, complaints) => Err(self.diagnostics(complaints)),
        }
    }

    fn read(&self, values: Values<'_>, files: Option<Files<'_>>) -> (Option<Workflow>, Vec<Diagnostic>) {
        let mut complaints = self.complaints.clone();
        let place =
            self.root.entries().iter().find(|entry| entry.key == "params").map(|entry| &entry.key_span);
        values.check(place, &mut complaints);
        let mut reader = Reader::new(values, files, &self.secrets);
        let workflow = sections::workflow(&mut reader, &self.root);
        complaints.append(&mut reader.complaints);
        (workflow, complaints)
    }

    fn diagnostics(&self, complaints: Vec<Diagnostic>) -> Diagnostics {
        Diagnostics::new(&self.name, secret::starred(&self.text, &self.secrets), complaints)
    }
}

/// Refuses text that has no tree: what may be secret in it is found by the look of the lines.
fn refused(name: &str, text: &str, complaints: Vec<Diagnostic>) -> Diagnostics {
    Diagnostics::new(name, secret::starred(text, &secret::places_in_text(text)), complaints)
}
