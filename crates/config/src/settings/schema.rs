//! JSON Schema of the files, for editors.

use indexmap::IndexMap;
use singer::Json;

use super::{Block, Key, PIPELINE_FILE, PROJECT_FILE, Shape, Word};

/// The JSON Schema of `pipelines/*.yml`, ending in a newline. The same text every time.
pub fn pipeline() -> String {
    document("A pipeline of tapster", &PIPELINE_FILE)
}

/// The JSON Schema of `tapster.yml`, ending in a newline. The same text every time.
pub fn project() -> String {
    document("tapster.yml", &PROJECT_FILE)
}

fn document(title: &str, file: &'static Block) -> String {
    let mut blocks = Blocks::default();
    let mut root = object(vec![
        ("$schema", text("https://json-schema.org/draft/2020-12/schema")),
        ("title", text(title)),
    ]);
    root.extend(blocks.block(file));
    let definitions = blocks.definitions.into_iter().collect();
    root.insert("$defs".to_owned(), Json::Object(definitions));
    // Writing a tree of strings cannot fail.
    serde_json::to_string_pretty(&Json::Object(root)).unwrap_or_default() + "\n"
}

/// Blocks that stand in several places are written once.
#[derive(Default)]
struct Blocks {
    definitions: IndexMap<String, Json>,
}

impl Blocks {
    fn block(&mut self, block: &'static Block) -> IndexMap<String, Json> {
        let keys = block.keys().map(|key| (key.name.to_owned(), self.key(key)));
        let properties = keys.collect();
        let mut schema = object(vec![
            ("type", text("object")),
            ("additionalProperties", Json::Bool(false)),
            ("properties", Json::Object(properties)),
        ]);
        if block.takes_own_keys {
            let own = object(vec![("^x-", Json::Object(IndexMap::new()))]);
            schema.insert("patternProperties".to_owned(), Json::Object(own));
        }
        schema
    }

    fn key(&mut self, key: &'static Key) -> Json {
        let about =
            if key.is_built { key.about.to_owned() } else { format!("{} (not built yet)", key.about) };
        let mut schema = object(vec![("description", Json::String(about))]);
        schema.extend(self.shape(&key.shape));
        Json::Object(schema)
    }

    fn shape(&mut self, shape: &'static Shape) -> IndexMap<String, Json> {
        let interpolated = |pattern: &str| object(vec![("type", text("string")), ("pattern", text(pattern))]);
        match shape {
            Shape::Text | Shape::NameTemplate | Shape::Cron => object(vec![("type", text("string"))]),
            Shape::Boolean => object(vec![("type", text("boolean"))]),
            Shape::False => object(vec![("const", Json::Bool(false))]),
            Shape::Integer { least, most } => {
                let mut schema =
                    object(vec![("type", text("integer")), ("minimum", Json::Number(least.to_string()))]);
                if *most < u64::MAX {
                    schema.insert("maximum".to_owned(), Json::Number(most.to_string()));
                }
                schema
            }
            Shape::Duration { .. } => interpolated("^[0-9]+(ms|s|m|h|d)$"),
            Shape::Size { .. } => interpolated("^[0-9]+(B|KiB|MiB|GiB|TiB)$"),
            Shape::Word(words) => {
                let words = words.iter().map(|word: &Word| text(word.text)).collect();
                object(vec![("enum", Json::Array(words))])
            }
            Shape::Json => IndexMap::new(),
            Shape::JsonMap => object(vec![("type", text("object"))]),
            Shape::List(item) => {
                object(vec![("type", text("array")), ("items", Json::Object(self.shape(item)))])
            }
            Shape::Block(block) => self.reference(block),
            Shape::Named(entry) | Shape::Patterns(entry) => object(vec![
                ("type", text("object")),
                ("additionalProperties", Json::Object(self.shape(entry))),
            ]),
            Shape::Either(shapes) => {
                let shapes = shapes.iter().map(|shape| Json::Object(self.shape(shape))).collect();
                object(vec![("anyOf", Json::Array(shapes))])
            }
        }
    }

    fn reference(&mut self, block: &'static Block) -> IndexMap<String, Json> {
        let name = block
            .what
            .replace(['`', '.'], "")
            .replace("a stream's", "stream")
            .replace("a column's", "column");
        let name = name.trim_start_matches("a ").trim_start_matches("an ").replace(' ', "_");
        if !self.definitions.contains_key(&name) {
            // Its place first, so that the order is that of the files.
            self.definitions.insert(name.clone(), Json::Null);
            let schema = Json::Object(self.block(block));
            self.definitions.insert(name.clone(), schema);
        }
        object(vec![("$ref", Json::String(format!("#/$defs/{name}")))])
    }
}

fn object(members: Vec<(&str, Json)>) -> IndexMap<String, Json> {
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn text(text: &str) -> Json {
    Json::String(text.to_owned())
}
