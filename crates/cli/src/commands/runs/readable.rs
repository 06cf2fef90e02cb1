use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

/// The log's lines for people: `03:19:05 checkpointed sequence=7`. Other text stays as it is.
pub(super) fn readable(log: &str) -> String {
    log.lines().map(|line| readable_line(line).unwrap_or_else(|| line.to_owned()) + "\n").collect()
}

fn readable_line(line: &str) -> Option<String> {
    let mut fields: Map<String, Value> = serde_json::from_str(line).ok()?;
    let time: DateTime<Utc> = fields.remove("timestamp")?.as_str()?.parse().ok()?;
    let event = fields.remove("event")?;
    let mut text = format!("{} {}", time.format("%H:%M:%S"), event.as_str()?.replace('_', " "));
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
        match value {
            Value::String(words) => text.push_str(&format!(" {name}={words}")),
            other => text.push_str(&format!(" {name}={other}")),
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::readable;

    #[test]
    fn events_are_read_as_text() {
        let log = concat!(
            "{\"timestamp\":\"2026-07-01T03:19:05.123456Z\",\"event\":\"tap_exited\",\"code\":1,\"signal\":null}\n",
            "{\"timestamp\":\"2026-07-01T03:19:06Z\",\"event\":\"table_opened\",\"place\":\"ods.a\"}\n",
        );
        assert_eq!(readable(log), "03:19:05 tap exited code=1\n03:19:06 table opened place=ods.a\n");
    }

    #[test]
    fn what_is_no_event_stays_as_it_is() {
        assert_eq!(readable("started\n{\"a\":1}\n"), "started\n{\"a\":1}\n");
    }
}
