//! Who waits is told, and for how long: against what the test itself has held up, never against the clock alone.

use std::fs;
use std::io::{self, PipeWriter, Write as _};
use std::sync::{Arc, mpsc as signals};
use std::time::{Duration, Instant};

use columns::ValueLimits;
use target_api::{FullRefresh, RunIdentity, Status, Target as _};
use target_testkit::faulty::{Fault, Faults, FaultyTarget, Operation};
use target_testkit::memory::{MemoryTarget, MemoryWarehouse};
use tokio::sync::mpsc;

use crate::{
    Clock, DecodeLimits, Decoder, FilePlaces, LastSign, LoadFailure, LoadStart, LoadStep, LoadTime, Now,
    ReadTime, Reader, Rules, Silence, StreamRule, TapOutput, load,
};

const SCHEMA: &str =
    r#"{"type":"SCHEMA","stream":"a","schema":{"properties":{"n":{"type":"integer"}}},"key_properties":[]}"#;
const STATE: &str = r#"{"type":"STATE","value":{"n":1}}"#;
/// Long enough to be more than what a clock may miss.
const MOMENT: Duration = Duration::from_millis(2);

fn record(n: u32) -> String {
    format!(r#"{{"type":"RECORD","stream":"a","record":{{"n":{n}}}}}"#)
}

/// Each record is a batch of its own, each STATE a checkpoint.
fn decoder() -> Decoder {
    let limits = DecodeLimits { batch_records: Some(1), checkpoint_bytes: 1, ..DecodeLimits::default() };
    let rules: Rules = Arc::new(|_| StreamRule::default());
    Decoder::new(limits, ValueLimits::default(), rules, Now::default())
}

/// A reader of a pipe, and the pipe's other end.
fn reader(
    files: FilePlaces,
    elsewhere: Option<LastSign>,
    steps: mpsc::Sender<LoadStep>,
) -> (Reader, PipeWriter) {
    let (output, input) = io::pipe().unwrap();
    let silence = Silence { longest: Duration::from_mins(1), elsewhere };
    let tap = TapOutput { output: output.into(), silence, files };
    (Reader::start(tap, decoder(), steps, Clock::start()).unwrap(), input)
}

async fn target(faults: &Arc<Faults>) -> FaultyTarget<MemoryTarget> {
    let warehouse = MemoryWarehouse::default();
    let mut target = FaultyTarget::new(MemoryTarget::new(&warehouse), Arc::clone(faults));
    let [environment, pipeline, shard, tap, run] = ["", "p", "", "t", "r"].map(str::to_owned);
    let identity = RunIdentity {
        environment,
        pipeline,
        shard,
        tap,
        run,
        full_refresh: FullRefresh::No,
        takes_over: false,
        keeps_state: true,
    };
    target.resume(&identity).await.unwrap();
    target
}

async fn load_all(
    steps: &mut mpsc::Receiver<LoadStep>,
    faults: &Arc<Faults>,
    time: &mut LoadTime,
) -> Result<(), LoadFailure> {
    let start = LoadStart { state: None, dirty: false, max_staged: u64::MAX };
    load(steps, &mut target(faults).await, start, &Ok, &|_| {}, time).await.map(drop)
}

fn sum(time: &ReadTime) -> Duration {
    time.starting + time.waiting + time.decoding + time.files + time.handing_over
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_target_is_back_pressure() {
    let faults = Arc::new(Faults::default());
    faults.plan(Operation::Write, 1, Fault::Hold);
    let (sender, mut steps) = mpsc::channel(1);
    let fullness = sender.downgrade();
    let (mut reader, mut tap) = reader(FilePlaces::default(), None, sender);
    let lines: Vec<_> = std::iter::once(SCHEMA.to_owned()).chain((1..=9).map(record)).collect();
    writeln!(tap, "{}", lines.join("\n")).unwrap();
    drop(tap);
    let mut time = LoadTime::default();
    let delaying = async {
        faults.held().await;
        while fullness.upgrade().unwrap().capacity() > 0 {
            tokio::task::yield_now().await;
        }
        // All bytes are read; the reader can end only once the target goes on.
        let full = Instant::now();
        tokio::time::sleep(MOMENT).await;
        let held = full.elapsed();
        faults.release();
        held
    };
    let (loaded, held) = tokio::join!(load_all(&mut steps, &faults, &mut time), delaying);
    loaded.unwrap();
    let outcome = (&mut reader.outcome).await.unwrap();
    let read = outcome.time;
    assert_eq!(outcome.records, 9);
    assert!(read.handing_over > Duration::ZERO && read.decoding > Duration::ZERO, "{read:?}");
    assert_eq!(read.files, Duration::ZERO);
    assert!(sum(&read) >= held, "no moment is lost: {read:?}");
    assert!(time.writing >= held, "{time:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_tap_is_waited_for() {
    let (looking, looked) = signals::channel();
    // It is asked right before each wait, once the work is told.
    let elsewhere: LastSign = Box::new(move || {
        let _ = looking.send(());
        Instant::now()
    });
    let (sender, mut steps) = mpsc::channel(9);
    let (mut reader, mut tap) = reader(FilePlaces::default(), Some(elsewhere), sender);
    let pause = || {
        looked.recv().unwrap();
        let begun = Instant::now();
        std::thread::sleep(MOMENT);
        begun.elapsed()
    };
    let first = pause();
    // In one write, so that it is one read.
    tap.write_all(format!("{SCHEMA}\n{}\n", record(1)).as_bytes()).unwrap();
    let second = pause();
    tap.write_all(format!("{}\n", record(2)).as_bytes()).unwrap();
    let third = pause();
    drop(tap);
    while steps.recv().await.is_some() {}
    let time = (&mut reader.outcome).await.unwrap().time;
    assert!(time.starting >= first, "{time:?}");
    assert!(time.waiting >= second + third, "{time:?}");
    assert!(time.decoding > Duration::ZERO, "{time:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_batch_messages_are_told_apart_from_decoding() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.jsonl");
    fs::write(&file, "{\"n\":1}\n{\"n\":2}\n").unwrap();
    let (sender, mut steps) = mpsc::channel(9);
    let places = FilePlaces { roots: vec![folder.path().to_owned()], ..FilePlaces::default() };
    let (mut reader, mut tap) = reader(places, None, sender);
    let batch = format!(
        r#"{{"type":"BATCH","stream":"a","encoding":{{"format":"jsonl"}},"manifest":["file://{}"]}}"#,
        file.display()
    );
    writeln!(tap, "{SCHEMA}\n{batch}").unwrap();
    drop(tap);
    while steps.recv().await.is_some() {}
    let outcome = (&mut reader.outcome).await.unwrap();
    assert_eq!(outcome.records, 2);
    assert!(outcome.time.files > Duration::ZERO && outcome.time.decoding > Duration::ZERO);
}

/// Each call of the target is held once, and the wait for steps as well: each is told as what it is.
#[tokio::test]
async fn the_load_tells_what_it_waits_for() {
    let mut decoder = decoder();
    let lines = [SCHEMA, &record(1), STATE].join("\n") + "\n";
    decoder.feed(lines.as_bytes(), Now::default()).unwrap();
    decoder.end(Now::default()).unwrap();
    let faults = Arc::new(Faults::default());
    let calls = [Operation::Open, Operation::Write, Operation::Commit];
    for call in calls {
        faults.plan(call, 1, Fault::Hold);
    }
    let (sender, mut steps) = mpsc::channel(9);
    let mut time = LoadTime::default();
    let delaying = async {
        let mut held = Vec::new();
        // The load waits: it was asked first.
        let begun = Instant::now();
        tokio::time::sleep(MOMENT).await;
        held.push(begun.elapsed());
        while let Some(step) = decoder.next_step() {
            sender.send(step).await.unwrap();
        }
        for _ in calls {
            faults.held().await;
            let begun = Instant::now();
            tokio::time::sleep(MOMENT).await;
            held.push(begun.elapsed());
            faults.release();
        }
        held
    };
    let (loaded, held) = tokio::join!(load_all(&mut steps, &faults, &mut time), delaying);
    loaded.unwrap();
    let told = [time.waiting, time.opening, time.writing, time.committing];
    assert!(told.iter().zip(&held).all(|(told, held)| told >= held), "{told:?} of {held:?}");
}

#[tokio::test]
async fn a_call_that_fails_took_its_time() {
    for (call, part) in [
        (Operation::Open, (|time| time.opening) as fn(LoadTime) -> Duration),
        (Operation::Write, |time| time.writing),
        (Operation::Commit, |time| time.committing),
    ] {
        let mut decoder = decoder();
        let lines = [SCHEMA, &record(1), STATE].join("\n") + "\n";
        decoder.feed(lines.as_bytes(), Now::default()).unwrap();
        let faults = Arc::new(Faults::default());
        faults.plan(call, 1, Fault::Reject(Status::Permanent));
        let (sender, mut steps) = mpsc::channel(9);
        while let Some(step) = decoder.next_step() {
            sender.send(step).await.unwrap();
        }
        let mut time = LoadTime::default();
        load_all(&mut steps, &faults, &mut time).await.unwrap_err();
        assert!(part(time) > Duration::ZERO, "{call:?}: {time:?}");
    }
}
