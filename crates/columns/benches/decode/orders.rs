//! The order stream of the benchmark, from a seed.

use std::fmt::Write as _;

/// Its SCHEMA message.
pub(crate) const SCHEMA: &str = r#"{"type": "SCHEMA", "stream": "orders", "key_properties": ["id"], "bookmark_properties": ["updated_at"], "schema": {"type": "object", "properties": {
    "id": {"type": ["integer"]},
    "order_uuid": {"type": ["null", "string"], "format": "uuid"},
    "customer_id": {"type": ["null", "integer"]},
    "customer_email": {"type": ["null", "string"]},
    "status": {"type": ["null", "string"]},
    "currency": {"type": ["null", "string"]},
    "amount": {"type": ["null", "number"], "multipleOf": 0.01},
    "discount": {"type": ["null", "number"]},
    "quantity": {"type": ["null", "integer"]},
    "is_gift": {"type": ["null", "boolean"]},
    "note": {"type": ["null", "string"]},
    "tags": {"type": ["null", "array"], "items": {"type": "string"}},
    "shipping": {"type": ["null", "object"], "properties": {"city": {"type": ["null", "string"]}, "zip": {"type": ["null", "string"]}, "lat": {"type": ["null", "number"]}}},
    "created_at": {"type": ["null", "string"], "format": "date-time"},
    "updated_at": {"type": ["null", "string"], "format": "date-time"}}}}"#;

const STATUS: [&str; 6] = ["pending", "paid", "shipped", "delivered", "returned", "cancelled"];
const CURRENCY: [&str; 3] = ["USD", "EUR", "JPY"];
const WORDS: [&str; 18] = [
    "the",
    "quick",
    "brown",
    "fox",
    "jumps",
    "over",
    "a",
    "lazy",
    "dog",
    "while",
    "naïve",
    "café",
    "owners",
    "sip",
    "“tea”",
    "and",
    "count",
    "日本",
];
const CITY: [&str; 8] = ["Berlin", "São Paulo", "東京", "New York", "Kraków", "Lagos", "Montréal", "Mumbai"];

/// A small generator of numbers that is the same everywhere (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        let at = self.below(of.len() as u64);
        of[usize::try_from(at).unwrap_or_default()]
    }
}

/// RECORD messages, with a STATE after every ten thousand.
pub(crate) fn lines(records: u64) -> Vec<u8> {
    let mut numbers = Numbers(1042);
    let mut out = String::new();
    for id in 1..=records {
        record(id, &mut numbers, &mut out);
        if id % 10_000 == 0 {
            let _ = writeln!(
                out,
                r#"{{"type": "STATE", "value": {{"bookmarks": {{"orders": {{"seen": {id}}}}}}}}}"#
            );
        }
    }
    out.into_bytes()
}

/// One line with the spaces that Python's `json.dumps` writes.
fn record(id: u64, numbers: &mut Numbers, out: &mut String) {
    let uuid = (numbers.next(), numbers.next());
    let created = (id * 37 % 150_000_000, numbers.below(1_000_000));
    let _ = write!(out, r#"{{"type": "RECORD", "stream": "orders", "record": {{"id": {id}, "order_uuid": ""#);
    let _ = write!(
        out,
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        uuid.0 >> 32,
        uuid.0 >> 16 & 0xffff,
        uuid.0 & 0xfff,
        uuid.1 >> 48 & 0xfff,
        uuid.1 & 0xffff_ffff_ffff
    );
    let _ = write!(out, r#"", "customer_id": {}, "customer_email": "#, 1 + numbers.below(199_999));
    if numbers.below(100) < 2 {
        out.push_str("null");
    } else {
        let _ = write!(out, r#""user{}@example.com""#, numbers.below(200_000));
    }
    let _ = write!(
        out,
        r#", "status": "{}", "currency": "{}", "amount": {:.2}, "discount": "#,
        numbers.pick(&STATUS),
        numbers.pick(&CURRENCY),
        numbers.fraction() * 1000.0
    );
    if numbers.below(2) == 0 {
        out.push_str("null");
    } else {
        let _ = write!(out, "{}", numbers.fraction());
    }
    let _ = write!(
        out,
        r#", "quantity": {}, "is_gift": {}, "note": "#,
        1 + numbers.below(19),
        numbers.below(10) == 0
    );
    match numbers.below(14) {
        0 => out.push_str("null"),
        count => {
            let words: Vec<_> = (0..count).map(|_| numbers.pick(&WORDS)).collect();
            let _ = write!(out, "\"{}\"", words.join(" "));
        }
    }
    let tags: Vec<_> = (0..numbers.below(4)).map(|_| format!("\"{}\"", numbers.pick(&WORDS))).collect();
    let _ = write!(
        out,
        r#", "tags": [{}], "shipping": {{"city": "{}", "zip": "{:05}", "lat": {:.5}}}, "#,
        tags.join(", "),
        numbers.pick(&CITY),
        numbers.below(100_000),
        numbers.fraction() * 180.0 - 90.0
    );
    let updated = created.0 + numbers.below(10_000_000);
    let _ = write!(
        out,
        r#""created_at": "{}", "updated_at": "{}"}}, "#,
        instant(created.0, created.1),
        instant(updated, created.1)
    );
    out.push_str("\"time_extracted\": \"2026-11-23T00:00:00.000000Z\"}\n");
}

/// Seconds since 2020-01-01 and microseconds, as Python's `isoformat` writes it. Months are all of 30 days here.
fn instant(seconds: u64, micros: u64) -> String {
    let days = seconds / 86_400;
    let (year, month, day) = (2020 + days / 360, days / 30 % 12 + 1, days % 28 + 1);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}+00:00")
}
