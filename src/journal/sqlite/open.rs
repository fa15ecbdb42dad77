//! Opening the file: for writing, with its schema brought up to date, or for reading as it is.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use sqlx::SqlSafeStr;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::{Sqlite, code, in_words, is_damage};
use crate::clock::{Clock, between};
use crate::journal::store::StoreError;

/// Every schema there ever was. What is released is never changed: journals of all versions are brought up to date.
pub(super) const SCHEMAS: [(&str, &str); 2] = [
    ("the first schema", include_str!("../migrations/1.sql")),
    ("who holds a run, and until when", include_str!("../migrations/2.sql")),
];

fn migrations() -> Migrator {
    let migration = |(version, (description, sql)): (i64, (&'static str, &'static str))| {
        let kind = MigrationType::Simple;
        Migration::new(version, description.into(), kind, sql.into_sql_str(), false)
    };
    Migrator::with_migrations((1..).zip(SCHEMAS).map(migration).collect())
}

/// How long another process is waited for that has the file locked.
const BUSY: Duration = Duration::from_secs(10);

pub(super) fn options(path: &Path) -> SqliteConnectOptions {
    // Two threads hand rows over to each other: a large fleet has many, and few at a time cost more than reading them.
    SqliteConnectOptions::new().filename(path).foreign_keys(true).busy_timeout(BUSY).row_buffer_size(1000)
}

/// Makes the file, if it is not there, for its owner only: journals name machines and people. SQLite gives the files
/// beside it the same permissions. One that is there keeps those that it was given.
///
/// It is closed before it gets its name: closing it later could drop locks that SQLite has on it in this process.
fn keep_private(path: &Path) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    let mut name = path.as_os_str().to_owned();
    name.push(format!("-{:016x}.new", rand::random::<u64>()));
    drop(OpenOptions::new().write(true).create_new(true).mode(0o600).open(&name)?);
    let linked = std::fs::hard_link(&name, path);
    std::fs::remove_file(&name)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

impl Sqlite {
    /// Opens the file, makes it if it is not there, and brings its schema up to date.
    /// It is proven writable here, so that a full or read-only disk is found before anything is stopped.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_with(path, |options| options).await
    }

    /// The same, with further options of the connection.
    pub(in crate::journal) async fn open_with(
        path: &Path,
        further: impl FnOnce(SqliteConnectOptions) -> SqliteConnectOptions,
    ) -> Result<Self, StoreError> {
        keep_private(path)
            .map_err(|error| StoreError::Open { at: path.display().to_string(), why: error.to_string() })?;
        let options = options(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full);
        let store = Self::connect(path, further(options)).await?;
        store.prepare().await?;
        Ok(store)
    }

    /// Opens the file for reading only, whatever the version of its schema; `None` if there is no journal.
    /// It may be on a disk that is full or can't be written.
    pub async fn open_to_read(path: &Path) -> Result<Option<Self>, StoreError> {
        if !path.exists() {
            return Ok(None);
        }
        let options = options(path).read_only(true);
        match Self::connect_to_read(path, options.clone()).await {
            // Without a place for its shared memory SQLite reads a file only if it is told that nobody writes it.
            Err(StoreError::Open { .. }) if !has_log(path) => {
                Self::connect_to_read(path, options.immutable(true)).await
            }
            opened => opened,
        }
    }

    async fn connect_to_read(path: &Path, options: SqliteConnectOptions) -> Result<Option<Self>, StoreError> {
        let mut store = Self::connect(path, options).await?;
        let tables: Vec<String> = sqlx::query_scalar("SELECT name FROM sqlite_master WHERE type = 'table'")
            .fetch_all(&store.pool)
            .await
            .map_err(|error| store.cant_open(error))?;
        if tables.is_empty() {
            return Ok(None);
        }
        if !tables.iter().any(|table| table == "_sqlx_migrations") {
            return Err(StoreError::Damaged(format!("{}: it is another program's database", store.at())));
        }
        let newest: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations")
            .fetch_one(&store.pool)
            .await
            .map_err(|error| store.cant_open(error))?;
        store.newer = newest > i64::try_from(SCHEMAS.len()).unwrap_or(i64::MAX);
        Ok((newest > 0).then_some(store))
    }

    async fn connect(path: &Path, options: SqliteConnectOptions) -> Result<Self, StoreError> {
        let pool = SqlitePoolOptions::new().max_connections(4).connect_lazy_with(options);
        let store = Self { pool, path: path.to_owned(), newer: false, held: std::sync::Mutex::default() };
        let clock = Clock::system();
        let began = clock.now();
        loop {
            match store.pool.acquire().await {
                Ok(_) => return Ok(store),
                // SQLite refuses at once, without its usual patience, if others switch the new file to write-ahead
                // mode at the same time.
                Err(error) if code(&error) == Some(5) && between(began, clock.now()) < BUSY => {
                    clock.sleep(Duration::from_millis(10)).await;
                }
                Err(error) => return Err(store.cant_open(error)),
            }
        }
    }

    /// One process at a time; those that come meanwhile wait, and find it done.
    async fn prepare(&self) -> Result<(), StoreError> {
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(|error| self.cant_open(error))?;
        migrations().run_direct(None, &mut *tx, false).await.map_err(|error| match error {
            MigrateError::VersionMissing(_) => StoreError::Newer(format!("the journal {}", self.at())),
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => self.cant_open(error),
            other => StoreError::Damaged(format!("{}: {other}", self.at())),
        })?;
        let proof = async {
            sqlx::query("INSERT INTO durations VALUES (1, 'probe', '', 0, 0)").execute(&mut *tx).await?;
            sqlx::query("DELETE FROM durations WHERE action = 'probe'").execute(&mut *tx).await?;
            tx.commit().await
        };
        proof.await.map_err(|error| self.cant_open(error))
    }

    #[expect(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
    fn cant_open(&self, error: sqlx::Error) -> StoreError {
        if is_damage(&error) {
            return StoreError::Damaged(format!("{}: {error}", self.at()));
        }
        StoreError::Open { at: self.at(), why: in_words(&error) }
    }
}

/// Something was written that is not yet in the file itself.
fn has_log(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    std::fs::metadata(log).is_ok_and(|log| log.len() > 0)
}
