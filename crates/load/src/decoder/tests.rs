//! I1 and I2 on the step list, which is a pure function of the bytes, the limits and the clock.

use std::sync::Arc;
use std::time::Duration;

use columns::ValueLimits;
use columns::arrow_array::cast::AsArray;
use columns::arrow_array::types::Int64Type;
use proptest::prelude::*;

use super::{DecodeLimits, Decoder, Now};
use crate::{DecodeError, LoadStep, StreamRule};

/// What a tap does, and silence.
#[derive(Debug, Clone)]
enum Act {
    Record(usize),
    State,
    Schema(usize),
    Version(usize),
    File(usize, u8),
    Silence,
}

const STREAMS: [&str; 3] = ["a", "b", "c"];

fn schema(stream: &str, extra: bool) -> String {
    let extra = if extra { r#","more":{"type":["null","string"]}"# } else { "" };
    format!(
        r#"{{"type":"SCHEMA","stream":"{stream}","schema":{{"properties":{{"n":{{"type":"integer"}}{extra}}}}},"key_properties":[]}}"#
    )
}

fn decoder(limits: DecodeLimits) -> Decoder {
    Decoder::new(limits, ValueLimits::default(), Arc::new(|_| StreamRule::default()), Now::default())
}

fn drain(decoder: &mut Decoder, steps: &mut Vec<LoadStep>) {
    while let Some(step) = decoder.next_step() {
        steps.push(step);
    }
}

/// Feeds the acts; each record carries its own number, each STATE the number of records before it.
fn play(acts: &[Act], limits: &DecodeLimits) -> (Vec<LoadStep>, Vec<(usize, i64)>) {
    let mut decoder = decoder(limits.clone());
    let (mut steps, mut sent, mut now) = (Vec::new(), Vec::new(), Now::default());
    let put =
        |decoder: &mut Decoder, line: &str, now| decoder.feed(format!("{line}\n").as_bytes(), now).unwrap();
    for stream in STREAMS {
        put(&mut decoder, &schema(stream, false), now);
    }
    for (at, act) in acts.iter().enumerate() {
        match act {
            Act::Record(stream) => {
                let n = i64::try_from(sent.len()).unwrap();
                sent.push((*stream, n));
                put(
                    &mut decoder,
                    &format!(r#"{{"type":"RECORD","stream":"{}","record":{{"n":{n}}}}}"#, STREAMS[*stream]),
                    now,
                );
            }
            Act::State => put(&mut decoder, &format!(r#"{{"type":"STATE","value":{}}}"#, sent.len()), now),
            Act::Schema(stream) => put(&mut decoder, &schema(STREAMS[*stream], at % 2 == 0), now),
            Act::Version(stream) => {
                put(
                    &mut decoder,
                    &format!(r#"{{"type":"ACTIVATE_VERSION","stream":"{}","version":1}}"#, STREAMS[*stream]),
                    now,
                );
            }
            Act::File(stream, records) => {
                let message = format!(
                    r#"{{"type":"BATCH","stream":"{}","encoding":{{"format":"jsonl"}},"manifest":["a"]}}"#,
                    STREAMS[*stream]
                );
                put(&mut decoder, &message, now);
                assert_eq!(decoder.waiting_batch().unwrap().manifest, ["a"]);
                for record in 1..=*records {
                    let n = i64::try_from(sent.len()).unwrap();
                    sent.push((*stream, n));
                    decoder.file_line(record.into(), format!("{{\"n\":{n}}}").as_bytes()).unwrap();
                }
                decoder.file_end((at % 2 == 0).then(|| format!("{stream}/{}", sent.len()).into()));
                decoder.files_end().unwrap();
            }
            Act::Silence => {
                now.elapsed += Duration::from_secs(3);
                decoder.tick(now);
            }
        }
        drain(&mut decoder, &mut steps);
    }
    decoder.end(now).unwrap();
    drain(&mut decoder, &mut steps);
    (steps, sent)
}

/// The numbers in a batch.
fn numbers(batch: &columns::arrow_array::RecordBatch) -> Vec<i64> {
    batch.column_by_name("n").unwrap().as_primitive::<Int64Type>().values().to_vec()
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        12 => (0..3_usize).prop_map(Act::Record),
        3 => Just(Act::State),
        1 => (0..3_usize).prop_map(Act::Schema),
        1 => (0..3_usize).prop_map(Act::Version),
        3 => ((0..3_usize), 0..5_u8).prop_map(|(stream, records)| Act::File(stream, records)),
        1 => Just(Act::Silence),
    ]
}

proptest! {
    /// I1, I2: the batches before a checkpoint hold exactly the records before its STATE, each stream in its order,
    /// and every record goes out once, whatever the limits.
    #[test]
    fn a_checkpoint_holds_exactly_the_records_before_its_state(
        acts in prop::collection::vec(act(), 0..120),
        checkpoint_bytes in prop_oneof![Just(1_u64), Just(200), Just(u64::MAX)],
        batch_bytes in prop_oneof![Just(1_usize), Just(usize::MAX)],
    ) {
        let limits = DecodeLimits { batch_bytes, checkpoint_bytes, ..DecodeLimits::default() };
        let (steps, sent) = play(&acts, &limits);
        let mut out: Vec<Vec<i64>> = vec![Vec::new(); 3];
        for step in &steps {
            match step {
                LoadStep::Batch { stream, batch, .. } => {
                    let stream = STREAMS.iter().position(|name| *name == stream.as_str()).unwrap();
                    out[stream].extend(numbers(batch));
                }
                LoadStep::Checkpoint(state) => {
                    let before: usize = state.as_str().parse().unwrap();
                    for (stream, out) in out.iter().enumerate() {
                        let expected: Vec<i64> = sent[..before].iter().filter(|(s, _)| *s == stream).map(|(_, n)| *n).collect();
                        prop_assert_eq!(out, &expected, "stream {} at STATE {}", stream, before);
                    }
                }
                // A file is deleted once all of its records are out.
                LoadStep::FileAccepted(file) => {
                    let mut parts = file.iter().map(|part| part.to_str().unwrap().parse::<usize>().unwrap());
                    let (stream, before) = (parts.next().unwrap(), parts.next().unwrap());
                    let expected = sent[..before].iter().filter(|(s, _)| *s == stream).count();
                    prop_assert_eq!(out[stream].len(), expected);
                }
                _ => {}
            }
        }
        for (stream, out) in out.iter().enumerate() {
            let expected: Vec<i64> = sent.iter().filter(|(s, _)| *s == stream).map(|(_, n)| *n).collect();
            prop_assert_eq!(out, &expected);
        }
        // I3: when the tap has spoken a STATE, the last one becomes a checkpoint or comes with the end.
        let last = acts.iter().rposition(|act| matches!(act, Act::State));
        let checkpointed = steps.iter().rev().find_map(|step| if let LoadStep::Checkpoint(s) | LoadStep::End(Some(s)) = step { Some(s.as_str().to_owned()) } else { None });
        let records = |act: &Act| match act {
            Act::Record(_) => 1,
            Act::File(_, records) => u32::from(*records),
            _ => 0,
        };
        let spoken = last.map(|at| acts[..at].iter().map(records).sum::<u32>().to_string());
        prop_assert_eq!(checkpointed, spoken);
    }

    /// Any bytes: an error at worst, and never a panic.
    #[test]
    fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut decoder = decoder(DecodeLimits::default());
        let fed = decoder.feed(schema("a", false).as_bytes(), Now::default()).and_then(|()| decoder.feed(b"\n", Now::default()));
        prop_assert!(fed.is_ok());
        let _ = decoder.feed(&bytes, Now::default()).and_then(|()| decoder.end(Now::default()));
    }
}

fn error(lines: &[&str]) -> DecodeError {
    let mut decoder = decoder(DecodeLimits::default());
    let fed = lines.iter().try_for_each(|line| decoder.feed(line.as_bytes(), Now::default()));
    fed.and_then(|()| decoder.end(Now::default())).expect_err("must be refused")
}

#[test]
fn refusals_name_the_line() {
    let schema = schema("a", false) + "\n";
    assert!(matches!(error(&[&schema, "\n", "Starting…\n"]), DecodeError::Message { line: 3, .. }));
    assert!(matches!(
        error(&["{\"type\":\"RECORD\",\"stream\":\"x\",\"record\":{}}\n"]),
        DecodeError::NoSchema { line: 1, .. }
    ));
    let cut = "{\"type\":\"RECORD\",\"stream\":\"a\",\"record\":{\"n\":1";
    assert!(matches!(error(&[&schema, cut]), DecodeError::Truncated { line: 2, records: 0, .. }));
    let batch = r#"{"type":"BATCH","stream":"b","encoding":{"format":"jsonl"},"manifest":["file:///x"]}"#;
    assert!(matches!(error(&[&schema, batch]), DecodeError::NoSchema { line: 2, .. }));
    let wrong = "{\"type\":\"RECORD\",\"stream\":\"a\",\"record\":{\"n\":[\"secret\"]}}\n";
    let refused = error(&[&schema, wrong]);
    assert!(
        matches!(refused, DecodeError::Record { line: 2, .. }) && !format!("{refused:?}").contains("secret")
    );
}

#[test]
fn what_python_writes_is_read() {
    let mut decoder = decoder(DecodeLimits::default());
    let lines = concat!(
        r#"{"type":"SCHEMA","stream":"a","schema":{"properties":{"x":{"type":"number"},"t":{"type":"string"}}},"key_properties":[]}"#,
        "\n",
        r#"{"type":"RECORD","stream":"a","record":{"x":NaN,"t":"\ud83d"}}"#,
        "\n"
    );
    decoder.feed(lines.as_bytes(), Now::default()).unwrap();
    decoder.end(Now::default()).unwrap();
    let mut steps = Vec::new();
    drain(&mut decoder, &mut steps);
    let LoadStep::Batch { batch, .. } = &steps[1] else { panic!("no batch: {steps:?}") };
    assert_eq!(batch.column(0).as_string::<i32>().value(0), "NaN");
    assert_eq!(batch.column(1).as_string::<i32>().value(0), "\u{fffd}");
}

#[test]
fn a_value_that_does_not_fit_widens_its_table_in_order() {
    let mut decoder = decoder(DecodeLimits::default());
    let record = |n: &str| format!("{{\"type\":\"RECORD\",\"stream\":\"a\",\"record\":{{\"n\":{n}}}}}\n");
    for line in [schema("a", false) + "\n", record("1"), record("123456789012345678901234"), record("3")] {
        decoder.feed(line.as_bytes(), Now::default()).unwrap();
    }
    decoder.end(Now::default()).unwrap();
    let mut steps = Vec::new();
    drain(&mut decoder, &mut steps);
    let [
        LoadStep::Table(_),
        LoadStep::Batch { batch: first, .. },
        LoadStep::Table(wide),
        LoadStep::Batch { batch: second, .. },
        LoadStep::End(None),
    ] = &steps[..]
    else {
        panic!("{steps:?}")
    };
    assert_eq!((first.num_rows(), second.num_rows()), (1, 2));
    assert_eq!(wide.schema.columns[0].column_type.to_string(), "numeric");
    assert_eq!(second.column(0).as_string::<i32>().value(0), "123456789012345678901234");
}

/// What the steps are, in a word each; a table with its version column is another.
fn words(lines: &[&str]) -> String {
    let mut decoder = decoder(DecodeLimits::default());
    for line in lines {
        decoder.feed(format!("{line}\n").as_bytes(), Now::default()).unwrap();
    }
    decoder.end(Now::default()).unwrap();
    let mut steps = Vec::new();
    drain(&mut decoder, &mut steps);
    let word = |step: &LoadStep| match step {
        LoadStep::Table(table) if table.schema.column("_sdc_table_version").is_some() => "versioned",
        LoadStep::Table(_) => "table",
        LoadStep::Batch { .. } => "batch",
        LoadStep::ActivateVersion { .. } => "activate",
        LoadStep::FileAccepted(_) => "file",
        LoadStep::Checkpoint(_) => "checkpoint",
        LoadStep::End(None) => "end",
        LoadStep::End(Some(_)) => "end with a STATE",
    };
    steps.iter().map(word).collect::<Vec<_>>().join(" ")
}

/// A table that were made at the SCHEMA would at once be altered.
#[test]
fn a_table_is_made_with_its_version_where_that_comes_before_its_records_or_with_them() {
    let schema = schema("a", false);
    let (state, activate) =
        (r#"{"type":"STATE","value":1}"#, r#"{"type":"ACTIVATE_VERSION","stream":"a","version":1}"#);
    let plain = r#"{"type":"RECORD","stream":"a","record":{"n":1}}"#;
    let of_version = r#"{"type":"RECORD","stream":"a","version":1,"record":{"n":1}}"#;
    // At the end once more: only then are all of the version there, and nothing else is to stay.
    let announced = "versioned activate batch checkpoint activate end";
    assert_eq!(words(&[&schema, activate, of_version, state]), announced);
    assert_eq!(words(&[&schema, activate, of_version, activate]), "versioned activate batch activate end");
    assert_eq!(words(&[&schema, of_version, activate]), "versioned batch activate end");
    assert_eq!(words(&[state, &schema, activate]), "checkpoint versioned activate end");
    assert_eq!(words(&[&schema, state, activate]), "versioned checkpoint activate end");
    assert_eq!(words(&[&schema, plain, activate]), "table batch versioned activate end");
    // A stream without records has its table with the next checkpoint, or at the end.
    assert_eq!(words(&[&schema, state]), "table checkpoint end");
    assert_eq!(words(&[&schema]), "table end");
}

/// A commit for each file would cost more than its records.
#[test]
fn a_state_that_is_not_due_is_no_checkpoint_once_more_records_are_out() {
    let acts: Vec<Act> = (0..4).flat_map(|_| [Act::File(0, 2), Act::State]).collect();
    let broken_off = [&acts[..], &[Act::File(0, 2)]].concat();
    let last = play(&broken_off, &DecodeLimits::default()).0.pop();
    assert!(matches!(last, Some(LoadStep::End(Some(state))) if state.as_str() == "8"));
    let checkpoints = |limits: &DecodeLimits| {
        let (steps, _) = play(&acts, limits);
        steps.iter().filter(|step| matches!(step, LoadStep::Checkpoint(_))).count()
    };
    assert_eq!(checkpoints(&DecodeLimits::default()), 1, "the last one alone");
    assert_eq!(checkpoints(&DecodeLimits { checkpoint_bytes: 1, ..DecodeLimits::default() }), 4);
}

/// I4
#[test]
fn all_open_batches_share_one_budget() {
    let limits = DecodeLimits { open_bytes: 4 << 20, checkpoint_bytes: u64::MAX, ..DecodeLimits::default() };
    let mut decoder = decoder(limits);
    let (mut accepted, mut out) = (0_usize, 0_usize);
    for stream in 0..20 {
        let name = format!("s{stream}");
        let text = r#"{"properties":{"t":{"type":"string"}}}"#;
        let schema = format!(r#"{{"type":"SCHEMA","stream":"{name}","schema":{text},"key_properties":[]}}"#);
        decoder.feed(format!("{schema}\n").as_bytes(), Now::default()).unwrap();
        for _ in 0..20 {
            let value = "x".repeat(70_000);
            let record = format!(r#"{{"type":"RECORD","stream":"{name}","record":{{"t":"{value}"}}}}"#);
            decoder.feed(format!("{record}\n").as_bytes(), Now::default()).unwrap();
            accepted += value.len();
            while let Some(step) = decoder.next_step() {
                if let LoadStep::Batch { batch, .. } = step {
                    out += batch.num_rows() * value.len();
                }
            }
            assert!(accepted - out <= 5 << 20, "{} bytes are held", accepted - out);
        }
    }
    assert!(out > 0);
}

#[test]
fn time_goes_to_the_stream_whose_records_came() {
    let mut decoder = decoder(DecodeLimits::default());
    let at = |seconds| Now { elapsed: Duration::from_secs(seconds), ..Now::default() };
    let record =
        |stream: &str| format!("{{\"type\":\"RECORD\",\"stream\":\"{stream}\",\"record\":{{\"n\":1}}}}\n");
    let both = format!("{}\n{}\n", schema("a", false), schema("b", false));
    for (seconds, text) in
        [(0, both), (1, record("a")), (4, record("a")), (5, record("b")), (15, record("a"))]
    {
        decoder.feed(text.as_bytes(), at(seconds)).unwrap();
    }
    decoder.end(at(15)).unwrap();
    let (mut steps, mut times) = (Vec::new(), Vec::new());
    drain(&mut decoder, &mut steps);
    for step in steps {
        if let LoadStep::Batch { stream, reading, .. } = step {
            times.push((stream.to_string(), reading.as_secs()));
        }
    }
    assert_eq!(times, [("a".to_owned(), 4), ("b".to_owned(), 10)]);
}

/// Feeds a file of these lines behind this BATCH message, and gives the first error.
fn file(decoder: &mut Decoder, message: &str, lines: &[&str]) -> Result<(), DecodeError> {
    decoder.feed(format!("{message}\n").as_bytes(), Now::default())?;
    let _ = decoder.waiting_batch().expect("a BATCH message");
    for (number, line) in (1..).zip(lines) {
        let taken = decoder.file_line(number, line.as_bytes());
        taken.map_err(|source| decoder.file_error("a.jsonl", source))?;
    }
    decoder.file_end(None);
    decoder.files_end()
}

const BATCH: &str = r#"{"type":"BATCH","stream":"a","encoding":{"format":"jsonl","compression":null},"manifest":["a.jsonl"]}"#;

#[test]
fn nothing_behind_a_batch_message_is_read_before_its_files() {
    let mut decoder = decoder(DecodeLimits::default());
    let state = r#"{"type":"STATE","value":1}"#;
    let text = format!("{}\n{BATCH}\n{state}", schema("a", false));
    decoder.feed(text.as_bytes(), Now::default()).unwrap();
    assert!(decoder.waiting_batch().is_some() && decoder.waiting_batch().is_none());
    decoder.file_line(1, b"{\"n\":1}").unwrap();
    decoder.file_end(Some("a.jsonl".into()));
    decoder.files_end().unwrap();
    decoder.end(Now::default()).unwrap();
    let mut steps = Vec::new();
    drain(&mut decoder, &mut steps);
    assert!(
        matches!(
            &steps[..],
            [
                LoadStep::Table(_),
                LoadStep::Batch { .. },
                LoadStep::FileAccepted(_),
                LoadStep::Checkpoint(_),
                LoadStep::End(None)
            ]
        ),
        "{steps:?}"
    );
}

#[test]
fn a_file_has_the_version_that_its_message_names_or_that_was_announced() {
    let versions = |messages: &[&str], batch: &str| {
        let mut decoder = decoder(DecodeLimits::default());
        for line in [schema("a", false).as_str()].iter().chain(messages) {
            decoder.feed(format!("{line}\n").as_bytes(), Now::default()).unwrap();
        }
        file(&mut decoder, batch, &["{\"n\":1}", "{\"n\":2}"]).unwrap();
        decoder.end(Now::default()).unwrap();
        let mut steps = Vec::new();
        drain(&mut decoder, &mut steps);
        steps.iter().find_map(|step| match step {
            LoadStep::Batch { batch, .. } => Some(
                batch
                    .column_by_name("_sdc_table_version")
                    .map(|v| v.as_primitive::<Int64Type>().values().to_vec()),
            ),
            _ => None,
        })
    };
    let activate = r#"{"type":"ACTIVATE_VERSION","stream":"a","version":7}"#;
    assert_eq!(versions(&[], BATCH), Some(None));
    assert_eq!(versions(&[activate], BATCH), Some(Some(vec![7, 7])));
    let own = BATCH.replace("\"type\"", "\"version\":8,\"type\"");
    assert_eq!(versions(&[activate], &own), Some(Some(vec![8, 8])));
}

#[test]
fn what_is_wrong_in_a_file_is_told_with_its_line_and_without_a_value() {
    let refused = |lines: &[&str]| {
        let mut decoder = decoder(DecodeLimits::default());
        decoder.feed(format!("{}\n", schema("a", false)).as_bytes(), Now::default()).unwrap();
        let error = file(&mut decoder, BATCH, lines).expect_err("must be refused");
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
        let DecodeError::File { line: 2, stream, file, source } = error else { panic!("{error:?}") };
        assert_eq!((stream.as_str(), file.as_str()), ("a", "a.jsonl"));
        (source.code(), source.to_string())
    };
    let (code, text) = refused(&["{\"n\":1}", "{\"n\":\"secret"]);
    assert!(code == "E0244" && text.contains("line 2 of it is not JSON"), "{text}");
    let (code, text) = refused(&["{\"n\":1} {}"]);
    assert!(code == "E0244" && text.contains("line 1"), "{text}");
    let (code, text) = refused(&["{\"n\":1}", "{\"n\":\"secret\"}"]);
    assert!(code == "E0220" && text.contains("record 2 of it"), "{text}");
}
