//! What a batch takes in memory.

use arrow_array::{Array, RecordBatch};
use arrow_data::ArrayData;
use arrow_schema::DataType;

/// Bytes of a batch's own rows: several slices of one batch share what they are of. A dictionary counts as often as
/// its values would stand there without it.
#[must_use]
pub fn memory_size(batch: &RecordBatch) -> usize {
    batch.columns().iter().map(|column| size(&column.to_data())).sum()
}

fn size(data: &ArrayData) -> usize {
    let own = data.get_slice_memory_size().unwrap_or_else(|_| data.get_array_memory_size());
    match (data.data_type(), data.child_data()) {
        (DataType::Dictionary(..), [values]) => own + size(values) / values.len().max(1) * data.len(),
        _ => own,
    }
}
