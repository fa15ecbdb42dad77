//! The default store: one SQLite file in write-ahead mode, synced at every transaction.
//!
//! Times are integers (milliseconds since 1970) and records are JSON text, so that another SQL store can share the
//! schema. A record's body is what `--output json` prints.

mod decoding;
mod examine;
mod open;

pub use examine::Examination;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use sqlx::sqlite::SqlitePool;
use sqlx::{Row, Sqlite as Db, Transaction};

use self::decoding::Decoding;
use super::event::{Record, RunId};
use super::lifeline::Lifeline;
use super::store::{Claim, Lease, Place, RunSummary, Store, StoreError, Took};
use super::writer::FORMAT;
use crate::cloud::{Action, InstanceId};

/// Journals in a SQLite file.
pub struct Sqlite {
    pool: SqlitePool,
    path: PathBuf,
    /// A newer version of this program has changed its schema.
    newer: bool,
    /// What shows other processes that this one lives, per run that it holds.
    held: Mutex<BTreeMap<RunId, Lifeline>>,
}

/// SQLite's primary result code.
fn code(error: &sqlx::Error) -> Option<i32> {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code)?;
    code.parse::<i32>().ok().map(|code| code & 0xff)
}

/// What is in the file is not what was written to it (`SQLITE_CORRUPT`, `SQLITE_NOTADB`).
fn is_damage(error: &sqlx::Error) -> bool {
    matches!(code(error), Some(11 | 26))
}

/// What SQLite says, and for `SQLITE_BUSY` what that means: nobody keeps it so long who does not hang.
fn in_words(error: &sqlx::Error) -> String {
    match code(error) {
        Some(5) => "another process, perhaps one that hangs, keeps it locked".to_owned(),
        _ => error.to_string(),
    }
}

/// A value's JSON form as text; for the enums of one word, the word in quotes.
fn json<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Write(error.to_string()))
}

impl Sqlite {
    fn at(&self) -> String {
        self.path.display().to_string()
    }

    #[expect(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
    fn write(&self, error: sqlx::Error) -> StoreError {
        let words = format!("{}: {}", self.at(), in_words(&error));
        if is_damage(&error) { StoreError::Damaged(words) } else { StoreError::Write(words) }
    }

    #[expect(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
    fn read(&self, error: sqlx::Error) -> StoreError {
        let words = format!("{}: {}", self.at(), in_words(&error));
        if is_damage(&error) { StoreError::Damaged(words) } else { StoreError::Read(words) }
    }

    fn damaged(&self, what: impl std::fmt::Display) -> StoreError {
        StoreError::Damaged(format!("{}: {what}", self.at()))
    }

    fn time(&self, millis: i64) -> Result<Timestamp, StoreError> {
        Timestamp::from_millisecond(millis).map_err(|error| self.damaged(error))
    }

    fn run_id(&self, text: &str) -> Result<RunId, StoreError> {
        RunId::parse(text).ok_or_else(|| self.damaged(format!("`{text}` is not a run's id")))
    }

    fn lifelines(&self) -> MutexGuard<'_, BTreeMap<RunId, Lifeline>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn let_go(&self, run: RunId) {
        if let Some(lifeline) = self.lifelines().remove(&run) {
            lifeline.let_go();
        }
    }

    fn lifeline(&self, run: RunId, epoch: i64) -> Result<Lifeline, StoreError> {
        Lifeline::hold(&self.path, run, epoch)
            .map_err(|error| StoreError::Write(format!("{}: no lock beside it: {error}", self.at())))
    }

    async fn change(&self) -> Result<Transaction<'static, Db>, StoreError> {
        self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(|error| self.write(error))
    }

    async fn commit(&self, tx: Transaction<'static, Db>) -> Result<(), StoreError> {
        tx.commit().await.map_err(|error| self.write(error))
    }

    async fn commit_holding(
        &self,
        tx: Transaction<'static, Db>,
        run: RunId,
        lifeline: Lifeline,
    ) -> Result<(), StoreError> {
        match self.commit(tx).await {
            Ok(()) => {
                self.lifelines().insert(run, lifeline);
                Ok(())
            }
            Err(error) => {
                lifeline.let_go();
                Err(error)
            }
        }
    }

    /// A transaction of whoever has the run.
    async fn claimed(&self, claim: Claim) -> Result<Transaction<'static, Db>, StoreError> {
        let mut tx = self.change().await?;
        let epoch: Option<i64> = sqlx::query_scalar("SELECT epoch FROM runs WHERE id = $1")
            .bind(claim.run.to_string())
            .fetch_optional(&mut *tx)
            .await
            .map_err(|error| self.write(error))?;
        match epoch {
            None => Err(StoreError::NoRun(claim.run)),
            Some(epoch) if epoch == claim.epoch => Ok(tx),
            Some(_) => Err(StoreError::Taken(claim.run)),
        }
    }

    async fn insert(&self, tx: &mut Transaction<'static, Db>, records: &[Record]) -> Result<(), StoreError> {
        for record in records {
            sqlx::query("INSERT INTO records (run, seq, at_ms, instance, body) VALUES ($1, $2, $3, $4, $5)")
                .bind(record.run.to_string())
                .bind(i64::try_from(record.seq).map_err(|error| self.damaged(error))?)
                .bind(record.at.as_millisecond())
                .bind(record.instance.as_ref().map(InstanceId::as_str))
                .bind(json(record)?)
                .execute(&mut **tx)
                .await
                .map_err(|error| self.write(error))?;
        }
        Ok(())
    }

    /// An earlier try to append the same records was durable, whatever was answered to it. As they are written all or
    /// none, the first of them speaks for all.
    async fn stands_already(
        &self,
        tx: &mut Transaction<'static, Db>,
        records: &[Record],
    ) -> Result<bool, StoreError> {
        let Some(first) = records.first() else { return Ok(false) };
        let body: Option<String> = sqlx::query_scalar("SELECT body FROM records WHERE run = $1 AND seq = $2")
            .bind(first.run.to_string())
            .bind(i64::try_from(first.seq).map_err(|error| self.damaged(error))?)
            .fetch_optional(&mut **tx)
            .await
            .map_err(|error| self.write(error))?;
        match body {
            None => Ok(false),
            Some(body) if body == json(first)? => Ok(true),
            Some(_) => {
                Err(self.damaged(format!("another record {} of the run {} is there", first.seq, first.run)))
            }
        }
    }

    /// Holds the instances for the run, unless another one does.
    async fn hold(
        &self,
        tx: &mut Transaction<'static, Db>,
        scope: &str,
        instances: &[InstanceId],
        run: RunId,
    ) -> Result<(), StoreError> {
        for instance in instances {
            let taken = sqlx::query(
                "INSERT INTO holds (scope, instance, run) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            )
            .bind(scope)
            .bind(instance.as_str())
            .bind(run.to_string())
            .execute(&mut **tx)
            .await
            .map_err(|error| self.write(error))?;
            if taken.rows_affected() == 1 {
                continue;
            }
            let row = sqlx::query(
                "SELECT runs.id, runs.began_ms FROM holds JOIN runs ON runs.id = holds.run \
                 WHERE holds.scope = $1 AND holds.instance = $2",
            )
            .bind(scope)
            .bind(instance.as_str())
            .fetch_one(&mut **tx)
            .await
            .map_err(|error| self.read(error))?;
            return Err(StoreError::Held {
                instance: instance.clone(),
                run: self.run_id(row.get(0))?,
                since: self.time(row.get(1))?,
            });
        }
        Ok(())
    }

    /// Records that are not understood may be from the future.
    async fn is_from_the_future(&self, run: RunId) -> Result<bool, StoreError> {
        let first: Option<String> =
            sqlx::query_scalar("SELECT body FROM records WHERE run = $1 ORDER BY seq LIMIT 1")
                .bind(run.to_string())
                .fetch_optional(&self.pool)
                .await
                .map_err(|error| self.read(error))?;
        let first = first.and_then(|first| serde_json::from_str::<serde_json::Value>(&first).ok());
        let format = first.and_then(|first| first.get("version")?.as_u64());
        Ok(self.newer || format.is_some_and(|format| format > u64::from(FORMAT)))
    }

    /// Who has the run, by the last that was written of it.
    async fn lease(
        &self,
        from: &mut sqlx::SqliteConnection,
        run: RunId,
    ) -> Result<Option<(i64, Option<i64>, Lease)>, StoreError> {
        let row = sqlx::query("SELECT epoch, ended_ms, held_by, lease_until_ms FROM runs WHERE id = $1")
            .bind(run.to_string())
            .fetch_optional(from)
            .await
            .map_err(|error| self.read(error))?;
        let Some(row) = row else { return Ok(None) };
        let lease = Lease { by: row.get(2), until: self.time(row.get(3))? };
        Ok(Some((row.get(0), row.get(1), lease)))
    }

    fn is_held(&self, run: RunId, epoch: i64, lease: &Lease, now: Timestamp) -> bool {
        lease.until > now && !Lifeline::is_cut(&self.path, run, epoch)
    }
}

#[async_trait]
impl Store for Sqlite {
    async fn begin(
        &self,
        run: &RunSummary,
        instances: &[InstanceId],
        first: &[Record],
        lease: &Lease,
    ) -> Result<Claim, StoreError> {
        let mut tx = self.change().await?;
        sqlx::query(
            "INSERT INTO runs (id, workflow, region, began_ms, place, simulated, epoch, held_by, lease_until_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $8)",
        )
        .bind(run.id.to_string())
        .bind(&run.workflow)
        .bind(&run.region)
        .bind(run.began.as_millisecond())
        .bind(json(&run.place)?)
        .bind(i64::from(run.place.is_simulated()))
        .bind(&lease.by)
        .bind(lease.until.as_millisecond())
        .execute(&mut *tx)
        .await
        .map_err(|error| self.write(error))?;
        if let Some(scope) = run.place.scope(&run.region) {
            self.hold(&mut tx, &scope, instances, run.id).await?;
        }
        self.insert(&mut tx, first).await?;
        let lifeline = self.lifeline(run.id, 1)?;
        self.commit_holding(tx, run.id, lifeline).await?;
        Ok(Claim { run: run.id, epoch: 1 })
    }

    async fn take(&self, run: RunId, lease: &Lease, now: Timestamp) -> Result<Claim, StoreError> {
        let mut tx = self.change().await?;
        let Some((before, ended, holder)) = self.lease(&mut tx, run).await? else {
            return Err(StoreError::NoRun(run));
        };
        if ended.is_some() {
            return Err(StoreError::Ended(run));
        }
        if self.is_held(run, before, &holder, now) {
            return Err(StoreError::Busy { run, lease: holder });
        }
        let epoch = before + 1;
        let lifeline = self.lifeline(run, epoch)?;
        sqlx::query("UPDATE runs SET epoch = $2, held_by = $3, lease_until_ms = $4 WHERE id = $1")
            .bind(run.to_string())
            .bind(epoch)
            .bind(&lease.by)
            .bind(lease.until.as_millisecond())
            .execute(&mut *tx)
            .await
            .map_err(|error| self.write(error))?;
        self.commit_holding(tx, run, lifeline).await?;
        Lifeline::clear(&self.path, run, before);
        Ok(Claim { run, epoch })
    }

    async fn renew(&self, claim: Claim, until: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.claimed(claim).await?;
        sqlx::query("UPDATE runs SET lease_until_ms = $2 WHERE id = $1")
            .bind(claim.run.to_string())
            .bind(until.as_millisecond())
            .execute(&mut *tx)
            .await
            .map_err(|error| self.write(error))?;
        self.commit(tx).await
    }

    async fn release(&self, claim: Claim) -> Result<(), StoreError> {
        self.renew(claim, Timestamp::UNIX_EPOCH).await?;
        self.let_go(claim.run);
        Ok(())
    }

    async fn holder(&self, run: RunId, now: Timestamp) -> Result<Option<Lease>, StoreError> {
        let mut connection = self.pool.acquire().await.map_err(|error| self.read(error))?;
        let Some((epoch, _, lease)) = self.lease(&mut connection, run).await? else {
            return Err(StoreError::NoRun(run));
        };
        Ok(self.is_held(run, epoch, &lease, now).then_some(lease))
    }

    async fn held(
        &self,
        scope: &str,
        instances: &[InstanceId],
    ) -> Result<Option<(InstanceId, RunId)>, StoreError> {
        for instance in instances {
            let run: Option<String> =
                sqlx::query_scalar("SELECT run FROM holds WHERE scope = $1 AND instance = $2")
                    .bind(scope)
                    .bind(instance.as_str())
                    .fetch_optional(&self.pool)
                    .await
                    .map_err(|error| self.read(error))?;
            if let Some(run) = run {
                return Ok(Some((instance.clone(), self.run_id(&run)?)));
            }
        }
        Ok(None)
    }

    async fn append(&self, claim: Claim, records: &[Record], took: &[Took]) -> Result<(), StoreError> {
        let mut tx = self.claimed(claim).await?;
        if self.stands_already(&mut tx, records).await? {
            return Ok(());
        }
        self.insert(&mut tx, records).await?;
        let at = records.last().map_or(0, |record| record.at.as_millisecond());
        for took in took {
            sqlx::query(
                "INSERT INTO durations (simulated, action, family, took_ms, at_ms) \
                 SELECT simulated, $2, $3, $4, $5 FROM runs WHERE id = $1",
            )
            .bind(claim.run.to_string())
            .bind(json(&took.action)?)
            .bind(&took.family)
            .bind(i64::try_from(took.took.as_millis()).map_err(|error| self.damaged(error))?)
            .bind(at)
            .execute(&mut *tx)
            .await
            .map_err(|error| self.write(error))?;
        }
        self.commit(tx).await
    }

    async fn finish(&self, claim: Claim, at: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.claimed(claim).await?;
        sqlx::query("UPDATE runs SET ended_ms = $2, lease_until_ms = 0 WHERE id = $1")
            .bind(claim.run.to_string())
            .bind(at.as_millisecond())
            .execute(&mut *tx)
            .await
            .map_err(|error| self.write(error))?;
        sqlx::query("DELETE FROM holds WHERE run = $1")
            .bind(claim.run.to_string())
            .execute(&mut *tx)
            .await
            .map_err(|error| self.write(error))?;
        self.commit(tx).await?;
        self.let_go(claim.run);
        Ok(())
    }

    async fn load(&self, run: RunId) -> Result<Vec<Record>, StoreError> {
        // Row by row: a large fleet has tens of megabytes of text, which need not be held beside what it says.
        let run_text = run.to_string();
        let mut rows = sqlx::query_as("SELECT seq, body FROM records WHERE run = $1 ORDER BY seq")
            .bind(&run_text)
            .fetch(&self.pool);
        let mut decoding = Decoding::of(run);
        let mut taken = Ok(());
        while let (Ok(()), Some(row)) = (&taken, rows.try_next().await.map_err(|error| self.read(error))?) {
            taken = decoding.push(row).await;
        }
        drop(rows);
        let records = match taken {
            Ok(()) => decoding.finish().await,
            Err(what) => Err(what),
        };
        let records = match records {
            Ok(records) => records,
            Err(_) if self.is_from_the_future(run).await? => {
                return Err(StoreError::Newer(format!("the run {run}")));
            }
            Err(what) => return Err(self.damaged(what)),
        };
        if !records.is_empty() {
            return Ok(records);
        }
        let known: Option<i64> = sqlx::query_scalar("SELECT epoch FROM runs WHERE id = $1")
            .bind(run_text)
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| self.read(error))?;
        Err(match known {
            Some(_) => self.damaged(format!("all records of the run {run} are missing")),
            None => StoreError::NoRun(run),
        })
    }

    async fn runs(&self) -> Result<Vec<RunSummary>, StoreError> {
        let rows =
            sqlx::query("SELECT id, workflow, region, began_ms, ended_ms, place FROM runs ORDER BY began_ms DESC, id DESC")
                .fetch_all(&self.pool)
                .await
                .map_err(|error| self.read(error))?;
        rows.iter()
            .map(|row| {
                let place: &str = row.get(5);
                Ok(RunSummary {
                    id: self.run_id(row.get(0))?,
                    workflow: row.get(1),
                    region: row.get(2),
                    began: self.time(row.get(3))?,
                    ended: row.get::<Option<i64>, _>(4).map(|ended| self.time(ended)).transpose()?,
                    place: serde_json::from_str::<Place>(place).map_err(|error| self.damaged(error))?,
                })
            })
            .collect()
    }

    async fn history(&self, simulated: bool, each: u32) -> Result<Vec<Took>, StoreError> {
        let mut found = Vec::new();
        for action in Action::ALL {
            let rows = sqlx::query(
                "SELECT family, took_ms FROM durations WHERE simulated = $1 AND action = $2 ORDER BY at_ms DESC LIMIT $3",
            )
            .bind(i64::from(simulated))
            .bind(json(&action)?)
            .bind(i64::from(each))
            .fetch_all(&self.pool)
            .await
            .map_err(|error| self.read(error))?;
            for row in rows {
                let took = Duration::from_millis(
                    u64::try_from(row.get::<i64, _>(1)).map_err(|error| self.damaged(error))?,
                );
                found.push(Took { action, family: row.get(0), took });
            }
        }
        Ok(found)
    }
}
