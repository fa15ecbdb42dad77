//! The key that is imported before anything stops.

use std::sync::Arc;

use super::{Cause, Engine, calls};
use crate::cloud::{CloudError, Sent};
use crate::journal::Event;

/// How often an import whose outcome is unknown is looked for.
const IMPORT_LOOKS: u32 = 5;

impl Engine {
    /// Makes sure that the key which the plan wants imported is there, before anything stops.
    pub(super) async fn import_key(&mut self) -> Result<(), Cause> {
        let Some(wanted) = self.plan.import_key.clone().filter(|_| self.imported.is_none()) else {
            return Ok(());
        };
        let cloud = Arc::clone(&self.parts.cloud);
        let failed = |error| Cause::Import { name: wanted.name.clone(), error };
        let mut found = self.holding(calls::find_key(cloud.as_ref(), &wanted)).await?.map_err(failed)?;
        if found.is_none() {
            let intended = Event::KeyImportIntended { name: wanted.name.clone() };
            let (recorded, records) = self.journal.recorded(intended, wanted.clone()).await?;
            self.tell_all(records);
            match self.holding(calls::import(cloud.as_ref(), &recorded)).await? {
                Err(error) if error.sent == Sent::No => return Err(failed(error)),
                // Sent, or perhaps sent: only looking tells.
                Ok(_) | Err(_) => {
                    for _ in 0..IMPORT_LOOKS {
                        found =
                            self.holding(calls::find_key(cloud.as_ref(), &wanted)).await?.map_err(failed)?;
                        if found.is_some() {
                            break;
                        }
                        let (clock, pause) = (self.parts.clock.clone(), self.parts.pace.pause * 2);
                        self.holding(clock.sleep(pause)).await?;
                    }
                }
            }
        }
        let Some(key) = found else {
            let gone = "it was imported, but does not show in the list of keys";
            return Err(failed(CloudError::new(crate::cloud::ErrorKind::Server, Sent::Maybe, gone)));
        };
        self.note_of_run(Event::KeyImported { key }).await
    }
}
