//! The Singer wire: message grammar, line framing, JSON Schema, catalog and state.
//!
//! Owns what the bytes between a tap and tapster mean, and writes them for Rust taps.
//! Must not know Arrow, tokio, SQL or the project's files.
//! Entry point: [`LineBuffer`] cuts bytes into lines, [`parse`] reads one line.

mod catalog;
mod excerpt;
mod flags;
mod framing;
mod json;
mod message;
mod reader;
mod repair;
mod schema;
mod state;
mod writer;

pub use catalog::{Catalog, CatalogChange, CatalogError, CatalogStream, MetadataEntry};
pub use excerpt::framing_excerpt;
pub use flags::TapFlags;
pub use framing::{FramingError, LineBuffer};
pub use json::Json;
pub use message::{
    BatchMessage, Message, MessageError, RecordBody, RecordMessage, STATE_BYTES, SchemaMessage, SkipRecords,
    TakeRecord, parse,
};
pub use reader::{JsonReader, Member, RawJson, ReadError};
pub use repair::repaired;
pub use schema::{JsonSchema, JsonType, SchemaError};
pub use state::{Bookmark, State, StateError};
pub use writer::{Envelope, MessageWriter};
