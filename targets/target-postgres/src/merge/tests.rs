//! The statements of a merge, word for word: those of streams that keep nothing must not change with those that do.

use std::collections::BTreeSet;

use columns::ColumnType;
use target_api::OnDelete;

use super::Merge;
use crate::actual::{ActualTable, PrimaryKey, TableColumn};
use crate::tables::Place;

fn merged(on_delete: OnDelete, absent: &[usize]) -> (Vec<String>, Option<Vec<String>>) {
    let types = [ColumnType::Int64, ColumnType::Text, ColumnType::TimestampTz];
    let names = ["id", "v", "_sdc_deleted_at"].map(str::to_owned);
    let column = |(name, column_type): (&String, &ColumnType)| TableColumn {
        name: name.clone(),
        written: crate::ddl::sql_type(column_type),
        column_type: Some(column_type.clone()),
        exact: true,
        not_null: name == "id",
        has_default: false,
        generated: false,
        identity: false,
        collation: None,
        views: Vec::new(),
    };
    let key = vec!["id".to_owned()];
    let actual = ActualTable {
        kind: "r".to_owned(),
        columns: names.iter().zip(&types).map(column).collect(),
        unique: vec![key.clone()],
        primary_key: Some(PrimaryKey { constraint: "t_pkey".to_owned(), columns: key.clone() }),
        watched: false,
        can_truncate: true,
        owned: true,
        replaceable: true,
        bytes: 0,
    };
    let merge = Merge {
        staging: "pg_temp.\"_tapster_1\"",
        types: &types,
        names: &names,
        key: &key,
        retired: &[],
        absent: &absent.iter().copied().collect::<BTreeSet<_>>(),
        deleted: Some(2),
        on_delete,
        place: &Place { schema: "public".to_owned(), table: "t".to_owned() },
        actual: &actual,
    };
    (merge.statements(None), merge.replacement())
}

#[test]
fn a_stream_that_keeps_nothing_is_merged_as_ever() {
    let (upsert, replacement) = merged(OnDelete::Load, &[]);
    insta::assert_snapshot!("upsert", upsert.join(";\n"));
    insta::assert_snapshot!("replacement", replacement.unwrap().join(";\n"));
    insta::assert_snapshot!("upsert_and_mark", merged(OnDelete::Mark { column: 2 }, &[]).0.join(";\n"));
}

#[test]
fn a_stream_whose_cells_stay_is_completed_first() {
    let (statements, replacement) = merged(OnDelete::Mark { column: 2 }, &[1]);
    assert_eq!(replacement, None);
    insta::assert_snapshot!("cells_that_stay", statements.join(";\n"));
}
