//! A look at the journal's file that changes nothing in it.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::SqlitePoolOptions;

use super::open::{SCHEMAS, options};
use super::{Sqlite, in_words};
use crate::journal::store::StoreError;

/// What a look at a journal's file shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examination {
    /// The version of its schema.
    pub schema: i64,
    /// The version of the schema that this program writes.
    pub newest: i64,
    /// How long the file is, with what is not yet merged into it.
    pub bytes: u64,
    /// It could be written now; otherwise why not.
    pub writable: Result<(), String>,
}

/// How long to wait for another process that writes just now.
const BUSY: Duration = Duration::from_secs(2);

impl Sqlite {
    /// Looks at the journal in this file; `None` if there is none. It is neither made nor brought up to date.
    pub async fn examine(path: &Path) -> Result<Option<Examination>, StoreError> {
        let Some(store) = Self::open_to_read(path).await? else { return Ok(None) };
        let schema: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations")
            .fetch_one(&store.pool)
            .await
            .map_err(|error| store.read(error))?;
        store.pool.close().await;
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let length = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
        Ok(Some(Examination {
            schema,
            newest: i64::try_from(SCHEMAS.len()).unwrap_or(i64::MAX),
            bytes: length(path) + length(Path::new(&log)),
            writable: try_to_write(path).await.map_err(|error| in_words(&error)),
        }))
    }
}

/// Begins a change, and takes it back.
async fn try_to_write(path: &Path) -> Result<(), sqlx::Error> {
    let options = options(path).create_if_missing(false).busy_timeout(BUSY);
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
    let tried = async {
        let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("CREATE TABLE examined (one INTEGER)").execute(&mut *tx).await?;
        tx.rollback().await
    };
    let tried = tried.await;
    pool.close().await;
    tried
}
