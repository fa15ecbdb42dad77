//! Where a story's journal is kept: in memory, or in a real file that every life of the process opens anew.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock, mpsc};

use async_trait::async_trait;
use jiff::Timestamp;
use pitstop::cloud::InstanceId;
use pitstop::journal::{Claim, Lease, Memory, Record, RunId, RunSummary, Sqlite, Store, StoreError, Took};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// The journal's place.
pub(crate) enum Shelf {
    Memory(Arc<Memory>),
    Disk { _folder: TempDir, path: PathBuf },
}

impl Shelf {
    pub(crate) fn new(on_disk: bool) -> Self {
        if !on_disk {
            return Self::Memory(Arc::default());
        }
        // Every append is synced: in memory, where there is such a place, that costs nothing.
        let memory = std::path::Path::new("/dev/shm");
        let folder = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }.unwrap();
        let path = folder.path().join("journal.db");
        Self::Disk { _folder: folder, path }
    }

    pub(crate) fn is_disk(&self) -> bool {
        matches!(self, Self::Disk { .. })
    }

    /// The store, as a process that begins now opens it.
    pub(crate) fn open(&self) -> Arc<dyn Store> {
        match self {
            Self::Memory(memory) => memory.clone(),
            Self::Disk { path, .. } => {
                let path = path.clone();
                Arc::new(Aside(Arc::new(aside(async move { Sqlite::open(&path).await }).unwrap())))
            }
        }
    }
}

/// SQLite works on threads of its own. Under paused time a wait for them would look like idleness, and time would jump
/// ahead: they are waited for without the runtime's knowledge.
fn aside<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    static RUNTIME: LazyLock<Runtime> =
        LazyLock::new(|| Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());
    let (done, wait) = mpsc::channel();
    RUNTIME.spawn(async move {
        // The work is gone before its end is told, and with it its share of the store: what a dead process locked is free.
        let ended = work.await;
        done.send(ended)
    });
    wait.recv().unwrap()
}

/// SQLite beside a runtime with paused time.
struct Aside(Arc<Sqlite>);

#[async_trait]
impl Store for Aside {
    async fn begin(
        &self,
        run: &RunSummary,
        instances: &[InstanceId],
        first: &[Record],
        lease: &Lease,
    ) -> Result<Claim, StoreError> {
        let (store, run, instances, first, lease) =
            (self.0.clone(), run.clone(), instances.to_vec(), first.to_vec(), lease.clone());
        aside(async move { store.begin(&run, &instances, &first, &lease).await })
    }

    async fn take(&self, run: RunId, lease: &Lease, now: Timestamp) -> Result<Claim, StoreError> {
        let (store, lease) = (self.0.clone(), lease.clone());
        aside(async move { store.take(run, &lease, now).await })
    }

    async fn renew(&self, claim: Claim, until: Timestamp) -> Result<(), StoreError> {
        let store = self.0.clone();
        aside(async move { store.renew(claim, until).await })
    }

    async fn release(&self, claim: Claim) -> Result<(), StoreError> {
        let store = self.0.clone();
        aside(async move { store.release(claim).await })
    }

    async fn holder(&self, run: RunId, now: Timestamp) -> Result<Option<Lease>, StoreError> {
        let store = self.0.clone();
        aside(async move { store.holder(run, now).await })
    }

    async fn held(
        &self,
        scope: &str,
        instances: &[InstanceId],
    ) -> Result<Option<(InstanceId, RunId)>, StoreError> {
        let (store, scope, instances) = (self.0.clone(), scope.to_owned(), instances.to_vec());
        aside(async move { store.held(&scope, &instances).await })
    }

    async fn append(&self, claim: Claim, records: &[Record], took: &[Took]) -> Result<(), StoreError> {
        let (store, records, took) = (self.0.clone(), records.to_vec(), took.to_vec());
        aside(async move { store.append(claim, &records, &took).await })
    }

    async fn finish(&self, claim: Claim, at: Timestamp) -> Result<(), StoreError> {
        let store = self.0.clone();
        aside(async move { store.finish(claim, at).await })
    }

    async fn load(&self, run: RunId) -> Result<Vec<Record>, StoreError> {
        let store = self.0.clone();
        aside(async move { store.load(run).await })
    }

    async fn runs(&self) -> Result<Vec<RunSummary>, StoreError> {
        let store = self.0.clone();
        aside(async move { store.runs().await })
    }

    async fn history(&self, simulated: bool, each: u32) -> Result<Vec<Took>, StoreError> {
        let store = self.0.clone();
        aside(async move { store.history(simulated, each).await })
    }
}
