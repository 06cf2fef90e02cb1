//! What must not be said: the settings that the specification marks as secrets.

use std::sync::{Arc, PoisonError, RwLock};

use serde_json::Value;

/// Secret texts, longest first. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Secrets(Arc<RwLock<Vec<String>>>);

impl Secrets {
    /// Adds those of a config.
    pub(crate) fn learn(&self, specification: &Value, config: &Value) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        collect(specification, config, &mut known);
        known.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        known.dedup();
    }

    /// The text with stars for each.
    pub(crate) fn redact(&self, text: &str) -> String {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }
}

/// Walks the schema along the config; each alternative counts, whichever of them the config follows.
fn collect(schema: &Value, value: &Value, found: &mut Vec<String>) {
    if schema.get("airbyte_secret").and_then(Value::as_bool) == Some(true) {
        texts(value, found);
    }
    for (name, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        if let Some(value) = value.get(name) {
            collect(schema, value, found);
        }
    }
    for keyword in ["oneOf", "anyOf", "allOf"] {
        for schema in schema.get(keyword).and_then(Value::as_array).into_iter().flatten() {
            collect(schema, value, found);
        }
    }
    if let Some(schema) = schema.get("items") {
        value.as_array().into_iter().flatten().for_each(|item| collect(schema, item, found));
    }
}

fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) if !text.is_empty() => found.push(text.clone()),
        Value::Number(number) => found.push(number.to_string()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(members) => members.values().for_each(|value| texts(value, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Secrets;

    #[test]
    fn secrets_are_found_at_any_depth_and_starred_out() {
        let secret = json!({ "type": "string", "airbyte_secret": true });
        let specification = json!({ "properties": {
            "key": secret,
            "plain": { "type": "string" },
            "login": { "oneOf": [
                { "properties": { "user": {} } },
                { "properties": { "token": secret, "hosts": { "items": { "properties": { "pin": secret } } } } },
            ] },
        } });
        let secrets = Secrets::default();
        let config =
            json!({ "key": "K1", "plain": "P", "login": { "token": "K1-long", "hosts": [{ "pin": "77" }] } });
        secrets.learn(&specification, &config);
        assert_eq!(secrets.redact("K1-long K1 P 77"), "*** *** P ***");
    }
}
