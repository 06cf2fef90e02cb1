//! Records held against all words of their SCHEMA, where that is asked for.

use columns::{RecordError, RecordProblem, SchemaRefused, StreamName, record_validator};
use serde_json::Value;
use singer::SchemaMessage;

/// What a stream's records are held against.
pub(crate) struct Validation {
    schema: String,
    validator: jsonschema::Validator,
}

impl Validation {
    pub(crate) fn new(schema: &SchemaMessage) -> Result<Self, SchemaRefused> {
        let validator = record_validator(&schema.schema_text).map_err(|reason| SchemaRefused::Invalid {
            stream: StreamName::from(schema.stream.as_str()),
            reason,
        })?;
        Ok(Self { schema: schema.schema_text.clone(), validator })
    }

    /// Whether it is that of this SCHEMA.
    pub(crate) fn is_of(&self, schema: &SchemaMessage) -> bool {
        self.schema == schema.schema_text
    }

    /// What a record breaks first. A text that is not JSON is left to its reader.
    pub(crate) fn problem(&self, record: &str) -> Option<RecordError> {
        let record: Value = serde_json::from_str(record).ok()?;
        let error = self.validator.iter_errors(&record).find(|error| !is_not_finite(error.instance()))?;
        // No deeper: below it names may be data.
        let path = error.instance_path().to_string();
        let column = path.split('/').nth(1).unwrap_or_default().replace("~1", "/").replace("~0", "~");
        let keyword = error.kind().keyword().to_owned();
        Some(RecordError { column, problem: RecordProblem::Invalid { keyword } })
    }
}

/// NaN and the infinities come as texts, and numbers' columns take them.
fn is_not_finite(value: &Value) -> bool {
    value.as_str().is_some_and(|text| ["NaN", "Infinity", "-Infinity"].contains(&text))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use columns::ValueLimits;

    use crate::{DecodeError, DecodeLimits, Decoder, Now, StreamRule};

    const SCHEMA: &str = r#"{"type":"SCHEMA","stream":"a","key_properties":["id"],"schema":{"required":["id","v"],"properties":{
        "id":{"type":"integer","minimum":0,"exclusiveMinimum":true},"v":{"type":["null","string"],"maxLength":3},
        "n":{"type":"number"},"a/b":{"enum":["x"]}}}}"#;

    fn feed(validates: bool, lines: &[&str]) -> Result<u64, DecodeError> {
        let rules = Arc::new(move |_: &str| StreamRule { validates, ..StreamRule::default() });
        let mut decoder =
            Decoder::new(DecodeLimits::default(), ValueLimits::default(), rules, Now::default());
        decoder.feed(SCHEMA.replace('\n', "").as_bytes(), Now::default())?;
        for line in lines {
            decoder.feed(format!("\n{line}").as_bytes(), Now::default())?;
        }
        decoder.end(Now::default())?;
        Ok(decoder.records())
    }

    #[test]
    fn a_record_that_breaks_its_schema_is_refused_where_that_is_asked_for() {
        for (record, told) in [
            (r#"{"id":1,"v":"secret"}"#, "column `v`: it breaks `maxLength`"),
            (r#"{"id":0,"v":"x"}"#, "column `id`: it breaks `exclusiveMinimum`"),
            (r#"{"id":1}"#, "it breaks `required`"),
            (r#"{"id":1,"v":null,"a/b":"secret"}"#, "column `a/b`: it breaks `enum`"),
        ] {
            for line in [
                format!(r#"{{"type":"RECORD","stream":"a","record":{record}}}"#),
                format!(r#"{{"record":{record},"type":"RECORD","stream":"a"}}"#),
            ] {
                assert_eq!(feed(false, &[&line]).unwrap(), 1);
                let refused = feed(true, &[&line]).unwrap_err();
                let DecodeError::Record { line: 2, source, .. } = &refused else { panic!("{refused}") };
                let text = source.to_string();
                assert!(text.starts_with(told) && !text.contains("secret"), "{text}");
                assert_eq!(refused.code(), "E0234");
            }
        }
    }

    #[test]
    fn what_number_columns_take_is_no_fault_of_a_record() {
        let line =
            |n: &str| format!(r#"{{"type":"RECORD","stream":"a","record":{{"id":1,"v":"x","n":{n}}}}}"#);
        assert_eq!(feed(true, &[&line("NaN"), &line("1.0"), &line("-Infinity")]).unwrap(), 3);
    }

    #[test]
    fn a_later_schema_counts_from_there_on_though_its_table_is_the_same() {
        let longer = SCHEMA.replace('\n', "").replace("\"maxLength\":3", "\"maxLength\":4");
        let record = r#"{"type":"RECORD","stream":"a","record":{"id":1,"v":"four"}}"#;
        assert_eq!(feed(true, &[&longer, record]).unwrap(), 1);
        assert!(feed(true, &[record]).is_err());
        let broken = SCHEMA.replace('\n', "").replace("\"maxLength\":3", "\"maxLength\":\"3\"");
        assert_eq!(feed(true, &[&broken]).unwrap_err().code(), "E0235");
        assert_eq!(feed(false, &[&broken]).unwrap(), 0);
    }
}
