//! A config block from the JSON Schema of a tap's settings: what is required is written out, what is
//! allowed stands as a comment, secrets come from the environment.

use serde_json::{Map, Value};

/// Names that mean a secret where the schema does not say so.
const SECRET_WORDS: [&str; 5] = ["password", "secret", "token", "api_key", "private_key"];

/// Settings that nearly everybody needs, where the schema asks for none of them because each has some default.
const WANTED: [&str; 5] = ["host", "user", "password", "database", "path"];

/// The lines of the block, without indentation of the first level; empty when there are no settings.
pub(super) fn config_lines(program: &str, schema: &Value) -> Vec<String> {
    let prefix = program.to_ascii_uppercase().replace(|letter: char| !letter.is_ascii_alphanumeric(), "_");
    object_lines(&prefix, schema)
}

fn object_lines(prefix: &str, schema: &Value) -> Vec<String> {
    let empty = Map::new();
    let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let is_required = |name: &str| required.contains(&name) || required.is_empty() && WANTED.contains(&name);
    let (needed, allowed): (Vec<_>, Vec<_>) = properties.iter().partition(|(name, _)| is_required(name));
    let mut lines = Vec::new();
    for (name, property) in needed {
        lines.extend(property_lines(prefix, name, property));
    }
    for (name, property) in allowed {
        lines.extend(property_lines(prefix, name, property).into_iter().map(comment));
    }
    lines
}

fn comment(line: String) -> String {
    if line.starts_with('#') { line } else { format!("# {line}") }
}

/// A property with its description above it.
fn property_lines(prefix: &str, name: &str, property: &Value) -> Vec<String> {
    let description = property.get("description").and_then(Value::as_str).unwrap_or_default();
    let mut lines: Vec<String> = description.lines().map(|line| format!("# {}", line.trim())).collect();
    if let Some(value) = given_value(prefix, name, property) {
        lines.push(format!("{name}: {value}"));
        return lines;
    }
    let nested = if property.get("properties").is_some() {
        indented(object_lines(prefix, property), "  ", "  ")
    } else if let Some(items) = property.get("items").filter(|items| items.get("properties").is_some()) {
        indented(object_lines(prefix, items), "  - ", "    ")
    } else {
        Vec::new()
    };
    if nested.is_empty() {
        lines.push(format!("{name}: {}", placeholder(property)));
    } else {
        lines.push(format!("{name}:"));
        lines.extend(nested);
    }
    lines
}

/// A list's dash belongs before the first line that is no comment.
fn indented(lines: Vec<String>, first: &str, others: &str) -> Vec<String> {
    let mut dashed = false;
    lines
        .into_iter()
        .map(|line| {
            if !dashed && line.starts_with('#') {
                return format!("  {line}");
            }
            let start = if dashed { others } else { first };
            dashed = true;
            format!("{start}{line}")
        })
        .collect()
}

/// What the schema itself gives: a secret's place, a default, an example, a first choice. JSON is YAML.
fn given_value(prefix: &str, name: &str, property: &Value) -> Option<String> {
    if is_secret(name, property) {
        return Some(format!("\"${{env:{prefix}_{}}}\"", name.to_ascii_uppercase().replace('-', "_")));
    }
    let first = |key: &str| property.get(key).and_then(Value::as_array).and_then(|values| values.first());
    let value = property.get("default").filter(|value| !value.is_null());
    value.or_else(|| first("examples")).or_else(|| first("enum")).map(Value::to_string)
}

fn is_secret(name: &str, property: &Value) -> bool {
    let says = |key: &str| property.get(key).and_then(Value::as_bool) == Some(true);
    let is_text = has_type(property, "string") || property.get("type").is_none();
    let named = SECRET_WORDS.iter().any(|word| name.to_ascii_lowercase().contains(word));
    let password = property.get("format").and_then(Value::as_str) == Some("password");
    says("secret") || says("writeOnly") || password || (is_text && named)
}

fn has_type(property: &Value, wanted: &str) -> bool {
    match property.get("type") {
        Some(Value::String(name)) => name == wanted,
        Some(Value::Array(names)) => names.iter().any(|name| name == wanted),
        _ => false,
    }
}

fn placeholder(property: &Value) -> &'static str {
    let forms = [("boolean", "false"), ("integer", "0"), ("number", "0"), ("array", "[]"), ("object", "{}")];
    forms.iter().find(|(name, _)| has_type(property, name)).map_or("\"\"", |(_, form)| form)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::config_lines;

    #[test]
    fn a_schema_becomes_a_commented_block() {
        let schema = json!({
            "properties": {
                "host": { "type": "string", "description": "Where the server is", "examples": ["db.example"] },
                "port": { "type": ["integer", "null"], "default": 5432 },
                "password": { "type": "string", "description": "For the user.\nNever in the file." },
                "key": { "type": "string", "secret": true },
                "max_tokens": { "type": "integer" },
                "ssl": { "properties": { "mode": { "enum": ["require", "disable"] } } },
                "files": {
                    "type": "array",
                    "description": "Each makes a stream",
                    "items": {
                        "properties": {
                            "path": { "type": "string", "description": "May be a glob" },
                            "delimiter": { "type": "string", "default": "," }
                        },
                        "required": ["path"]
                    }
                }
            },
            "required": ["host", "password", "files"]
        });
        insta::assert_snapshot!(config_lines("tap-x.y", &schema).join("\n"));
    }

    #[test]
    fn no_settings_make_no_lines() {
        assert!(config_lines("tap-x", &json!({ "type": "object" })).is_empty());
    }
}
