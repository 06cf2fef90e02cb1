//! Decoding a tap's lines into Arrow, beside serde_json skipping the same bytes.
fn main() {}
