//! How the program ends: what a command came to, what kept it from that, and the exit code of both.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::process::ExitCode;

use crate::run::Conclusion;
use crate::workflow::Diagnostics;

/// The exit codes, as documented in the README.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// All well, also when there was nothing to do.
    Well = 0,
    /// A bug of ours.
    Bug = 1,
    /// The command line is not right.
    Usage = 2,
    /// The workflow is not valid.
    InvalidWorkflow = 3,
    /// The plan was refused or not approved.
    NotApproved = 4,
    /// The run could not begin: credentials, network, lock, disk.
    CouldNotBegin = 5,
    /// The run has finished, with failures.
    Failures = 6,
    /// The run was interrupted, and can be resumed.
    Interrupted = 7,
    /// An instance is not as it should be: a person is needed.
    NeedsPerson = 8,
}

impl Exit {
    /// All of them, in order.
    pub const ALL: [Self; 9] = [
        Self::Well,
        Self::Bug,
        Self::Usage,
        Self::InvalidWorkflow,
        Self::NotApproved,
        Self::CouldNotBegin,
        Self::Failures,
        Self::Interrupted,
        Self::NeedsPerson,
    ];

    /// The number.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// What it means.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Well => "all well, also when there was nothing to do",
            Self::Bug => "a bug in pitstop",
            Self::Usage => "the command line is not right",
            Self::InvalidWorkflow => "the workflow is not valid",
            Self::NotApproved => "the plan was refused or not approved; nothing was stopped",
            Self::CouldNotBegin => {
                "the run could not begin or be resumed (credentials, network, lock, disk); nothing was done"
            }
            Self::Failures => "the run has finished, with failures",
            Self::Interrupted => "the run was interrupted, and can be resumed",
            Self::NeedsPerson => "an instance is not as it should be: a person is needed",
        }
    }

    /// The table as `pitstop --help` prints it, at most 80 columns wide.
    pub fn table() -> String {
        let mut lines = Vec::new();
        for exit in Self::ALL {
            let mut line = format!("  {} ", exit.code());
            for word in exit.meaning().split(' ') {
                if line.len() + word.len() >= 80 {
                    lines.push(std::mem::replace(&mut line, "    ".to_owned()));
                }
                line.push(' ');
                line.push_str(word);
            }
            lines.push(line);
        }
        lines.join("\n")
    }
}

/// What a command came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// It did what it was asked.
    Well,
    /// Complaints about a workflow were printed.
    InvalidWorkflow,
    /// A plan was printed in which some instance is refused.
    Refused,
    /// What a run needs is not all there.
    Unfit,
    /// A run is over, or was ended early.
    Ran(Conclusion),
}

/// What kept a command from its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A bug of ours.
    Bug,
    /// The command line.
    Usage,
    /// The workflow.
    InvalidWorkflow,
    /// Nobody approved the plan.
    NotApproved,
    /// Something that a run needs is not there.
    CouldNotBegin,
    /// A run was under way, and could not be carried on.
    Interrupted,
    /// The same, and it left instances down.
    LeftDown,
    /// The reader of our output is gone.
    BrokenPipe,
}

/// An error for the person at the terminal: what happened, and what to do.
#[derive(Debug)]
pub(super) struct Error {
    pub(super) kind: Kind,
    pub(super) message: String,
    pub(super) hints: Vec<String>,
    /// The message for a person who is spoken to in Chinese, if it has one. Programs are always told in English.
    pub(super) chinese: Option<&'static str>,
    /// Complaints about a workflow.
    pub(super) complaints: Option<Box<Diagnostics>>,
}

impl Error {
    pub(super) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hints: Vec::new(), chinese: None, complaints: None }
    }

    /// A workflow that is not valid.
    pub(super) fn invalid(file: &str, complaints: Diagnostics) -> Self {
        let message = format!("{file} is not a valid workflow");
        let code = complaints.iter().next().map(|complaint| complaint.code.as_str());
        let hints = code.map(|code| format!("`pitstop explain {code}` says more about such a complaint"));
        Self {
            hints: hints.into_iter().collect(),
            complaints: Some(Box::new(complaints)),
            ..Self::new(Kind::InvalidWorkflow, message)
        }
    }

    /// From an error with its causes, which are joined by colons.
    pub(super) fn from_chain(kind: Kind, error: &(dyn StdError + 'static)) -> Self {
        let causes = std::iter::successors(Some(error), |error| (*error).source());
        let mut words: Vec<String> = Vec::new();
        for cause in causes {
            let text = cause.to_string();
            if !words.last().is_some_and(|last| last.ends_with(&text)) {
                words.push(text);
            }
        }
        Self::new(kind, words.join(": "))
    }

    /// The same in Chinese.
    pub(super) fn in_chinese(self, message: &'static str) -> Self {
        Self { chinese: Some(message), ..self }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Output that can't be written: a reader that is gone is no failure, anything else is.
impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::new(Kind::BrokenPipe, "the reader of the output is gone"),
            _ => Self::new(Kind::CouldNotBegin, format!("can't write the output: {error}")),
        }
    }
}

/// The one place where the exit code is chosen.
pub(super) fn exit_code(came_to: &Result<Ending, Error>) -> Exit {
    match came_to {
        Ok(Ending::Well | Ending::Ran(Conclusion::Well)) => Exit::Well,
        Ok(Ending::InvalidWorkflow) => Exit::InvalidWorkflow,
        Ok(Ending::Refused) => Exit::NotApproved,
        Ok(Ending::Unfit) => Exit::CouldNotBegin,
        Ok(Ending::Ran(Conclusion::Failures)) => Exit::Failures,
        Ok(Ending::Ran(Conclusion::Interrupted)) => Exit::Interrupted,
        Ok(Ending::Ran(Conclusion::PersonNeeded)) => Exit::NeedsPerson,
        Err(error) => match error.kind {
            Kind::Bug => Exit::Bug,
            Kind::Usage => Exit::Usage,
            Kind::InvalidWorkflow => Exit::InvalidWorkflow,
            Kind::NotApproved => Exit::NotApproved,
            Kind::CouldNotBegin => Exit::CouldNotBegin,
            Kind::Interrupted => Exit::Interrupted,
            Kind::LeftDown => Exit::NeedsPerson,
            Kind::BrokenPipe => Exit::Well,
        },
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
