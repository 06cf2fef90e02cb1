use conformance::{Report, test_target};

use crate::harness::{LIMITS, double, each_fails_alone};

const CHECKS: [&str; 24] = [
    "help",
    "about",
    "exit",
    "stdout",
    "state-order",
    "last-state",
    "state-bytes",
    "blank-lines",
    "unknown-messages",
    "half-line",
    "not-json",
    "record-before-schema",
    "missing-key",
    "framing",
    "states",
    "keys",
    "names",
    "schemas",
    "values",
    "versions",
    "recorded",
    "sigterm",
    "closed-stdout",
    "processes",
];

async fn tested(fault: &str) -> Report {
    test_target(&double("target.py", fault), LIMITS).await.unwrap()
}

#[tokio::test]
async fn each_check_of_a_target_fails_on_its_double_and_no_other_does() {
    each_fails_alone(&tested("nothing").await, tested, &CHECKS).await;
}
