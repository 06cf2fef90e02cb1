//! The files of BATCH messages: opened and read on the decode thread, in the tap's own order.

use std::time::Instant;

use super::{ReadLoop, Reading};
use crate::batch_files::{FileError, Lines, PlacedFile, shown};
use crate::decoder::WaitingBatch;

/// Whether reading goes on.
#[derive(PartialEq, Eq)]
enum GoesOn {
    Yes,
    No,
}

impl ReadLoop {
    /// Loads the files of the BATCH message that the decoder waits at, if it does, and of those right behind it.
    pub(super) fn load_files(&mut self) -> Option<Reading> {
        while let Some(message) = self.decoder.waiting_batch() {
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
            if let Err(error) = self.decoder.files_end() {
                return Some(self.give_up(Reading::Refused(error)));
            }
        }
        None
    }

    fn load_file(&mut self, message: &WaitingBatch, address: &str) -> Result<GoesOn, FileError> {
        if message.format != "jsonl" {
            return Err(FileError::Format { format: message.format.clone() });
        }
        let PlacedFile { file, delete } = self.files.open(address)?;
        let compression = message.compression.as_deref();
        let mut lines = Lines::open(file, compression, self.decoder.limits().line_bytes)?;
        while lines.read(|number, line| self.decoder.file_line(number, line))? {
            if self.between() == GoesOn::No {
                return Ok(GoesOn::No);
            }
        }
        self.decoder.file_end(delete);
        Ok(self.between())
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
