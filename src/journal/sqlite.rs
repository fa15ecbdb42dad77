//! The default store: one SQLite file in write-ahead mode, synced at every transaction.
//!
//! Times are integers (milliseconds since 1970) and records are JSON text, so that another SQL store can share the
//! schema. A record's body is what `--output json` prints.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Row, SqlSafeStr, Sqlite as Db, Transaction};

use super::event::{Record, RunId};
use super::store::{Claim, Place, RunSummary, Store, StoreError, Took};
use crate::cloud::{Action, InstanceId};

/// Journals in a SQLite file.
pub struct Sqlite {
    pool: SqlitePool,
}

fn migrations() -> Migrator {
    Migrator::with_migrations(vec![Migration::new(
        1,
        "the first schema".into(),
        MigrationType::Simple,
        include_str!("migrations/1.sql").into_sql_str(),
        false,
    )])
}

impl Sqlite {
    /// Opens the file, makes it if it is not there, and brings its schema up to date.
    /// It is proven writable here, so that a full or read-only disk is found before anything is stopped.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let cant = |why: String| StoreError::Open { at: path.display().to_string(), why };
        keep_private(path).map_err(|error| cant(error.to_string()))?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(10));
        let pool = SqlitePoolOptions::new()
            .max_connections(4)
            .connect_with(options)
            .await
            .map_err(|error| cant(error.to_string()))?;
        migrations().run(&pool).await.map_err(|error| cant(error.to_string()))?;
        let store = Self { pool };
        store.prove_writable().await.map_err(|error| cant(error.to_string()))?;
        Ok(store)
    }

    async fn prove_writable(&self) -> Result<(), sqlx::Error> {
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("INSERT INTO durations VALUES (1, 'probe', '', 0, 0)").execute(&mut *tx).await?;
        sqlx::query("DELETE FROM durations WHERE action = 'probe'").execute(&mut *tx).await?;
        tx.commit().await
    }

    async fn claimed(&self, claim: Claim) -> Result<Transaction<'static, Db>, StoreError> {
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(write)?;
        let epoch: Option<i64> = sqlx::query_scalar("SELECT epoch FROM runs WHERE id = $1")
            .bind(claim.run.to_string())
            .fetch_optional(&mut *tx)
            .await
            .map_err(write)?;
        match epoch {
            None => Err(StoreError::NoRun(claim.run)),
            Some(epoch) if epoch == claim.epoch => Ok(tx),
            Some(_) => Err(StoreError::Taken(claim.run)),
        }
    }
}

/// Makes the file, if it is not there, for its owner only: journals name machines and people. SQLite gives the files
/// beside it the same permissions. One that is there keeps those that it was given.
fn keep_private(path: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
fn write(error: sqlx::Error) -> StoreError {
    StoreError::Write(error.to_string())
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
fn read(error: sqlx::Error) -> StoreError {
    StoreError::Read(error.to_string())
}

fn damaged(error: impl std::fmt::Display) -> StoreError {
    StoreError::Damaged(error.to_string())
}

fn time(millis: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(millis).map_err(damaged)
}

/// A value's JSON form as text; for the enums of one word, the word in quotes.
fn json<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Write(error.to_string()))
}

async fn insert(tx: &mut Transaction<'static, Db>, records: &[Record]) -> Result<(), StoreError> {
    for record in records {
        sqlx::query("INSERT INTO records (run, seq, at_ms, instance, body) VALUES ($1, $2, $3, $4, $5)")
            .bind(record.run.to_string())
            .bind(i64::try_from(record.seq).map_err(damaged)?)
            .bind(record.at.as_millisecond())
            .bind(record.instance.as_ref().map(InstanceId::as_str))
            .bind(json(record)?)
            .execute(&mut **tx)
            .await
            .map_err(write)?;
    }
    Ok(())
}

/// Holds the instances for the run, unless another one does.
async fn hold(
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
        .map_err(write)?;
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
        .map_err(read)?;
        return Err(StoreError::Held {
            instance: instance.clone(),
            run: run_id(row.get(0))?,
            since: time(row.get(1))?,
        });
    }
    Ok(())
}

fn run_id(text: &str) -> Result<RunId, StoreError> {
    RunId::parse(text).ok_or_else(|| StoreError::Damaged(format!("`{text}` is not a run's id")))
}

#[async_trait]
impl Store for Sqlite {
    async fn begin(
        &self,
        run: &RunSummary,
        instances: &[InstanceId],
        first: &[Record],
    ) -> Result<Claim, StoreError> {
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(write)?;
        sqlx::query(
            "INSERT INTO runs (id, workflow, region, began_ms, place, simulated, epoch) VALUES ($1, $2, $3, $4, $5, $6, 1)",
        )
        .bind(run.id.to_string())
        .bind(&run.workflow)
        .bind(&run.region)
        .bind(run.began.as_millisecond())
        .bind(json(&run.place)?)
        .bind(i64::from(run.place.is_simulated()))
        .execute(&mut *tx)
        .await
        .map_err(write)?;
        if let Some(scope) = run.place.scope(&run.region) {
            hold(&mut tx, &scope, instances, run.id).await?;
        }
        insert(&mut tx, first).await?;
        tx.commit().await.map_err(write)?;
        Ok(Claim { run: run.id, epoch: 1 })
    }

    async fn take(&self, run: RunId) -> Result<Claim, StoreError> {
        let epoch: Option<i64> =
            sqlx::query_scalar("UPDATE runs SET epoch = epoch + 1 WHERE id = $1 RETURNING epoch")
                .bind(run.to_string())
                .fetch_optional(&self.pool)
                .await
                .map_err(write)?;
        epoch.map(|epoch| Claim { run, epoch }).ok_or(StoreError::NoRun(run))
    }

    async fn append(&self, claim: Claim, records: &[Record], took: &[Took]) -> Result<(), StoreError> {
        let mut tx = self.claimed(claim).await?;
        insert(&mut tx, records).await?;
        let at = records.last().map_or(0, |record| record.at.as_millisecond());
        for took in took {
            sqlx::query(
                "INSERT INTO durations (simulated, action, family, took_ms, at_ms) \
                 SELECT simulated, $2, $3, $4, $5 FROM runs WHERE id = $1",
            )
            .bind(claim.run.to_string())
            .bind(json(&took.action)?)
            .bind(&took.family)
            .bind(i64::try_from(took.took.as_millis()).map_err(damaged)?)
            .bind(at)
            .execute(&mut *tx)
            .await
            .map_err(write)?;
        }
        tx.commit().await.map_err(write)
    }

    async fn finish(&self, claim: Claim, at: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.claimed(claim).await?;
        sqlx::query("UPDATE runs SET ended_ms = $2 WHERE id = $1")
            .bind(claim.run.to_string())
            .bind(at.as_millisecond())
            .execute(&mut *tx)
            .await
            .map_err(write)?;
        sqlx::query("DELETE FROM holds WHERE run = $1")
            .bind(claim.run.to_string())
            .execute(&mut *tx)
            .await
            .map_err(write)?;
        tx.commit().await.map_err(write)
    }

    async fn load(&self, run: RunId) -> Result<Vec<Record>, StoreError> {
        let bodies: Vec<String> = sqlx::query_scalar("SELECT body FROM records WHERE run = $1 ORDER BY seq")
            .bind(run.to_string())
            .fetch_all(&self.pool)
            .await
            .map_err(read)?;
        if bodies.is_empty() {
            return Err(StoreError::NoRun(run));
        }
        bodies.iter().map(|body| serde_json::from_str(body).map_err(damaged)).collect()
    }

    async fn runs(&self) -> Result<Vec<RunSummary>, StoreError> {
        let rows =
            sqlx::query("SELECT id, workflow, region, began_ms, ended_ms, place FROM runs ORDER BY began_ms DESC, id DESC")
                .fetch_all(&self.pool)
                .await
                .map_err(read)?;
        rows.iter()
            .map(|row| {
                let place: &str = row.get(5);
                Ok(RunSummary {
                    id: run_id(row.get(0))?,
                    workflow: row.get(1),
                    region: row.get(2),
                    began: time(row.get(3))?,
                    ended: row.get::<Option<i64>, _>(4).map(time).transpose()?,
                    place: serde_json::from_str::<Place>(place).map_err(damaged)?,
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
            .map_err(read)?;
            for row in rows {
                let took = Duration::from_millis(u64::try_from(row.get::<i64, _>(1)).map_err(damaged)?);
                found.push(Took { action, family: row.get(0), took });
            }
        }
        Ok(found)
    }
}
