//! Finding the catalog in what a tap printed: old taps log to stdout too.

use serde_json::value::RawValue;

use super::{Catalog, CatalogError};
use crate::Json;

impl Catalog {
    /// Reads the catalog from a tap's stdout: the first JSON object with a `streams` array. Lines before and after
    /// it are passed over.
    ///
    /// # Errors
    /// [`CatalogError`]; the one about the first object that opens a line and is not whole, when there is no catalog.
    pub fn from_discovery(stdout: &[u8]) -> Result<Self, CatalogError> {
        let text = String::from_utf8_lossy(stdout);
        let mut rest: &str = &text;
        let mut broken = None;
        while let Some(start) = rest.find('{') {
            let opens_line = rest
                .get(..start)
                .unwrap_or_default()
                .rsplit('\n')
                .next()
                .unwrap_or_default()
                .trim()
                .is_empty();
            rest = rest.get(start..).unwrap_or_default();
            let mut values = serde_json::Deserializer::from_str(rest).into_iter::<&RawValue>();
            match values.next() {
                Some(Ok(raw)) => {
                    let end = values.byte_offset();
                    let tree = Json::parse(raw.get())?;
                    if tree.get("streams").and_then(Json::as_array).is_some() {
                        return Self::from_json(tree);
                    }
                    rest = rest.get(end..).unwrap_or_default();
                }
                // Not an object after all, or a broken one: look at the next line.
                Some(Err(error)) => {
                    if opens_line && broken.is_none() {
                        broken = Some(error);
                    }
                    rest = rest.find('\n').and_then(|end| rest.get(end..)).unwrap_or_default();
                }
                None => break,
            }
        }
        Err(broken.map_or(CatalogError::NotFound { bytes: stdout.len() }, CatalogError::NotJson))
    }
}
