//! The contract that every target keeps, checked on real files.

use std::path::PathBuf;

use duckdb::{Connection, types::Value};
use target_duckdb::DuckDbTarget;
use target_testkit::conformance::{self, Record, Warehouse};

use target_api::{TableName, Target, async_trait};

struct File {
    folder: tempfile::TempDir,
}

impl File {
    fn path(&self) -> PathBuf {
        self.folder.path().join("warehouse.duckdb")
    }

    fn open(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }
}

fn place(table: &TableName) -> String {
    let quoted = target_api::sql::quoted;
    format!("{}.{}", quoted(table.schema.as_deref().unwrap_or("main")), quoted(&table.table))
}

#[async_trait]
impl Warehouse for File {
    async fn target(&self) -> Box<dyn Target> {
        let config = serde_json::json!({"path": self.path(), "lock_timeout": "0s"});
        Box::new(DuckDbTarget::new(&config.to_string(), None).unwrap())
    }

    async fn records(&self, table: &TableName) -> Option<Vec<Record>> {
        let connection = self.open();
        connection.execute_batch("SET TimeZone = 'UTC'").unwrap();
        let described = connection.prepare(&format!("DESCRIBE {}", place(table))).ok()?;
        let columns = names_and_types(described);
        let values: Vec<String> = columns.iter().map(|(name, kind)| as_text(name, kind)).collect();
        let sql = format!("SELECT {} FROM {}", values.join(", "), place(table));
        let mut statement = connection.prepare(&sql).unwrap();
        let records = statement.query_map([], |row| {
            let cell = |(index, (name, _)): (usize, &(String, String))| {
                let text = match row.get(index).unwrap() {
                    Value::Null => None,
                    Value::Text(text) => Some(text),
                    other => panic!("{other:?} is not text"),
                };
                (name.clone(), text)
            };
            Ok(columns.iter().enumerate().map(cell).collect())
        });
        Some(records.unwrap().map(Result::unwrap).collect())
    }

    async fn keeps_state(&self) -> bool {
        let sql = "SELECT count(*) > 0 FROM duckdb_tables() WHERE table_name = '_tapster_state'";
        self.open().query_row(sql, [], |row| row.get(0)).unwrap()
    }

    async fn drop_table(&self, table: &TableName) {
        self.open().execute_batch(&format!("DROP TABLE {}", place(table))).unwrap();
    }

    async fn left_over(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name != "warehouse.duckdb").collect()
    }

    fn shared(&self) -> bool {
        false
    }
}

fn names_and_types(mut described: duckdb::Statement) -> Vec<(String, String)> {
    let rows = described.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

/// SQL for a value's text as PostgreSQL would write it.
fn as_text(name: &str, kind: &str) -> String {
    let name = target_api::sql::quoted(name);
    match kind {
        // All digits behind the point: DuckDB writes no zero before it.
        "DECIMAL(38,38)" => format!("regexp_replace(CAST({name} AS VARCHAR), '^(-?)\\.', '\\10.')"),
        "BLOB" => format!("'\\x' || lower(hex({name}))"),
        kind if kind.ends_with("[]") => {
            format!("CAST(to_json(list_transform({name}, lambda x: CAST(x AS VARCHAR))) AS VARCHAR)")
        }
        _ => format!("CAST({name} AS VARCHAR)"),
    }
}

#[tokio::test]
async fn duckdb_keeps_the_contract() {
    conformance::run(async || File { folder: tempfile::tempdir().unwrap() }).await;
}
