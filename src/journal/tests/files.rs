//! The SQLite file: damaged, full, read-only, from another version, used by several at a time.

use std::path::Path;

use sqlx::sqlite::SqlitePool;

use super::*;

/// The file as another program sees it.
async fn raw(path: &Path) -> SqlitePool {
    SqlitePool::connect_with(sqlx::sqlite::SqliteConnectOptions::new().filename(path)).await.unwrap()
}

/// A file with one unfinished run, closed.
async fn one_run(path: &Path) -> RunSummary {
    let store: Arc<dyn Store> = Arc::new(Sqlite::open(path).await.unwrap());
    let mut journal = begin(&store, &["ins-1"], Place::Tencent, 1).await.unwrap();
    let intended = Event::Intended { intent: stop(), baseline: None };
    journal.append(vec![(Some("ins-1".into()), intended)]).await.unwrap();
    journal.release().await.unwrap();
    summary(&store, journal.run()).await
}

async fn reopened(path: &Path, run: &RunSummary) -> Result<Journal, StoreError> {
    let store = Arc::new(Sqlite::open(path).await?);
    Journal::reopen(store, Clock::simulated(at(100)), run, "another".into()).await
}

#[tokio::test]
async fn records_that_are_damaged_or_missing_keep_the_run_from_being_carried_on() {
    let cases = [
        ("UPDATE records SET body = substr(body, 1, 40) WHERE seq = 2", "record 2 of the run"),
        (
            "UPDATE records SET body = replace(body, 'intended', 'nonsense') WHERE seq = 2",
            "record 2 of the run",
        ),
        ("UPDATE records SET body = (SELECT body FROM records WHERE seq = 1) WHERE seq = 2", "another one's"),
        ("DELETE FROM records WHERE seq = 0", "record 0 of the run"),
        ("DELETE FROM records WHERE seq = 1", "record 1 of the run"),
        ("DELETE FROM records", "all records of the run"),
    ];
    for (harm, expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pitstop.db");
        let run = one_run(&path).await;
        let before: i64 = {
            let pool = raw(&path).await;
            sqlx::query(harm).execute(&pool).await.unwrap();
            let count = sqlx::query_scalar("SELECT COUNT(*) FROM records").fetch_one(&pool).await.unwrap();
            pool.close().await;
            count
        };
        let error = reopened(&path, &run).await.err().unwrap();
        assert!(matches!(error, StoreError::Damaged(_)), "{harm}: {error}");
        let words = error.to_string();
        assert!(words.contains(expected) && words.contains("pitstop.db"), "{harm}: {words}");
        let store = Sqlite::open(&path).await.unwrap();
        assert_eq!(store.holder(run.id, at(100)).await.unwrap(), None, "{harm}: nobody is kept waiting");
        assert_eq!(store.runs().await.unwrap().len(), 1, "{harm}: the list of runs is there");
        let after: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM records").fetch_one(&raw(&path).await).await.unwrap();
        assert_eq!(before, after, "{harm}: nothing is written to it");
    }
}

#[tokio::test]
async fn a_damaged_file_is_called_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pitstop.db");
    let run = one_run(&path).await;
    let pool = raw(&path).await;
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&pool).await.unwrap();
    pool.close().await;
    let mut bytes = std::fs::read(&path).unwrap();
    let page = 4096;
    bytes[page..].fill(0xA5);
    std::fs::write(&path, &bytes).unwrap();
    let error = reopened(&path, &run).await.err().unwrap();
    assert!(matches!(error, StoreError::Damaged(_)), "{error:?}");
    assert!(error.to_string().contains("pitstop.db"), "{error}");
    let reading = Sqlite::open_to_read(&path).await;
    assert!(matches!(reading, Err(StoreError::Damaged(_))), "{:?}", reading.err());
    std::fs::write(&path, "not a database at all, and long enough to be taken for one".repeat(20)).unwrap();
    let reading = Sqlite::open_to_read(&path).await;
    assert!(matches!(reading, Err(StoreError::Damaged(_))), "{:?}", reading.err());
}

#[tokio::test]
async fn a_full_disk_loses_nothing_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pitstop.db");
    let pages = 40;
    let small =
        async || Sqlite::open_with(&path, |options| options.pragma("max_page_count", pages.to_string()));
    let store: Arc<dyn Store> = Arc::new(small().await.await.unwrap());
    let mut journal = begin(&store, &["ins-1"], Place::Tencent, 1).await.unwrap();
    let run = journal.run();
    journal.release().await.unwrap();
    let claim = store.take(run, &Lease::new("me", at(1)), at(1)).await.unwrap();
    let mut written = store.load(run).await.unwrap().len();
    let next = |seq: usize| {
        let event = Event::Intended { intent: stop(), baseline: None };
        [Record { at: at(1), run, seq: seq as u64, instance: Some("ins-1".into()), event }]
    };
    let error = loop {
        assert!(written < 10_000, "the disk is never full");
        match store.append(claim, &next(written), &[]).await {
            Ok(()) => written += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StoreError::Write(_)), "{error:?}");
    assert!(error.to_string().contains("pitstop.db: ") && error.to_string().contains("full"), "{error}");
    store.append(claim, &next(written), &[]).await.expect_err("it is full still");
    assert_eq!(store.load(run).await.unwrap().len(), written, "all that was acknowledged is there");
    let reading = Sqlite::open_to_read(&path).await.unwrap().unwrap();
    assert_eq!(reading.load(run).await.unwrap().len(), written);
}

#[tokio::test]
async fn a_journal_that_another_program_keeps_locked_is_called_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pitstop.db");
    let impatient = Sqlite::open_with(&path, |options| options.busy_timeout(Duration::from_millis(20)));
    let store: Arc<dyn Store> = Arc::new(impatient.await.unwrap());
    let mut journal = begin(&store, &["ins-1"], Place::Tencent, 1).await.unwrap();
    let pool = raw(&path).await;
    let other = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let error = store.take(journal.run(), &Lease::new("me", at(1)), at(1)).await.unwrap_err();
    assert!(matches!(error, StoreError::Write(_)), "{error:?}");
    assert!(error.to_string().contains("perhaps one that hangs, keeps it locked"), "{error}");
    journal.renew().await.expect("the lease is not over yet");
    let clock = Clock::system();
    let let_go = async {
        clock.sleep(Duration::from_millis(300)).await;
        other.rollback().await.unwrap();
    };
    let (written, ()) = tokio::join!(journal.append(vec![(None, Event::RunEnded)]), let_go);
    written.expect("it is tried again until the lock is let go");
    assert_eq!(store.load(journal.run()).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_journal_can_be_looked_at_where_nothing_can_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pitstop.db");
    assert!(Sqlite::open_to_read(&path).await.unwrap().is_none(), "there is none yet");
    assert!(!path.exists(), "looking makes nothing");
    std::fs::write(&path, "").unwrap();
    assert!(Sqlite::open_to_read(&path).await.unwrap().is_none(), "it is empty yet");
    std::fs::remove_file(&path).unwrap();
    let run = one_run(&path).await;
    let reading = Sqlite::open_to_read(&path).await.unwrap().unwrap();
    assert_eq!(reading.runs().await.unwrap(), std::slice::from_ref(&run));
    assert_eq!(reading.load(run.id).await.unwrap().len(), 3);
    let error = reading.take(run.id, &Lease::new("me", at(100)), at(100)).await.unwrap_err();
    assert!(matches!(error, StoreError::Write(_)), "{error}");
}

#[tokio::test]
async fn a_place_that_allows_no_writing_is_named_by_a_writer_and_read_by_a_reader() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pitstop.db");
    let run = one_run(&path).await;
    let pool = raw(&path).await;
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&pool).await.unwrap();
    pool.close().await;
    // Permissions don't keep root from writing; a folder where SQLite wants its shared memory does.
    let memory = folder.path().join("pitstop.db-shm");
    std::fs::remove_file(&memory).unwrap_or_default();
    std::fs::create_dir(&memory).unwrap();
    let error = Sqlite::open(&path).await.err().unwrap();
    assert!(matches!(error, StoreError::Open { .. }), "{error:?}");
    assert!(error.to_string().contains("pitstop.db can't be opened: "), "{error}");
    let reading = Sqlite::open_to_read(&path).await.unwrap().unwrap();
    assert_eq!(reading.runs().await.unwrap(), std::slice::from_ref(&run));
    assert_eq!(reading.load(run.id).await.unwrap().len(), 3);
}

#[tokio::test]
async fn another_programs_database_is_not_taken_for_a_journal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("photos.db");
    let pool = SqlitePool::connect_with(
        sqlx::sqlite::SqliteConnectOptions::new().filename(&path).create_if_missing(true),
    )
    .await
    .unwrap();
    sqlx::query("CREATE TABLE runs (photo TEXT)").execute(&pool).await.unwrap();
    pool.close().await;
    let error = Sqlite::open_to_read(&path).await.err().unwrap();
    assert!(error.to_string().contains("another program's"), "{error}");
}

#[tokio::test]
async fn a_journal_of_a_newer_version_is_not_written_and_read_as_far_as_it_is_understood() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pitstop.db");
    let run = one_run(&path).await;
    let pool = raw(&path).await;
    sqlx::query("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (99, 'x', 1, x'00', 0)")
        .execute(&pool)
        .await
        .unwrap();
    let error = Sqlite::open(&path).await.err().unwrap();
    assert!(matches!(error, StoreError::Newer(_)), "{error:?}");
    assert!(
        error.to_string().contains("newer pitstop") && error.to_string().contains("pitstop.db"),
        "{error}"
    );
    let reading = Sqlite::open_to_read(&path).await.unwrap().unwrap();
    assert_eq!(reading.runs().await.unwrap().len(), 1);
    assert_eq!(reading.load(run.id).await.unwrap().len(), 3);
    sqlx::query("UPDATE records SET body = replace(body, 'intended', 'foreseen')")
        .execute(&pool)
        .await
        .unwrap();
    let error = reading.load(run.id).await.unwrap_err();
    assert!(matches!(error, StoreError::Newer(_)), "{error:?}");
}

#[tokio::test]
async fn a_run_of_a_newer_format_is_not_carried_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pitstop.db");
    let run = one_run(&path).await;
    let change = format!("UPDATE records SET body = replace(body, '\"version\":{FORMAT}', '\"version\":99')");
    sqlx::query(sqlx::AssertSqlSafe(change)).execute(&raw(&path).await).await.unwrap();
    let error = reopened(&path, &run).await.err().unwrap();
    assert!(matches!(error, StoreError::Newer(_)), "{error:?}");
    let unknown = "UPDATE records SET body = replace(body, 'intended', 'foreseen')";
    sqlx::query(unknown).execute(&raw(&path).await).await.unwrap();
    let error = reopened(&path, &run).await.err().unwrap();
    assert!(matches!(error, StoreError::Newer(_)), "{error:?}");
}

#[tokio::test]
async fn readers_and_a_writer_do_not_wait_for_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pitstop.db");
    let store: Arc<dyn Store> = Arc::new(Sqlite::open(&path).await.unwrap());
    let mut journal = begin(&store, &["ins-1"], Place::Tencent, 1).await.unwrap();
    let pool = raw(&path).await;
    let mut reader = pool.begin().await.unwrap();
    let count = "SELECT COUNT(*) FROM records";
    let before: i64 = sqlx::query_scalar(count).fetch_one(&mut *reader).await.unwrap();
    let work = async {
        for _ in 0..200 {
            let seen = seen(PowerState::Running);
            journal.append(vec![(Some("ins-1".into()), seen)]).await.unwrap();
        }
    };
    // Far less than the time for which a writer would wait for a lock.
    let clock = Clock::system();
    clock.timeout(Duration::from_secs(9), work).await.expect("the writer does not wait for the reader");
    let within: i64 = sqlx::query_scalar(count).fetch_one(&mut *reader).await.unwrap();
    assert_eq!(before, within, "the reader sees one moment throughout");
    let writer = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let other = Sqlite::open_to_read(&path).await.unwrap().unwrap();
    let read = clock.timeout(Duration::from_secs(5), other.load(journal.run())).await;
    assert_eq!(read.expect("the reader does not wait for the writer").unwrap().len(), 202);
    drop(writer);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_processes_may_open_a_new_journal_at_once_and_one_of_them_gets_the_instance() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pitstop.db");
    let tries = (1..=8).map(|chance| {
        let path = path.clone();
        tokio::spawn(async move {
            let store: Arc<dyn Store> = Arc::new(Sqlite::open(&path).await.unwrap());
            begin(&store, &["ins-1"], Place::Tencent, chance).await
        })
    });
    let tries: Vec<_> = tries.collect();
    let mut got = 0;
    for attempt in tries {
        match attempt.await.unwrap() {
            Ok(_) => got += 1,
            Err(error) => assert!(matches!(error, StoreError::Held { .. }), "{error}"),
        }
    }
    assert_eq!(got, 1);
}
