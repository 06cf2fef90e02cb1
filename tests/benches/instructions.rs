//! Decoding and encoding once, for a counter of instructions: `cargo x bench --check` runs it under callgrind, which
//! counts what [`measured_decode`] and [`measured_encode`] do and nothing else.
//!
//! Instructions are the same on a busy machine and an idle one. They are no seconds: what waits for memory costs none.

#![expect(clippy::cast_precision_loss, reason = "prices from a seed need no more digits")]

use std::hint::black_box;
use std::sync::Arc;

use columns::TableSchema;
use columns::arrow_array::RecordBatch;

#[path = "../../crates/columns/benches/decode/decoding.rs"]
mod decoding;
#[path = "../../crates/columns/benches/decode/orders.rs"]
mod orders;

/// Enough that what is done once does not count.
const RECORDS: u64 = 5_000;

#[inline(never)]
fn measured_decode(bytes: &[u8], table: &Arc<TableSchema>) -> Vec<RecordBatch> {
    let mut batches = Vec::new();
    decoding::decode(bytes, table, &mut |batch| batches.push(batch));
    batches
}

#[inline(never)]
fn measured_encode(batches: &[RecordBatch], table: &TableSchema) -> usize {
    batches.iter().filter_map(|batch| target_postgres::copy_bytes(batch, &table.columns)).sum()
}

fn main() {
    let bytes = orders::lines(RECORDS);
    let table = decoding::table(orders::SCHEMA);
    let batches = measured_decode(&bytes, &table);
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>() as u64, RECORDS);
    assert_ne!(black_box(measured_encode(&batches, &table)), 0);
}
