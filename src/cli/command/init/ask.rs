//! Questions to the person at the terminal. Ctrl-C ends each of them, and nothing has been written by then.

use std::io;

use dialoguer::console::Term;
use dialoguer::{Confirm, Input, MultiSelect, Select};

use crate::cli::exit::{Error, Kind};
use crate::cli::keyboard::Keyboard;
use crate::cli::signals::Signals;

/// How many lines of a list are shown at a time.
const PAGE: usize = 15;

/// The person at the terminal.
pub(super) struct Person {
    signals: Signals,
    /// Puts the terminal back, also when a question is given up.
    _keyboard: Option<Keyboard>,
}

impl Person {
    pub(super) fn at_the_terminal() -> Result<Self, Error> {
        Ok(Self { signals: Signals::install()?, _keyboard: Keyboard::without_control_characters() })
    }

    /// A line of text that `judge` lets pass.
    pub(super) async fn text(
        &mut self,
        question: &str,
        default: Option<String>,
        judge: impl Fn(&str) -> Result<(), String> + Send + 'static,
    ) -> Result<String, Error> {
        let question = question.to_owned();
        self.ask(move |term| {
            let mut input = Input::<String>::new()
                .with_prompt(question)
                .allow_empty(true)
                .validate_with(move |text: &String| judge(text.trim()));
            if let Some(default) = default {
                input = input.default(default);
            }
            input.interact_text_on(term).map(|text| text.trim().to_owned())
        })
        .await
    }

    /// One of a list.
    pub(super) async fn one(&mut self, question: &str, items: Vec<String>) -> Result<usize, Error> {
        let question = question.to_owned();
        self.ask(move |term| {
            Select::new().with_prompt(question).items(items).default(0).max_length(PAGE).interact_on(term)
        })
        .await
    }

    /// Some of a list, one at least. `names` are what the items are called once they are chosen.
    pub(super) async fn some(
        &mut self,
        question: &str,
        items: &[String],
        names: &[String],
    ) -> Result<Vec<usize>, Error> {
        let mut prompt = format!("{question} (space marks, a marks all, return goes on)");
        loop {
            let (items, asked) = (items.to_vec(), prompt);
            let chosen = self
                .ask(move |term| {
                    MultiSelect::new()
                        .with_prompt(asked)
                        .items(items)
                        .max_length(PAGE)
                        .report(false)
                        .interact_on(term)
                })
                .await?;
            if !chosen.is_empty() {
                let names: Vec<_> = chosen.iter().map(|at| names[*at].as_str()).collect();
                Term::stderr().write_line(&format!("{question}: {}", names.join(", ")))?;
                return Ok(chosen);
            }
            prompt = format!("{question} (mark one at least, with space; return goes on)");
        }
    }

    pub(super) async fn yes(&mut self, question: &str, default: bool) -> Result<bool, Error> {
        let question = question.to_owned();
        self.ask(move |term| {
            Confirm::new().with_prompt(question).default(default).wait_for_newline(true).interact_on(term)
        })
        .await
    }

    /// Asks on a thread of its own, so that signals are still heard.
    async fn ask<T: Send + 'static>(
        &mut self,
        question: impl FnOnce(&Term) -> dialoguer::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let asked = tokio::task::spawn_blocking(move || question(&Term::stderr()));
        let answer = tokio::select! {
            answer = asked => answer,
            _ = self.signals.next() => return Err(given_up()),
        };
        match answer {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(dialoguer::Error::IO(error))) if error.kind() == io::ErrorKind::Interrupted => {
                Err(given_up())
            }
            Ok(Err(error)) => {
                Err(Error::new(Kind::NotApproved, format!("can't ask at this terminal: {error}")))
            }
            Err(panic) => Err(Error::new(Kind::Bug, panic.to_string())),
        }
    }
}

fn given_up() -> Error {
    // The prompt hides the cursor, and leaves it so when it is interrupted. There is nowhere to complain.
    let _ = Term::stderr().show_cursor();
    Error::new(Kind::NotApproved, "interrupted; nothing was written")
}
