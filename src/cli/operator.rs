//! The person at the terminal: asked for params, for secrets and for approval. Without a terminal nobody is asked,
//! and what is missing is an error that names the way to give it.

use std::collections::BTreeMap;
use std::io;

use async_trait::async_trait;
use dialoguer::console::Term;
use dialoguer::{Confirm, Input};
use secrecy::SecretString;
use zeroize::Zeroizing;

use super::exit::{Error, Kind};
use super::keyboard::Keyboard;
use super::signals::Signals;
use super::terminal::Terminal;
use crate::cloud::InstanceId;
use crate::report::{Language, carry_on_question, wrapped};
use crate::run::Operator;
use crate::workflow::{Document, Param};

/// The longest line that a terminal gives: room for it from the beginning leaves no copies behind.
const LONGEST_LINE: usize = 4096;

#[async_trait]
impl Operator for Terminal {
    async fn secret(&self, what: &str) -> Result<SecretString, String> {
        if !self.screen().interactive {
            return Err(format!(
                "there is no terminal to ask for a password at ({what}); take it from a variable, a file or a \
                 program: `password: {{ env: NEW_PASSWORD }}`"
            ));
        }
        let keyboard = Keyboard::hidden().map_err(|error| format!("can't ask at this terminal: {error}"))?;
        let asked = twice(what, self.language()).await.map_err(|error| error.message);
        drop(keyboard);
        asked
    }

    async fn carry_on(&self, canaries: &[InstanceId], others: usize) -> Option<bool> {
        if !self.screen().interactive {
            return None;
        }
        let mut signals = Signals::install().ok()?;
        let aside = self.step_aside();
        let (well, question) = carry_on_question(canaries, others, self.language());
        self.say(&wrapped(&well, self.stderr_look()));
        let answer = yes_or_no(question, &mut signals).await;
        drop(aside);
        match answer {
            Ok(answer) => Some(answer),
            // The signal ends the run, and with it this question.
            Err(error) if error.kind == Kind::NotApproved => std::future::pending().await,
            Err(_) => None,
        }
    }
}

/// Asks for a secret until it was typed the same twice.
async fn twice(what: &str, language: Language) -> Result<SecretString, Error> {
    let (what, again) = secret_prompts(what, language);
    loop {
        let first = hidden_line(what.clone()).await?;
        if first.is_empty() {
            continue;
        }
        let second = hidden_line(again.clone()).await?;
        if first == second {
            return Ok(SecretString::from(first.as_str()));
        }
        Term::stderr().write_line(language.pick("they differ, once more", "两次输入不一致，请重新输入"))?;
    }
}

/// The question for a secret, and the one that has it typed again.
fn secret_prompts(what: &str, language: Language) -> (String, String) {
    match (language, what.strip_prefix("New password for ")) {
        (Language::Chinese, Some(users)) => {
            let user = users.replace(" and ", "、");
            (format!("用户 {user} 的新密码"), format!("请再次输入用户 {user} 的新密码"))
        }
        _ => (what.to_owned(), format!("{what}, again")),
    }
}

/// One line from a keyboard that shows nothing. The thread that reads it outlives a wait that is given up, so it does
/// little else.
async fn hidden_line(what: String) -> Result<Zeroizing<String>, Error> {
    blocking(move || {
        let term = Term::stderr();
        term.write_str(&format!("{what}: "))?;
        let mut line = Zeroizing::new(String::with_capacity(LONGEST_LINE));
        let read = io::stdin().read_line(&mut line)?;
        // Neither was the end of the line shown.
        term.write_line("")?;
        if read == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        let end = line.trim_end_matches(['\r', '\n']).len();
        line.truncate(end);
        Ok(line)
    })
    .await
}

/// Asks for the params that have no value yet.
pub(super) async fn missing_values(
    terminal: &Terminal,
    document: &Document,
    mut values: BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Error> {
    let missing: Vec<Param> = document.missing(&values).into_iter().cloned().collect();
    if missing.is_empty() {
        return Ok(values);
    }
    if !terminal.screen().interactive {
        let names: Vec<_> = missing.iter().map(|param| format!("`{}`", param.name)).collect();
        let error = Error::new(
            Kind::InvalidWorkflow,
            format!("the workflow asks for {}, and there is no terminal to ask at", names.join(", ")),
        );
        let flags: Vec<_> = missing.iter().map(|param| format!("--set {}=VALUE", param.name)).collect();
        return Err(error.hint(format!("give it with {}", flags.join(" "))));
    }
    let mut asked = Prompt { _keyboard: Keyboard::as_it_is(), answered: false };
    for param in missing {
        let prompt = param_prompt(&param);
        let value =
            blocking(move || Input::<String>::new().with_prompt(prompt).interact_on(&Term::stderr())).await?;
        values.insert(param.name, value);
    }
    asked.answered = true;
    Ok(values)
}

fn param_prompt(param: &Param) -> String {
    match &param.description {
        Some(description) => format!("{description} ({})", param.name),
        None => param.name.clone(),
    }
}

/// Asks a question before anything is planned or begun.
pub(super) async fn confirm(question: &str) -> Result<bool, Error> {
    yes_or_no(question.to_owned(), &mut Signals::install()?).await
}

/// Return alone is no.
pub(super) async fn yes_or_no(question: String, signals: &mut Signals) -> Result<bool, Error> {
    ask(signals, move || {
        Confirm::new()
            .with_prompt(question)
            .default(false)
            .wait_for_newline(true)
            .interact_on(&Term::stderr())
    })
    .await
}

/// Asks on a thread of its own, so that signals are heard; one of them gives the question up. The terminal is left as
/// it was found.
pub(super) async fn ask<T: Send + 'static>(
    signals: &mut Signals,
    question: impl FnOnce() -> dialoguer::Result<T> + Send + 'static,
) -> Result<T, Error> {
    let mut prompt = Prompt { _keyboard: Keyboard::as_it_is(), answered: false };
    let answer = tokio::select! {
        answer = blocking(question) => answer,
        _ = signals.next() => Err(interrupted()),
    };
    prompt.answered = answer.is_ok();
    answer
}

/// A question on the screen. When it is given up, in whatever way, the terminal is as it was.
struct Prompt {
    _keyboard: Option<Keyboard>,
    answered: bool,
}

impl Drop for Prompt {
    fn drop(&mut self) {
        if !self.answered {
            // Prompts hide the cursor, and leave it so when they are interrupted; nor is their line ended.
            let term = Term::stderr();
            let _ = term.show_cursor().and_then(|()| term.write_line(""));
        }
    }
}

/// Does what comes before the approval, for as long as nobody ends it.
pub(super) async fn unless_interrupted<T>(
    signals: &mut Signals,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    tokio::select! {
        done = work => done,
        _ = signals.next() => Err(interrupted()),
    }
}

pub(super) fn interrupted() -> Error {
    Error::new(Kind::NotApproved, "interrupted before the plan was approved; nothing was stopped")
        .in_chinese("计划确认之前已中断；没有实例被关机")
}

/// Waits for a key on a thread of its own, so that signals are still heard.
async fn blocking<T: Send + 'static>(
    ask: impl FnOnce() -> dialoguer::Result<T> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(ask).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(dialoguer::Error::IO(error))) if error.kind() == io::ErrorKind::Interrupted => {
            Err(interrupted())
        }
        Ok(Err(error)) => Err(Error::new(Kind::NotApproved, format!("can't ask at this terminal: {error}"))),
        Err(panic) => Err(Error::new(Kind::Bug, panic.to_string())),
    }
}
