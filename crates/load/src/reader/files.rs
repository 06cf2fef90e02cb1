//! The files of BATCH messages: opened and read on the decode thread, in the tap's own order.

use std::fs::File;
use std::time::Instant;

use columns::arrow_array::RecordBatch;

use super::{ReadLoop, Reading};
use crate::batch_files::{FileError, IpcBatches, Lines, ParquetBatches, PlacedFile, shown};
use crate::decoder::WaitingBatch;

/// Whether reading goes on.
#[derive(PartialEq, Eq)]
enum GoesOn {
    Yes,
    No,
}

/// How a file's records are written.
enum Format {
    Lines,
    Parquet,
    Arrow,
}

impl Format {
    fn named(name: &str) -> Result<Self, FileError> {
        Ok(match name {
            "jsonl" => Self::Lines,
            "parquet" => Self::Parquet,
            "arrow" => Self::Arrow,
            _ => return Err(FileError::Format { format: name.to_owned() }),
        })
    }
}

impl ReadLoop {
    /// Loads the files of the BATCH message that the decoder waits at, if it does, and of those right behind it.
    pub(super) fn load_files(&mut self) -> Option<Reading> {
        while let Some(message) = self.decoder.waiting_batch() {
            self.time.set_in_files(true);
            for address in &message.manifest {
                match self.load_file(&message, address) {
                    Ok(GoesOn::Yes) => {}
                    Ok(GoesOn::No) => return Some(self.give_up(Reading::Stopped)),
                    Err(source) => {
                        let error = self.decoder.file_error(&shown(address), source);
                        return Some(self.give_up(Reading::Refused(error)));
                    }
                }
            }
            self.time.set_in_files(false);
            if let Err(error) = self.decoder.files_end() {
                return Some(self.give_up(Reading::Refused(error)));
            }
        }
        None
    }

    fn load_file(&mut self, message: &WaitingBatch, address: &str) -> Result<GoesOn, FileError> {
        let format = Format::named(&message.format)?;
        let PlacedFile { file, delete } = self.files.open(address)?;
        let goes_on = match format {
            Format::Lines => self.load_lines(file, message.compression.as_deref())?,
            Format::Parquet => {
                let batch_bytes = self.decoder.limits().batch_bytes;
                self.load_batches(ParquetBatches::open(file, batch_bytes)?)?
            }
            Format::Arrow => self.load_batches(IpcBatches::open(file)?)?,
        };
        if goes_on == GoesOn::Yes {
            self.decoder.file_end(delete);
            return Ok(self.between());
        }
        Ok(goes_on)
    }

    fn load_lines(&mut self, file: File, compression: Option<&str>) -> Result<GoesOn, FileError> {
        let mut lines = Lines::open(file, compression, self.decoder.limits().line_bytes)?;
        while lines.read(|number, line| self.decoder.file_line(number, line))? {
            if self.between() == GoesOn::No {
                return Ok(GoesOn::No);
            }
        }
        Ok(GoesOn::Yes)
    }

    fn load_batches(
        &mut self,
        batches: impl Iterator<Item = Result<RecordBatch, FileError>>,
    ) -> Result<GoesOn, FileError> {
        let mut before = 0;
        for batch in batches {
            let batch = batch?;
            let most = self.decoder.rows_at_once(&batch);
            let mut start = 0;
            while start < batch.num_rows() {
                let rows = batch.slice(start, most.min(batch.num_rows() - start));
                self.decoder.file_rows(before, &rows)?;
                before += rows.num_rows() as u64;
                start += rows.num_rows();
                if self.between() == GoesOn::No {
                    return Ok(GoesOn::No);
                }
            }
        }
        Ok(GoesOn::Yes)
    }

    /// Between two parts of a file: hands over the steps, and hears whether to stop. The tap is not idle meanwhile.
    fn between(&mut self) -> GoesOn {
        let handed_over = self.hand_over();
        self.heard = Instant::now();
        self.decoder.tick(self.clock.now());
        self.stopping |= handed_over.is_err() || (self.spoken_to() && !self.hear());
        if self.stopping { GoesOn::No } else { GoesOn::Yes }
    }
}
