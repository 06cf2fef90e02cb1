//! Where a run's time went, and what could be done about it.

use runner::{Bottleneck, RunSummary, StreamSummary, TimeSpent};

use super::{Align, Table, count, duration, size};

/// The report of `bench`; `relay` names the target where it is a program of its own.
pub(crate) fn time_spent(summary: &RunSummary, pipeline: &str, relay: Option<&str>) -> String {
    let time = &summary.time_spent;
    let mut text = String::new();
    if !summary.streams.is_empty() {
        text.push_str(&speed(&summary.streams, time));
        text.push('\n');
    }
    text.push_str(&parts(time, relay));
    text.extend(["\n", &advice(time, pipeline, relay), "\n"]);
    text
}

/// Records and bytes a second, of each stream and of all. For these the time begins with the tap's first byte.
fn speed(streams: &[StreamSummary], time: &TimeSpent) -> String {
    let mut table = Table::new(&[
        ("stream", Align::Left),
        ("records", Align::Right),
        ("size", Align::Right),
        ("time", Align::Right),
        ("records/s", Align::Right),
        ("size/s", Align::Right),
    ]);
    let mut line = |name: &str, records: u64, bytes: u64, seconds: f64| {
        let (mut took, mut records_rate, mut bytes_rate) = Default::default();
        // A target that is a program of its own does not tell of single streams.
        if seconds > 0.0 {
            took = duration(seconds);
            records_rate = count(rate(records, seconds));
            bytes_rate = format!("{}/s", size(rate(bytes, seconds)));
        }
        table.line([name.to_owned(), count(records), size(bytes), took, records_rate, bytes_rate]);
    };
    for stream in streams {
        line(&stream.stream, stream.records_read, stream.bytes, stream.seconds);
    }
    let (records, bytes) = streams
        .iter()
        .fold((0, 0), |(records, bytes), stream| (records + stream.records_read, bytes + stream.bytes));
    line("in all", records, bytes, time.whole() - time.start_up());
    table.render(0)
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate is shown in whole numbers"
)]
fn rate(number: u64, seconds: f64) -> u64 {
    (number as f64 / seconds) as u64
}

/// The parts with their shares of the whole.
fn parts(time: &TimeSpent, relay: Option<&str>) -> String {
    let whole = time.whole();
    let mut table =
        Table::new(&[("where the time went", Align::Left), ("time", Align::Right), ("share", Align::Right)]);
    let mut line = |what: &str, seconds: f64| {
        let share = if whole > 0.0 { seconds / whole * 100.0 } else { 0.0 };
        table.line([what.to_owned(), duration(seconds), format!("{share:.0} %")]);
    };
    line("asking the tap for its streams", time.discovering);
    line("connecting to the target", time.connecting);
    line("until the tap's first byte", time.starting);
    line("waiting for the tap", time.waiting_for_tap);
    line(if relay.is_some() { "passing on" } else { "decoding" }, time.decoding);
    if time.reading_files > 0.0 {
        line("reading files of BATCH messages", time.reading_files);
    }
    line("waiting for the target", time.waiting_for_target);
    if time.pausing > 0.0 {
        line("pausing before another attempt", time.pausing);
    }
    line("finishing, once all is read", time.finishing);
    line("the whole run", whole);
    if relay.is_none() {
        line("beside that, the target's side:", time.target_side());
        line("  waiting for records", time.waiting_for_records);
        line("  opening tables", time.opening_tables);
        line("  writing batches", time.writing_batches);
        line("  committing", time.committing);
    }
    table.render(0)
}

/// What is the slowest, and what could be done.
fn advice(time: &TimeSpent, pipeline: &str, relay: Option<&str>) -> String {
    match (time.bottleneck(), relay) {
        (Bottleneck::StartUp, _) => start_up(time),
        (Bottleneck::Tap, _) => "The tap is the slowest: all else waits for it. Let it read less (a replication \
            key, fewer streams, fewer columns), run it nearer to what it reads, or choose one that hands over files \
            (BATCH messages)."
            .to_owned(),
        (Bottleneck::Decoding, Some(_)) => "Passing the lines on is the slowest: tap and target wait for it. Lines \
            go through as they came where no column is left out; a target of tapster's own takes columns instead."
            .to_owned(),
        (Bottleneck::Decoding, None) if time.reading_files > time.decoding => "Reading the files of the tap's BATCH \
            messages is the slowest: `arrow` leaves least to do, `jsonl` most."
            .to_owned(),
        (Bottleneck::Decoding, None) => "Decoding is the slowest: tap and target wait for it. A tap that hands over \
            columns (BATCH messages with `arrow` or `parquet`) leaves less to do, and so do fewer columns; two \
            pipelines of half the streams use two cores."
            .to_owned(),
        (Bottleneck::Target, Some(name)) => format!(
            "The target {name} is the slowest: all else waits for it. It is a program of its own: what its settings \
             say of batches decides."
        ),
        (Bottleneck::Target, None) => warehouse(time),
        (Bottleneck::Pauses, _) => format!(
            "The pauses before another attempt are the longest: `tapster runs logs {pipeline}` tells what failed."
        ),
    }
}

fn start_up(time: &TimeSpent) -> String {
    let what = if time.discovering >= time.connecting.max(time.starting) {
        "the tap takes longest to tell its streams, which `discovery_cache: 12h` under `tap:` keeps"
    } else if time.connecting > time.starting {
        "the target takes longest until the run may begin"
    } else {
        "the tap takes longest until it says its first word"
    };
    format!("Start-up is the slowest: {what}. A run of more records tells more of the rest.")
}

fn warehouse(time: &TimeSpent) -> String {
    let what = if time.committing >= time.opening_tables.max(time.writing_batches) {
        "It commits most of that time: `limits:` with more `checkpoint_bytes` and a longer `checkpoint_every` makes \
         fewer commits, and `load_method: append-only` spares the merge where no record comes twice."
    } else if time.writing_batches >= time.opening_tables {
        "It takes batches most of that time: look at the network and the disk behind it, and load fewer columns."
    } else {
        "It opens tables most of that time: a change of a large table takes long, and only once."
    };
    format!("The warehouse is the slowest: all else waits for it. {what}")
}

#[cfg(test)]
mod tests {
    use runner::TimeSpent;

    use super::{advice, speed};

    #[test]
    fn the_slowest_is_named_with_what_could_be_done() {
        let none = TimeSpent { discovering: 0.2, connecting: 0.1, starting: 0.1, ..TimeSpent::default() };
        let slow = TimeSpent { waiting_for_target: 3.0, ..none };
        let told = |time: &TimeSpent| advice(time, "shop", None);
        for (time, words) in [
            (none, "Start-up is the slowest: the tap takes longest to tell its streams"),
            (TimeSpent { connecting: 0.3, ..none }, "Start-up is the slowest: the target takes longest"),
            (TimeSpent { starting: 0.3, ..none }, "Start-up is the slowest: the tap takes longest until"),
            (TimeSpent { waiting_for_tap: 2.0, ..none }, "The tap is the slowest"),
            (TimeSpent { decoding: 2.0, ..none }, "Decoding is the slowest"),
            (TimeSpent { decoding: 1.0, reading_files: 2.0, ..none }, "Reading the files of the tap's BATCH"),
            (
                TimeSpent { committing: 2.0, ..slow },
                "The warehouse is the slowest: all else waits for it. It commits",
            ),
            (TimeSpent { writing_batches: 2.0, ..slow }, "It takes batches most of that time"),
            (TimeSpent { opening_tables: 2.0, ..slow }, "It opens tables most of that time"),
            (TimeSpent { pausing: 2.0, ..none }, "`tapster runs logs shop`"),
        ] {
            assert!(told(&time).contains(words), "{words}: {}", told(&time));
        }
        let relayed = advice(&slow, "shop", Some("target-mine"));
        assert!(relayed.starts_with("The target target-mine is the slowest"), "{relayed}");
        let passing = advice(&TimeSpent { decoding: 2.0, ..none }, "shop", Some("target-mine"));
        assert!(passing.starts_with("Passing the lines on is the slowest"), "{passing}");
    }

    #[test]
    fn a_rate_needs_a_time_and_the_sum_begins_with_the_first_byte() {
        let stream = |stream: &str, seconds| runner::StreamSummary {
            stream: stream.to_owned(),
            records_read: 3000,
            bytes: 4 << 20,
            seconds,
            ..runner::StreamSummary::default()
        };
        let time = TimeSpent { discovering: 5.0, starting: 1.0, decoding: 2.0, ..TimeSpent::default() };
        let told = speed(&[stream("a", 1.0), stream("b", 0.0)], &time);
        let plain = anstream::adapter::strip_str(&told).to_string();
        assert_eq!(
            plain,
            "stream  records     size   time  records/s     size/s\n\
             a         3,000  4.0 MiB  1.0 s      3,000  4.0 MiB/s\n\
             b         3,000  4.0 MiB\n\
             in all    6,000  8.0 MiB  2.0 s      3,000  4.0 MiB/s\n"
        );
    }
}
