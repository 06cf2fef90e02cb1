//! The types of PostgreSQL, with values of each: those at the edge, and any.

use proptest::collection::vec;
use proptest::prelude::*;

/// A type of the source.
#[derive(Debug)]
pub(super) struct Kind {
    /// As a column of it is declared.
    pub(super) sql: &'static str,
    /// What the column is in the copy.
    pub(super) copy: &'static str,
    edges: &'static [&'static str],
    any: fn() -> BoxedStrategy<String>,
}

/// What the types below need.
pub(super) const SETUP: &str = "
CREATE SCHEMA shop;
CREATE TYPE shop.mood AS ENUM ('sad', 'ok', 'it''s {\"so\", so}');
CREATE TYPE shop.pair AS (a int, b text, c numeric[]);
CREATE DOMAIN shop.positive AS numeric(9,2) CHECK (VALUE > 0);
CREATE DOMAIN shop.small AS shop.positive;
CREATE DOMAIN shop.word AS varchar(5)";

impl Kind {
    /// The declaration of a column of lists, so deep.
    pub(super) fn declared(&self, depth: usize) -> String {
        self.sql.to_owned() + &"[]".repeat(depth)
    }

    /// An SQL expression of it.
    fn value(&self) -> BoxedStrategy<String> {
        let sql = self.sql;
        let typed = move |expression: String| format!("({expression})::{sql}");
        let edges = proptest::sample::select(self.edges).prop_map(quoted);
        prop_oneof![edges, (self.any)()].prop_map(typed).boxed()
    }

    /// An SQL expression of a cell, in lists as deep as that.
    pub(super) fn cell(&self, depth: usize) -> BoxedStrategy<String> {
        let null = || Just("NULL".to_owned());
        let item = move |value: BoxedStrategy<String>| prop_oneof![1 => null(), 7 => value].boxed();
        let declared = self.declared(depth);
        let list = move |items: Vec<String>| format!("ARRAY[{}]::{declared}", items.join(", "));
        match depth {
            0 => item(self.value()),
            1 => item(vec(item(self.value()), 0..4).prop_map(list).boxed()),
            // The lists in a list have one length.
            _ => {
                let (value, inner) = (item(self.value()), self.declared(1));
                let row = move |items: &[String]| format!("ARRAY[{}]::{inner}", items.join(", "));
                let rows = (0..3_usize, 1..3_usize)
                    .prop_flat_map(move |(rows, width)| vec(vec(value.clone(), width), rows));
                item(rows.prop_map(move |rows| list(rows.iter().map(|items| row(items)).collect())).boxed())
            }
        }
    }
}

fn quoted(text: impl AsRef<str>) -> String {
    format!("'{}'", text.as_ref().replace('\'', "''"))
}

fn none() -> BoxedStrategy<String> {
    Just("NULL".to_owned()).boxed()
}

fn of<T: std::fmt::Display + std::fmt::Debug>(
    strategy: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<String> {
    strategy.prop_map(|value| quoted(value.to_string())).boxed()
}

fn numeric() -> BoxedStrategy<String> {
    of("-?[0-9]{1,45}(\\.[0-9]{1,45})?(e-?[0-9]{1,2})?")
}

fn cents(most: i64) -> BoxedStrategy<String> {
    of((-most..most).prop_map(|cents| format!("{cents}e-2")))
}

/// No server holds a NUL.
fn text() -> impl Strategy<Value = String> {
    let plane = prop_oneof![any::<String>(), "(?s).{0,20}", "[ -~]{0,40}", "[\\t\\r\\n\\\\\"',{} ]{0,9}"];
    plane.prop_map(|text| text.replace('\0', ""))
}

fn texts() -> BoxedStrategy<String> {
    of(text())
}

fn of_length(most: usize) -> BoxedStrategy<String> {
    of(text().prop_map(move |text| text.chars().take(most).collect::<String>()))
}

fn document() -> impl Strategy<Value = String> {
    let string = || text().prop_map(|text| serde_json::Value::from(text).to_string());
    let number = "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?";
    let leaf = prop_oneof![Just("true".to_owned()), Just("null".to_owned()), number, string()];
    let document = leaf.prop_recursive(3, 12, 4, move |inner| {
        let member = (string(), "[ \\t\\r\\n]{0,2}", inner.clone());
        let member = member.prop_map(|(name, blank, value)| format!("{name}{blank}:{blank}{value}"));
        let list = (vec(inner, 0..4), "[ \\t\\r\\n]{0,2}");
        prop_oneof![
            list.prop_map(|(items, blank)| format!("[{blank}{}{blank}]", items.join(","))),
            vec(member, 0..4).prop_map(|members| format!("{{{}}}", members.join(" , "))),
        ]
    });
    // The document `null` is the same as NULL: see `documents` beside this.
    document.prop_filter("null is told elsewhere", |document| document != "null")
}

/// In the calendar, near and far.
fn days() -> BoxedStrategy<String> {
    let near = -900_000..3_000_000_i32;
    prop_oneof![near, -2_451_507..2_145_031_411_i32]
        .prop_map(|days| format!("'2000-01-01'::date + {days}"))
        .boxed()
}

fn instants() -> BoxedStrategy<String> {
    let near = -800_000..3_000_000_i32;
    // DuckDB's years end 30 before PostgreSQL's.
    let days = prop_oneof![near, -2_451_507..106_000_000_i32];
    let instant =
        |(days, micros)| format!("'2000-01-01Z'::timestamptz + interval '{days} days {micros} microseconds'");
    (days, 0..86_400_000_000_i64).prop_map(instant).boxed()
}

fn zoneless() -> BoxedStrategy<String> {
    instants().prop_map(|instant| format!("({instant}) AT TIME ZONE 'UTC'")).boxed()
}

fn micros() -> impl Strategy<Value = String> {
    (0..86_400_000_000_i64).prop_map(|micros| format!("'00:00'::time + interval '{micros} microseconds'"))
}

fn zoned_times() -> BoxedStrategy<String> {
    let offset = (prop_oneof!["\\+", "-"], 0..16, 0..60, 0..60);
    let text = |(time, (sign, hour, minute, second))| {
        format!("({time})::text || '{sign}{hour:02}:{minute:02}:{second:02}'")
    };
    (micros(), offset).prop_map(text).boxed()
}

fn intervals() -> BoxedStrategy<String> {
    let parts = (any::<i32>(), any::<i32>(), -1_000_000_000_000_i64..1_000_000_000_000);
    of(parts.prop_map(|(months, days, micros)| format!("{months} mons {days} days {micros} microseconds")))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold("\\x".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

fn ranges(bounds: BoxedStrategy<String>, kind: &'static str) -> BoxedStrategy<String> {
    let ends = proptest::sample::select(&["[]", "[)", "(]", "()"][..]);
    let range = move |(one, other, ends)| {
        format!("{kind}(least({one}, {other}), greatest({one}, {other}), '{ends}')")
    };
    (bounds.clone(), bounds, ends).prop_map(range).boxed()
}

fn addresses() -> BoxedStrategy<String> {
    let four = (any::<u32>(), 0..=32_u8)
        .prop_map(|(address, bits)| format!("{}/{bits}", std::net::Ipv4Addr::from(address)));
    let six = (any::<u128>(), 0..=128_u8)
        .prop_map(|(address, bits)| format!("{}/{bits}", std::net::Ipv6Addr::from(address)));
    of(prop_oneof![four, six])
}

macro_rules! kinds {
    ($($sql:literal => $copy:literal, $edges:expr, $any:expr;)*) => {
        /// All of them.
        pub(super) static KINDS: &[Kind] =
            &[$(Kind { sql: $sql, copy: $copy, edges: &$edges, any: || $any }),*];
    };
}

kinds! {
    "boolean" => "boolean", ["t", "f"], of(any::<bool>());
    "smallint" => "bigint", ["-32768", "32767", "0"], of(any::<i16>());
    "integer" => "bigint", ["-2147483648", "2147483647"], of(any::<i32>());
    "bigint" => "bigint", ["-9223372036854775808", "9223372036854775807"], of(any::<i64>());
    "oid" => "bigint", ["0", "4294967295"], of(any::<u32>());
    "real" => "double precision", ["NaN", "Infinity", "-Infinity", "-0", "1e-45", "3.4028235e38", "0.1"],
        of(any::<f32>());
    "double precision" => "double precision", ["NaN", "Infinity", "-Infinity", "-0", "5e-324",
        "1.7976931348623157e308", "0.1"],
        of(any::<f64>());
    "numeric" => "numeric", ["NaN", "Infinity", "-Infinity", "-0.00", "1e300", "1e-300",
        "0.00000000000000000000000000000000000000001",
        "99999999999999999999999999999999999999", "100000000000000000000000000000000000000", "1.50",
        "9007199254740993"],
        numeric();
    "numeric(14,2)" => "numeric(14,2)", ["999999999999.99", "-999999999999.99", "0", "-0.01", "NaN"],
        cents(100_000_000_000_000);
    "numeric(38,8)" => "numeric(38,8)", ["999999999999999999999999999999.99999999", "-0.00000001", "0.1"],
        cents(1 << 62);
    "numeric(38,0)" => "numeric(38,0)", ["99999999999999999999999999999999999999", "-1"],
        of(any::<i128>().prop_map(|n| n / 2));
    "numeric(50,10)" => "numeric", ["9999999999999999999999999999999999999999.9999999999", "0"],
        cents(1 << 62);
    "numeric(5,-2)" => "numeric", ["1234567", "-9999949", "49"], of(-9_999_900..9_999_900_i64);
    "numeric(2,4)" => "numeric", ["0.0099", "-0.0001"],
        of(-99..=99_i64).prop_map(|n| format!("{n}::numeric / 10000")).boxed();
    "text" => "text", ["", " ", "null", "NULL", "\\N", "\r\n", "\u{feff}", "\u{1F600}", "{}", "\\x00",
        "a\tb", "\u{7f}\u{1}", "infinity"], texts();
    "varchar" => "text", ["", "é"], texts();
    "varchar(10)" => "text", ["", "          ", "\u{1F600}"], of_length(10);
    "char(5)" => "text", ["", "a", " a", "abcde", "\u{1F600}"], of_length(5);
    "name" => "text", ["", "a\"b"], of("[a-z'\"é{}, ]{0,20}");
    "\"char\"" => "text", ["a", "\\", " ", "\\200"], of("[ -~]");
    "json" => "jsonb", ["{}", "[]", "\"\"", "\"null\"", " 1 ", "{\"a\": 1, \"a\": 2}",
        "[1.0, 1e2, -0, 1E+2, 0.10]",
        "\"\\u00e9\\ud83d\\ude00\\/\\b\"", "{\"\": {\"\\u0001\": null}}",
        "12345678901234567890123456789012345678901234567890"],
        of(document());
    "jsonb" => "jsonb", ["{}", "[]", "\"\"", "\"null\"", "1", "[1.0, 1e2, -0, 0.10]",
        "{\"b\": 1, \"a\": [null, true]}", "\"\\u00e9\\ud83d\\ude00\""],
        of(document());
    "date" => "date", ["0044-03-15 BC", "4713-01-01 BC", "0001-01-01", "0001-12-31 BC", "9999-12-31",
        "10000-01-01",
        "5874897-12-31", "2024-02-29", "1900-02-28"], days();
    "time" => "time without time zone", ["24:00", "00:00", "23:59:59.999999", "12:00:00.1"], micros().boxed();
    "time(3)" => "time without time zone", ["24:00", "23:59:59.9996"], micros().boxed();
    "timetz" => "time with time zone", ["24:00+00", "00:00-15:59:59", "23:59:59.999999+15:59:59",
        "04:05:06.5+05:30"], zoned_times();
    "timestamp" => "timestamp without time zone", ["0044-03-15 12:00:00.5 BC", "4713-01-01 BC",
        "9999-12-31 23:59:59.999999",
        "10000-01-01", "294246-12-31 23:59:59.999999", "0001-01-01", "0001-12-31 23:59:59.999999 BC",
        "1970-01-01"], zoneless();
    "timestamp(0)" => "timestamp without time zone", ["1999-12-31 23:59:59.5"], zoneless();
    "timestamptz" => "timestamp with time zone", ["0044-03-15 12:00:00.5Z BC", "4713-01-01 00:00Z BC",
        "9999-12-31 23:59:59.999999Z",
        "10000-01-01 00:00Z", "0001-01-01 00:00Z", "0001-12-31 23:59:59.999999Z BC",
        "2024-02-29 03:04:05.12+05:30"], instants();
    "interval" => "interval", ["0", "-1 mons 1 days -00:00:00.000001", "178000000 years",
        "1 year -2 mons 3 days 04:05:06.7", "2562047788 hours"], intervals();
    "interval year to month" => "interval", ["1 year 2 mons", "-1 mons"], intervals();
    "uuid" => "uuid", ["00000000-0000-0000-0000-000000000000", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"],
        of(any::<u128>().prop_map(|number| format!("{number:032x}")));
    "bytea" => "bytea", ["\\x", "\\x00", "\\x5c78", "\\xff00fe"], of(vec(any::<u8>(),
        0..40).prop_map(|bytes| hexadecimal(&bytes)));
    "money" => "text", ["0", "-92233720368547758.08", "92233720368547758.07"],
        any::<i64>().prop_map(|cents| format!("({cents}::numeric / 100)")).boxed();
    "inet" => "text", ["10.0.0.1/8", "10.0.0.1", "::1", "::ffff:1.2.3.4/96", "0.0.0.0/0"], addresses();
    "cidr" => "text", ["10.0.0.0/8", "::/0"], addresses().prop_map(|text| format!("network({text})")).boxed();
    "macaddr" => "text", ["08:00:2b:01:02:03"], of("[0-9a-f]{12}");
    "macaddr8" => "text", ["08:00:2b:01:02:03:04:05"], of("[0-9a-f]{16}");
    "bit(3)" => "text", ["000", "101"], of("[01]{3}");
    "bit varying" => "text", ["", "1"], of("[01]{0,70}");
    "xml" => "text", ["<a/>", "text", "<?xml version=\"1.0\"?><a b='\"'>\n&lt;<![CDATA[]]>\u{1F600}</a>",
        ""], none();
    "tsvector" => "text", ["", "'a ''b' c:1A,2", "\\\\x"],
        texts().prop_map(|text| format!("to_tsvector('simple', {text})")).boxed();
    "tsquery" => "text", ["", "'a' & !'b' | ( 'c' <-> 'd e':*A )"], none();
    "int4range" => "text", ["empty", "(,)", "[1,)", "[1,1]"],
        ranges(any::<i32>().prop_map(|n| format!("({})", n / 2)).boxed(), "int4range");
    "numrange" => "text", ["empty", "(1.50,NaN]"],
        ranges(any::<i32>().prop_map(|n| format!("({n}) / 7.0")).boxed(), "numrange");
    "daterange" => "text", ["empty", "[-infinity,infinity]", "[0044-03-15 BC,)"],
        ranges((0..3_000_000_i32).prop_map(|days| format!("date '2000-01-01' + {days}")).boxed(),
        "daterange");
    "tsrange" => "text", ["empty", "[\"2024-01-01 00:00:00.5\",infinity)"], none();
    "tstzrange" => "text", ["(,2024-01-01 00:00+05:30)"], none();
    "int8multirange" => "text", ["{}", "{[1,3),[5,)}", "{(,)}"], none();
    "point" => "text", ["(0,-0)", "(1e300,-1e-300)", "(NaN,Infinity)"], of((any::<f64>(),
        any::<f64>()).prop_map(|(x, y)| format!("({x:e},{y:e})")));
    "lseg" => "text", ["[(0,0),(1,1)]"], none();
    "box" => "text", ["(1,1),(0,0)", "(0,0),(0,0)"], none();
    "path" => "text", ["((0,0),(1,1))", "[(0,0),(1,1)]"], none();
    "polygon" => "text", ["((0,0),(1,1),(2,0))"], none();
    "circle" => "text", ["<(0,0),1.5>"], none();
    "pg_lsn" => "text", ["0/0", "FFFFFFFF/FFFFFFFF"], of("[0-9A-F]{1,8}/[0-9A-F]{1,8}");
    "jsonpath" => "text", ["$.a[*] ? (@ > 1.50)", "strict $"], none();
    "regclass" => "text", ["pg_class", "0"], none();
    "shop.mood" => "text", ["sad", "it's {\"so\", so}"], none();
    "shop.pair" => "text", ["(,,)", "(1,\"x \"\" y\\\\\",\"{1.50,NULL}\")", "(-1,\"\",{})"], none();
    "shop.positive" => "numeric(9,2)", ["0.01", "9999999.99"], none();
    "shop.small" => "numeric(9,2)", ["3.10"],
        of((1..999_999_999_i64).prop_map(|cents| format!("{cents}e-2")));
    "shop.word" => "text", ["", "it's"], of_length(5);
    "hstore" => "text", ["", "a=>1, \"b c\"=>NULL, \"d\"=>\"\\\"\""], of("[a-z]=>[a-z]{1,3}");
}
