//! Decoding a tap's lines into Arrow batches, beside `serde_json` skipping the same bytes in the same run.
//!
//! The lines have the shape of an ordinary order table: 15 properties, text that is not all ASCII, decimals,
//! instants, a nested object. `cargo x bench` reads the two rates and their ratio from the last lines.

#![expect(clippy::cast_precision_loss, reason = "rates are for people")]
#![expect(clippy::print_stdout, reason = "the ratio of the two rates is what this bench is for")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use columns::TableSchema;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde::de::IgnoredAny;

#[path = "decode/decoding.rs"]
mod decoding;
#[path = "decode/orders.rs"]
mod orders;

/// Enough to be far beyond the caches.
const RECORDS: u64 = 20_000;
/// The part of the skipping speed that decoding must reach.
const LEAST: f64 = 0.4;

/// Reads all lines; tells how many records are in the batches.
fn decode(bytes: &[u8], table: &Arc<TableSchema>) -> usize {
    let mut records = 0;
    decoding::decode(bytes, table, &mut |batch| records += black_box(batch).num_rows());
    records
}

/// The least that any reader of JSON does with the lines.
fn skip(bytes: &[u8]) -> usize {
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.filter(|line| serde_json::from_slice::<IgnoredAny>(line).is_ok()).count()
}

fn bench(criterion: &mut Criterion) {
    let bytes = orders::lines(RECORDS);
    let table = decoding::table(orders::SCHEMA);
    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Bytes(bytes.len() as u64)).sample_size(20);
    group.bench_function("into Arrow", |bencher| bencher.iter(|| decode(&bytes, &table)));
    group.bench_function("IgnoredAny", |bencher| bencher.iter(|| skip(&bytes)));
    group.finish();
    report(&bytes, &table);
}

/// The two, turn by turn, so that a busy machine is as slow for one as for the other.
fn report(bytes: &[u8], table: &Arc<TableSchema>) {
    let time = |run: &dyn Fn() -> usize| {
        let start = Instant::now();
        black_box(run());
        start.elapsed()
    };
    assert_eq!(decode(bytes, table) as u64, RECORDS, "every record is in a batch");
    let (mut ours, mut theirs) = (Duration::MAX, Duration::MAX);
    for _ in 0..60 {
        ours = ours.min(time(&|| decode(bytes, table)));
        theirs = theirs.min(time(&|| skip(bytes)));
    }
    let rate = |time: Duration| bytes.len() as f64 / 1e6 / time.as_secs_f64();
    println!("decode into Arrow: {:.0} MB/s", rate(ours));
    println!("serde_json IgnoredAny: {:.0} MB/s", rate(theirs));
    let ratio = theirs.as_secs_f64() / ours.as_secs_f64();
    println!("ratio: {ratio:.2} (at least {LEAST:.2})");
    assert!(ratio >= LEAST, "decoding into Arrow is too slow beside skipping the same bytes");
}

criterion_group!(benches, bench);
criterion_main!(benches);
