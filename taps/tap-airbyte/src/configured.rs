//! The configured catalog: what the source is to read, and how.

use serde::Serialize;
use singer::Json;

use crate::stream::{Method, Stream};

#[derive(Serialize)]
struct Catalog<'a> {
    streams: Vec<Configured<'a>>,
}

#[derive(Serialize)]
struct Configured<'a> {
    stream: &'a Json,
    sync_mode: &'static str,
    destination_sync_mode: &'static str,
    cursor_field: &'a [String],
    primary_key: &'a [Vec<String>],
    generation_id: i64,
    /// Equal to the generation's id: older ones go once the stream is complete. Both are 0 where nothing goes.
    minimum_generation_id: i64,
    sync_id: i64,
}

/// Its text. Each stream has its generation, 0 where it is read on.
pub(crate) fn configured<'a>(
    streams: impl Iterator<Item = (&'a Stream, i64)>,
    sync_id: i64,
) -> Result<String, serde_json::Error> {
    let configured = |(stream, generation): (&'a Stream, i64)| {
        let (sync_mode, destination_sync_mode) = match stream.method {
            Method::FullTable => ("full_refresh", "overwrite"),
            Method::Incremental if stream.primary_key.is_empty() => ("incremental", "append"),
            Method::Incremental => ("incremental", "append_dedup"),
        };
        Configured {
            stream: &stream.own,
            sync_mode,
            destination_sync_mode,
            cursor_field: &stream.cursor,
            primary_key: &stream.primary_key,
            generation_id: generation,
            minimum_generation_id: generation,
            sync_id,
        }
    };
    serde_json::to_string(&Catalog { streams: streams.map(configured).collect() })
}
