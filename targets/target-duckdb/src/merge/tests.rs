//! The statements of a merge, word for word: those of streams that keep nothing must not change with those that do.

use std::collections::BTreeSet;

use target_api::columns::{Column, StreamName, TableSchema};
use target_api::{ActualColumn, Deletes, Table, table_name};

use super::statements;
use crate::session::OpenTable;
use crate::stage::{StagedColumn, Staging};
use crate::tables::Place;

fn merged(deletes: Deletes, absent: &[usize], extra: bool) -> Vec<String> {
    let columns = ["id int64", "v text", "_sdc_deleted_at timestamptz"].map(|words| {
        let (name, column_type) = words.split_once(' ').unwrap();
        Column { name: name.to_owned(), column_type: column_type.parse().unwrap(), nullable: name != "id" }
    });
    let schema = TableSchema {
        stream: StreamName::from("t"),
        columns: columns.to_vec(),
        key_properties: vec!["id".to_owned()],
        keeps_absent: !absent.is_empty(),
    };
    let wanted = Table { deletes, ..Table::new(schema, table_name("t")) };
    let actual = columns.iter().map(|column| ActualColumn {
        name: column.name.clone(),
        column_type: Some(column.column_type.clone()),
        written: String::new(),
        nullable: column.nullable,
    });
    let gone =
        ActualColumn { name: "gone".to_owned(), column_type: None, written: String::new(), nullable: true };
    let staged =
        |column: &Column| StagedColumn { name: column.name.clone(), column_type: column.column_type.clone() };
    let staging = Staging {
        stream: StreamName::from("t"),
        name: "staging_1".to_owned(),
        columns: columns.iter().map(staged).collect(),
        merge_key: vec!["id".to_owned()],
        retired: Vec::new(),
        says_absent: wanted.keeps_absent(),
        absent: absent.iter().copied().collect::<BTreeSet<_>>(),
        on_delete: wanted.on_delete(),
        first_record: 1,
    };
    let table = OpenTable {
        place: Place { catalog: "w".to_owned(), schema: "main".to_owned(), table: "t".to_owned() },
        names: columns.iter().map(|column| column.name.clone()).collect(),
        actual: actual.chain(extra.then_some(gone)).collect(),
        made: true,
        retired: Vec::new(),
        merge_key: vec!["id".to_owned()],
        records: 0,
        step: None,
        wanted,
    };
    statements(&staging, &table)
}

#[test]
fn a_stream_that_keeps_nothing_is_merged_as_ever() {
    insta::assert_snapshot!("delete_and_insert", merged(Deletes::Ignore, &[], false).join(";\n"));
    insta::assert_snapshot!("update_insert_and_mark", merged(Deletes::Soft, &[], true).join(";\n"));
}

#[test]
fn a_stream_whose_cells_stay_is_completed_first() {
    insta::assert_snapshot!("cells_that_stay", merged(Deletes::Soft, &[1], false).join(";\n"));
}
