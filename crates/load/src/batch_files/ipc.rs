//! `arrow`: Arrow IPC, as a stream or as a file, which is a stream between two magic words. Read message by message, so
//! that no more than one is held, and never one of any size that its head may claim.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use arrow_buffer::MutableBuffer;
use arrow_ipc::Message;
use arrow_ipc::reader::StreamDecoder;
use columns::arrow_array::RecordBatch;

use super::FileError;

const FORMAT: &str = "arrow";
const MAGIC: &[u8] = b"ARROW1\0\0";
const CONTINUES: [u8; 4] = [0xff; 4];
/// What stands at the end of a stream.
const END: [u8; 8] = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];

/// Most bytes of one message, which is one batch.
const MESSAGE_BYTES: u64 = 128 << 20;

/// The batches of an IPC file.
pub(crate) struct IpcBatches {
    file: BufReader<File>,
    left: u64,
    decoder: StreamDecoder,
    ended: bool,
}

impl IpcBatches {
    pub(crate) fn open(file: File) -> Result<Self, FileError> {
        let left = file.metadata().map_err(|error| damaged(&error))?.len();
        let mut batches =
            Self { file: BufReader::new(file), left, decoder: StreamDecoder::new(), ended: false };
        let mut start = [0; 8];
        if !batches.read(&mut start)? || start != MAGIC {
            batches.file.seek(SeekFrom::Start(0)).map_err(|error| damaged(&error))?;
            batches.left = left;
            return Ok(batches);
        }
        // Some writers fill up to a wider boundary.
        while batches.file.fill_buf().map_err(|error| damaged(&error))?.starts_with(&[0; 8]) {
            batches.file.consume(8);
            batches.left = batches.left.saturating_sub(8);
        }
        Ok(batches)
    }

    /// Reads whole; false at the end of the file.
    fn read(&mut self, bytes: &mut [u8]) -> Result<bool, FileError> {
        if self.left == 0 {
            return Ok(false);
        }
        self.file.read_exact(bytes).map_err(|error| damaged(&error))?;
        self.left = self.left.saturating_sub(bytes.len() as u64);
        Ok(true)
    }

    /// The next message; the word at the end when there is none.
    fn message(&mut self) -> Result<MutableBuffer, FileError> {
        let mut message = MutableBuffer::from_len_zeroed(END.len());
        if !self.read(&mut message)? || *message == END {
            self.ended = true;
            message.copy_from_slice(&END);
            return Ok(message);
        }
        let Some((&CONTINUES, size)) = message.split_first_chunk::<4>() else {
            return Err(FileError::NotOfFormat { expected: "an Arrow IPC stream or file" });
        };
        let size = u64::from(u32::from_le_bytes(size.try_into().unwrap_or_default()));
        self.grow(&mut message, size)?;
        let head = message.get(END.len()..).unwrap_or_default();
        let head = arrow_ipc::root_as_message(head).map_err(|error| damaged(&error))?;
        if let Some(codec) = packed_with(&head) {
            return Err(FileError::Buffers { codec });
        }
        let body = u64::try_from(head.bodyLength()).map_err(|error| damaged(&error))?;
        self.grow(&mut message, body)?;
        Ok(message)
    }

    /// Reads that many more bytes of the message.
    fn grow(&mut self, message: &mut MutableBuffer, bytes: u64) -> Result<(), FileError> {
        let start = message.len();
        let whole = bytes.saturating_add(start as u64);
        if whole > MESSAGE_BYTES {
            return Err(FileError::LargeBatch { bytes: whole, limit: MESSAGE_BYTES });
        }
        if bytes > self.left {
            return Err(damaged(&io::Error::from(io::ErrorKind::UnexpectedEof)));
        }
        message.resize(usize::try_from(whole).map_err(|error| damaged(&error))?, 0);
        self.read(&mut message[start..]).map(drop)
    }
}

impl Iterator for IpcBatches {
    type Item = Result<RecordBatch, FileError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            let decoded = self.message().and_then(|message| {
                self.decoder.decode(&mut message.into()).map_err(|error| damaged(&error))
            });
            self.ended |= decoded.is_err();
            if let Some(found) = decoded.transpose() {
                return Some(found);
            }
            if self.ended && self.decoder.schema().is_none() {
                return Some(Err(FileError::NotOfFormat { expected: "an Arrow IPC stream or file" }));
            }
        }
        None
    }
}

/// The codec of a message's buffers. Unpacked they could take any size, so that they are refused before they are read.
fn packed_with(head: &Message<'_>) -> Option<&'static str> {
    let dictionary = head.header_as_dictionary_batch();
    let batch =
        head.header_as_record_batch().or_else(|| dictionary.and_then(|dictionary| dictionary.data()))?;
    batch.compression().map(|packed| packed.codec().variant_name().unwrap_or("an unknown codec"))
}

fn damaged(error: &dyn std::fmt::Display) -> FileError {
    FileError::Damaged { format: FORMAT, reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::sync::Arc;

    use arrow_ipc::writer::{FileWriter, StreamWriter};
    use columns::arrow_array::{ArrayRef, Int64Array};

    use super::*;

    fn batch(from: i64) -> RecordBatch {
        RecordBatch::try_from_iter([(
            "n",
            Arc::new(Int64Array::from_iter_values(from..from + 3)) as ArrayRef,
        )])
        .unwrap()
    }

    fn stream() -> Vec<u8> {
        let mut writer = StreamWriter::try_new(Vec::new(), &batch(0).schema()).unwrap();
        writer.write(&batch(0)).unwrap();
        writer.write(&batch(3)).unwrap();
        writer.into_inner().unwrap()
    }

    fn read(bytes: &[u8]) -> Result<Vec<RecordBatch>, FileError> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.rewind().unwrap();
        IpcBatches::open(file)?.collect()
    }

    #[test]
    fn a_stream_and_a_file_give_their_batches() {
        let mut writer = FileWriter::try_new(Vec::new(), &batch(0).schema()).unwrap();
        writer.write(&batch(0)).unwrap();
        writer.write(&batch(3)).unwrap();
        let file = writer.into_inner().unwrap();
        for bytes in [stream(), file] {
            assert_eq!(read(&bytes).unwrap(), [batch(0), batch(3)]);
        }
        // Some writers leave out the end of a stream.
        let open = stream();
        assert_eq!(read(&open[..open.len() - 8]).unwrap(), [batch(0), batch(3)]);
    }

    #[test]
    fn what_breaks_off_or_claims_too_much_is_refused() {
        let whole = stream();
        for length in [3, 20, 100, whole.len() - 20] {
            assert!(read(&whole[..length]).is_err(), "{length}");
        }
        assert!(matches!(read(b"{\"id\":1}\n"), Err(FileError::NotOfFormat { .. })));
        let claim = |size: u32| [&CONTINUES[..], &size.to_le_bytes(), &[0; 64]].concat();
        assert!(matches!(read(&claim(u32::MAX)), Err(FileError::LargeBatch { .. })));
        assert!(matches!(read(&claim(1 << 20)), Err(FileError::Damaged { .. })));
        assert!(matches!(read(&claim(64)), Err(FileError::NotOfFormat { .. })));
    }
}
