//! The only I/O of the language: the workflow's file, and the public keys that it names.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::diagnostic::Diagnostics;
use super::document::Document;
use super::model::Workflow;
use super::source::LARGEST;

/// Why a workflow could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file could not be read.
    #[error("can't read the workflow `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not a workflow that can be run.
    #[error(transparent)]
    NotValid(#[from] Diagnostics),
}

impl LoadError {
    /// What to do about it; complaints about the text carry their own help.
    pub fn hint(&self) -> Option<&'static str> {
        let Self::Read { source, .. } = self else { return None };
        match source.kind() {
            io::ErrorKind::NotFound => Some("is the name right? `-` reads the workflow from standard input"),
            io::ErrorKind::PermissionDenied => Some("you may not read it; `ls -l` shows who may"),
            io::ErrorKind::IsADirectory => Some("this is a folder; name a file in it"),
            _ => None,
        }
    }
}

/// Reads a workflow's file; `-` is standard input.
pub fn read(path: &Path) -> Result<Document, LoadError> {
    let bytes = read_workflow(path)?;
    Ok(Document::parse(&name(path), &bytes)?)
}

/// Reads a workflow's file, fills these values in and checks everything, all complaints at once.
pub fn load(path: &Path, values: &BTreeMap<String, String>) -> Result<Workflow, LoadError> {
    let bytes = read_workflow(path)?;
    let workflow = Document::check(&name(path), &bytes, values, &beside(path))?;
    Ok(workflow.beside(&absolute_folder(path)?))
}

/// [`Document::resolve`] for a document from the file at `path`: files that it names are beside it.
pub fn resolve(
    path: &Path,
    document: &Document,
    values: &BTreeMap<String, String>,
) -> Result<Workflow, LoadError> {
    let workflow = document.resolve(values, &beside(path))?;
    Ok(workflow.beside(&absolute_folder(path)?))
}

/// Reads the files that the workflow at `path` names: relative to its folder, or for standard input to the
/// current one.
pub fn beside(path: &Path) -> impl Fn(&Path) -> io::Result<Vec<u8>> + use<> {
    let folder = folder(path);
    move |file| bounded(File::open(folder.join(file))?)
}

/// The folder that a workflow's paths are relative to.
fn folder(path: &Path) -> PathBuf {
    if is_stdin(path) { PathBuf::new() } else { path.parent().unwrap_or(Path::new("")).to_owned() }
}

fn absolute_folder(path: &Path) -> Result<PathBuf, LoadError> {
    // An empty path has no absolute form.
    let folder = Path::new(".").join(folder(path));
    std::path::absolute(folder).map_err(|source| LoadError::Read { path: path.to_owned(), source })
}

fn read_workflow(path: &Path) -> Result<Vec<u8>, LoadError> {
    let bytes = if is_stdin(path) { bounded(io::stdin().lock()) } else { File::open(path).and_then(bounded) };
    bytes.map_err(|source| LoadError::Read { path: path.to_owned(), source })
}

/// One byte more than the largest file is enough to see that it is too large.
fn bounded(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(LARGEST as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

fn name(path: &Path) -> String {
    if is_stdin(path) { "<stdin>".to_owned() } else { path.display().to_string() }
}
