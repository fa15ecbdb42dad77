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
    sources: Vec<Span>,
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
        let text = source::text(bytes).map_err(|(text, complaint)| refused(name, &text, vec![*complaint]))?;
        let root = tree::read(text).map_err(|complaints| refused(name, text, complaints))?;
        let (secrets, sources) = (secret::places(&root), secret::sources(&root));
        let mut complaints = Vec::new();
        sections::version(&root, &mut complaints)
            .map_err(|complaint| Diagnostics::new(name, secret::starred(text, &secrets), vec![*complaint]))?;
        let params = sections::params(&root, &mut complaints);
        params::check_uses(&root, text, &params, &mut complaints);
        Ok(Self { name: name.to_owned(), text: text.to_owned(), root, params, secrets, sources, complaints })
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
        let mut reader = Reader::new(values, files).keeping(&self.secrets, &self.sources);
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

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::Path;

    use super::super::{Code, Resize};
    use super::*;
    use crate::cloud::InstanceType;

    const WORKFLOW: &str = "version: 1
name: resize
params:
  type: { description: To what }
  many: { default: 3 }
target: { region: ap-guangzhou, instances: [ins-0web0001] }
changes: [{ resize: { type: \"${{ params.type }}\" } }]
rollout: { at-once: \"${{ params.many }}\" }
";

    fn no_files(_: &Path) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn values(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn asks_only_for_what_has_no_value() {
        let document = Document::parse("x.yaml", WORKFLOW.as_bytes()).unwrap();
        assert_eq!(
            document.params().iter().map(|param| param.name.as_str()).collect::<Vec<_>>(),
            ["type", "many"]
        );
        assert_eq!(document.params()[0].description.as_deref(), Some("To what"));
        let missing = |given: &[(&str, &str)]| -> Vec<String> {
            document.missing(&values(given)).iter().map(|param| param.name.clone()).collect()
        };
        assert_eq!(missing(&[]), ["type"]);
        assert_eq!(missing(&[("type", "S5.LARGE8")]), [""; 0]);
        let complaints = document.resolve(&values(&[]), &no_files).unwrap_err();
        assert_eq!(complaints.iter().map(|complaint| complaint.code).collect::<Vec<_>>(), [Code::Param]);
    }

    #[test]
    fn a_given_value_wins_over_the_default() {
        let document = Document::parse("x.yaml", WORKFLOW.as_bytes()).unwrap();
        let given = values(&[("type", "S5.LARGE8"), ("many", "7")]);
        let workflow = document.resolve(&given, &no_files).unwrap();
        assert_eq!(workflow.changes.resize, Some(Resize::Type(InstanceType::new("S5.LARGE8"))));
        assert_eq!(workflow.rollout.at_once, crate::workflow::Share::Number(7));
    }

    #[test]
    fn a_value_changes_no_structure() {
        let document = Document::parse("x.yaml", WORKFLOW.as_bytes()).unwrap();
        for value in ["S5.LARGE8\" } }, { reset-password: {} }]", "x\nstart: never", "${{ params.many }}"] {
            let complaints = document.resolve(&values(&[("type", value)]), &no_files).unwrap_err();
            let codes: Vec<Code> = complaints.iter().map(|complaint| complaint.code).collect();
            assert_eq!(codes, [Code::BadValue], "{value}");
        }
    }

    #[test]
    fn a_conflict_that_a_parameter_brings_is_found() {
        let text = format!("{WORKFLOW}stop: {{ charging: \"${{{{ params.many }}}}\" }}\n");
        let given = values(&[("type", "S5.LARGE8"), ("many", "stop")]);
        let complaints = Document::check("x.yaml", text.as_bytes(), &given, &no_files).unwrap_err();
        assert!(complaints.iter().any(|complaint| complaint.code == Code::Conflict), "{complaints}");
    }

    #[test]
    fn windows_line_ends_and_a_mark_change_nothing() {
        let other = format!("\u{FEFF}{}", WORKFLOW.replace('\n', "\r\n"));
        let given = values(&[("type", "S5.LARGE8")]);
        let read = |text: &str| Document::check("x.yaml", text.as_bytes(), &given, &no_files).unwrap();
        assert_eq!(read(&other), read(WORKFLOW));
    }
}
