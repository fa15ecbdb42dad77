//! Records out of their rows. Those of a large journal are decoded in chunks, beside the reading of the next ones: most of
//! the time that it takes to show a run of ten thousand instances goes into this.

use std::collections::VecDeque;

use tokio::task::{JoinError, JoinHandle};

use crate::journal::event::{Record, RunId};

/// So many rows are decoded together, elsewhere. Fewer are not worth it.
const CHUNK: usize = 8192;
/// At most so many chunks are waited for at a time: their texts are held beside what they say.
const AT_ONCE: usize = 4;

/// A row: its place, and the record's text.
pub(super) type Line = (i64, String);

/// The records of one run, as its rows come in.
pub(super) struct Decoding {
    run: RunId,
    /// How many rows were given away to be decoded.
    given: usize,
    rows: Vec<Line>,
    chunks: VecDeque<JoinHandle<Result<Vec<Record>, String>>>,
    records: Vec<Record>,
}

impl Decoding {
    pub(super) fn of(run: RunId) -> Self {
        Self { run, given: 0, rows: Vec::new(), chunks: VecDeque::new(), records: Vec::new() }
    }

    /// Takes the next row in. The error says what is wrong with the first record that is not as it should be.
    pub(super) async fn push(&mut self, row: Line) -> Result<(), String> {
        self.rows.push(row);
        if self.rows.len() < CHUNK {
            return Ok(());
        }
        if self.chunks.len() == AT_ONCE {
            self.take_in().await?;
        }
        let (run, from, rows) = (self.run, self.given, std::mem::take(&mut self.rows));
        self.given += rows.len();
        self.chunks.push_back(tokio::task::spawn_blocking(move || decode(run, from, &rows)));
        Ok(())
    }

    /// All records.
    pub(super) async fn finish(mut self) -> Result<Vec<Record>, String> {
        while !self.chunks.is_empty() {
            self.take_in().await?;
        }
        self.records.extend(decode(self.run, self.given, &self.rows)?);
        Ok(self.records)
    }

    async fn take_in(&mut self) -> Result<(), String> {
        if let Some(chunk) = self.chunks.pop_front() {
            match chunk.await.map_err(JoinError::try_into_panic) {
                Ok(decoded) => self.records.extend(decoded?),
                Err(Ok(panic)) => std::panic::resume_unwind(panic),
                Err(Err(error)) => return Err(error.to_string()),
            }
        }
        Ok(())
    }
}

/// The records of these rows, the first of which has the place `from`.
fn decode(run: RunId, from: usize, rows: &[Line]) -> Result<Vec<Record>, String> {
    rows.iter().zip(from..).map(|(row, seq)| record(run, seq, row)).collect()
}

fn record(run: RunId, seq: usize, (column, body): &Line) -> Result<Record, String> {
    if i64::try_from(seq) != Ok(*column) {
        return Err(format!("record {seq} of the run {run} is missing"));
    }
    let record =
        Record::from_json(body).map_err(|error| format!("record {seq} of the run {run}: {error}"))?;
    if (record.run, record.seq) != (run, seq as u64) {
        return Err(format!("record {seq} of the run {run} is another one's"));
    }
    Ok(record)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::journal::Event;

    fn rows(run: RunId, count: usize) -> Vec<Line> {
        let at = Timestamp::from_second(1_800_000_000).unwrap();
        let record = |seq| Record { at, run, seq, instance: None, event: Event::RunEnded };
        (0..count as u64)
            .map(|seq| (i64::try_from(seq).unwrap(), serde_json::to_string(&record(seq)).unwrap()))
            .collect()
    }

    async fn decoded(run: RunId, rows: Vec<Line>) -> Result<Vec<Record>, String> {
        let mut decoding = Decoding::of(run);
        for row in rows {
            decoding.push(row).await?;
        }
        decoding.finish().await
    }

    #[tokio::test]
    async fn records_come_in_order_however_many_there_are() {
        let run = RunId::new(Timestamp::from_second(1_800_000_000).unwrap(), [1; 10]);
        for count in [0, 1, CHUNK, CHUNK + 1, (AT_ONCE + 2) * CHUNK + 7] {
            let records = decoded(run, rows(run, count)).await.unwrap();
            assert_eq!(records.len(), count);
            assert!(records.iter().zip(0..).all(|(record, seq)| record.seq == seq));
        }
    }

    #[tokio::test]
    async fn the_first_record_that_is_wrong_is_named() {
        let run = RunId::new(Timestamp::from_second(1_800_000_000).unwrap(), [1; 10]);
        let all = rows(run, 2 * CHUNK + 7);
        for wrong in [3, CHUNK, 2 * CHUNK + 2] {
            let mut rows = all.clone();
            rows.remove(wrong);
            let said = decoded(run, rows).await.unwrap_err();
            assert!(said.contains(&format!("record {wrong} ")) && said.contains("is missing"), "{said}");
        }
        let mut rows = all;
        rows[5].1 = "{".to_owned();
        rows[CHUNK + 5].1 = "{".to_owned();
        assert!(decoded(run, rows).await.unwrap_err().contains("record 5 "));
    }
}
