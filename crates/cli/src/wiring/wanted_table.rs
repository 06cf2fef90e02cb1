//! What is known of a stream's table before its tap runs. The tap's SCHEMA may say more.

use columns::{StreamName, TableOptions, table_schema};
use runner::RunPlan;
use singer::{CatalogStream, JsonSchema, JsonType};
use target_api::Table;

use crate::failure::Failure;

/// The table that a stream's catalog entry gives; none where only the SCHEMA will tell. `ours` says that the tap is one of
/// tapster's own.
pub(crate) fn wanted_table(
    stream: &CatalogStream,
    plan: &RunPlan,
    ours: bool,
) -> Result<Option<Table>, Failure> {
    let Ok(schema) = JsonSchema::from_json(&stream.schema) else { return Ok(None) };
    let rule = (plan.rules)(&stream.stream);
    let keys = rule.key_properties.clone().unwrap_or_else(|| stream.key());
    // Ours leave out of their SCHEMA what has had no value yet.
    let untyped = |column: &str| {
        let property = schema.properties.as_ref().and_then(|properties| properties.get(column));
        ours && property.is_some_and(|property| property.types == [JsonType::Null])
    };
    if keys.iter().any(|key| untyped(key)) {
        return Ok(None);
    }
    let shaped = rule.shaped(&schema, &keys);
    let include = |column: &str| {
        let nested = shaped.paths.get(column).map(|path| path.iter().map(String::as_str).collect());
        let path: Vec<&str> = nested.unwrap_or_else(|| vec![column]);
        (rule.columns)(&path) && stream.is_property_selected(&path) && !untyped(column)
    };
    let versioned = ours && is_full_table(stream.effective_replication_method());
    let deleted_at = rule.deletes == target_api::Deletes::Soft;
    let options = TableOptions { metadata: rule.metadata_columns, versioned, deleted_at, include: &include };
    let name = StreamName::from(stream.stream.as_str());
    let table = table_schema(&name, &shaped.schema, &keys, &options)?;
    let name = rule.table.unwrap_or_else(|| target_api::table_name(&stream.stream));
    Ok(Some(Table {
        load_method: rule.load_method,
        deletes: rule.deletes,
        shared: rule.shared,
        grant_select: rule.grant_select,
        ..Table::new(table, name)
    }))
}

pub(crate) fn is_full_table(method: Option<&str>) -> bool {
    method == Some("FULL_TABLE")
}
