//! `ACTIVATE_VERSION` over several runs of a target that keeps no STATE of its own.

use serde_json::json;

use super::{Alone, Place, SCHEMA, record, state};

/// A record of a version.
fn of(version: u64, id: u32) -> String {
    record(id).replace("\"record\":", &format!("\"version\":{version},\"record\":"))
}

fn activate(version: u64) -> String {
    format!("{{\"type\":\"ACTIVATE_VERSION\",\"stream\":\"items\",\"version\":{version}}}\n")
}

#[test]
fn a_version_of_an_earlier_run_stays_and_one_that_is_older_goes() {
    for alone in Alone::each() {
        if matches!(alone.place, Place::Folder(_)) {
            continue; // Files are appended to: nothing is removed there.
        }
        for announced_first in [true, false] {
            let (old, new) = if announced_first { (5, 6) } else { (7, 8) };
            let (before, after) =
                if announced_first { (activate(new), String::new()) } else { (String::new(), activate(new)) };
            let run = |messages: String| {
                let loaded =
                    alone.with(&json!({})).load(format!("{SCHEMA}{messages}{}", state("{\"at\":1}")));
                let _ = loaded.expect_code(0);
                alone.ids()
            };
            let place = format!("{}, announced first: {announced_first}", alone.name);
            assert_eq!(run(format!("{}{}{}", of(old, 1), of(old, 2), activate(old))), ["1", "2"], "{place}");
            assert_eq!(run(format!("{before}{}{}{after}", of(new, 2), of(new, 3))), ["2", "3"], "{place}");
            // A further run of the same version sends what has changed alone, as taps do that go on from a STATE.
            assert_eq!(run(format!("{before}{}{after}", of(new, 4))), ["2", "3", "4"], "{place}");
            // Nothing new at all, and an announcement of what went long ago.
            assert_eq!(run(format!("{}{}", activate(new), activate(old))), ["2", "3", "4"], "{place}");
        }
    }
}
