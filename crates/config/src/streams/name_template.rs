use super::StreamFault;
use crate::interpolation::{self, Piece};
use crate::problem::did_you_mean;

const PLACEHOLDERS: [&str; 5] = ["schema", "table", "stream", "environment", "pipeline"];

/// A name with `{schema}`, `{table}`, `{stream}`, `{environment}`, `{pipeline}` in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NameTemplate {
    text: String,
    pieces: Vec<NamePiece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum NamePiece {
    Text(String),
    /// One of [`PLACEHOLDERS`].
    Placeholder(String),
}

/// What the placeholders stand for.
pub(crate) struct Names<'a> {
    pub(crate) stream: &'a str,
    pub(crate) environment: &'a str,
    pub(crate) pipeline: &'a str,
}

impl NameTemplate {
    /// Reads a template of a file; `${…}` in it is passed over.
    pub(crate) fn check(text: &str) -> Result<(), StreamFault> {
        let pieces = interpolation::parse(text).unwrap_or_default();
        let literal = pieces.iter().filter_map(|piece| match piece {
            Piece::Text(text) => Some(text.as_str()),
            Piece::Expression(_) => None,
        });
        Self::parse(&literal.collect::<String>()).map(drop)
    }

    /// Reads a template in which everything is resolved.
    pub(crate) fn parse(text: &str) -> Result<Self, StreamFault> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (placeholder, after) = after
                .split_once('}')
                .ok_or_else(|| StreamFault::OpenPlaceholder { template: text.to_owned() })?;
            if !PLACEHOLDERS.contains(&placeholder) {
                let meant = did_you_mean(placeholder, PLACEHOLDERS);
                let (placeholder, known) = (placeholder.to_owned(), PLACEHOLDERS.to_vec());
                return Err(StreamFault::UnknownPlaceholder { placeholder, meant, known });
            }
            pieces.push(NamePiece::Text(before.to_owned()));
            pieces.push(NamePiece::Placeholder(placeholder.to_owned()));
            rest = after;
        }
        pieces.push(NamePiece::Text(rest.to_owned()));
        Ok(Self { text: text.to_owned(), pieces })
    }

    /// What is wrong when the template wants a schema and the stream's name has none.
    pub(crate) fn misses_schema(&self, stream: &str) -> Option<StreamFault> {
        let is_wanted = self.pieces.contains(&NamePiece::Placeholder("schema".to_owned()));
        (is_wanted && schema_and_table(stream).0.is_none())
            .then(|| StreamFault::NoSchema { stream: stream.to_owned(), template: self.text.clone() })
    }

    /// The name for one stream; a schema that its name does not have is empty.
    pub(crate) fn expand(&self, names: &Names<'_>) -> String {
        let (schema, table) = schema_and_table(names.stream);
        let piece = |piece: &NamePiece| match piece {
            NamePiece::Text(text) => text.clone(),
            NamePiece::Placeholder(placeholder) => match placeholder.as_str() {
                "schema" => schema.unwrap_or_default().to_owned(),
                "table" => table.clone(),
                "stream" => names.stream.to_owned(),
                "environment" => names.environment.to_owned(),
                _ => names.pipeline.to_owned(),
            },
        };
        self.pieces.iter().map(piece).collect()
    }
}

/// PipelineWise's rule: `schema-table`; `catalog-schema-rest-of-it` has the table `rest_of_it`; one part alone is the
/// table.
pub(crate) fn schema_and_table(stream: &str) -> (Option<&str>, String) {
    let parts: Vec<&str> = stream.split('-').collect();
    match parts.as_slice() {
        [schema, table] => (Some(schema), (*table).to_owned()),
        [_, schema, rest @ ..] => (Some(schema), rest.join("_")),
        _ => (None, stream.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(template: &str, stream: &str) -> String {
        let names = Names { stream, environment: "prod", pipeline: "finance/orders" };
        NameTemplate::parse(template).unwrap().expand(&names)
    }

    #[test]
    fn a_streams_name_has_schema_and_table_as_in_pipelinewise() {
        assert_eq!(expanded("ods_{schema}.{table}", "shop-orders"), "ods_shop.orders");
        assert_eq!(expanded("{schema}.{table}", "db-shop-order-items-eu"), "shop.order_items_eu");
        assert_eq!(expanded("{schema}.{table}", "orders"), ".orders");
        assert_eq!(expanded("{environment}_{pipeline}_{stream}", "a-b"), "prod_finance/orders_a-b");
    }

    #[test]
    fn unknown_placeholders_are_refused_and_interpolations_passed_over() {
        assert_eq!(NameTemplate::check("{shcema}_x").unwrap_err().hint(), "did you mean {schema}?");
        assert!(NameTemplate::check("{schema").is_err());
        assert!(NameTemplate::check("${env:PREFIX}_{table}").is_ok());
        assert!(NameTemplate::parse("{table}").unwrap().misses_schema("orders").is_none());
        assert!(NameTemplate::parse("ods_{schema}").unwrap().misses_schema("orders").is_some());
    }
}
