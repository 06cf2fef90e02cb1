//! Looking into warehouses, by other ways than the targets'.

use std::path::{Path, PathBuf};

use duckdb::{AccessMode, Config, Connection};
use serde_json::{Value, json};
use target_testkit::postgres::{Cluster, Database};

/// Rows as text.
pub type Rows = Vec<Vec<Option<String>>>;

/// A warehouse of a test.
#[derive(Debug, Clone)]
pub enum Warehouse {
    /// A file.
    DuckDb(PathBuf),
    /// A database of a cluster.
    Postgres(Database),
}

impl Warehouse {
    /// A file in this folder, not made yet.
    #[must_use]
    pub fn duckdb(folder: &Path) -> Self {
        Self::DuckDb(folder.join("warehouse.duckdb"))
    }

    /// A new database in the cluster that all tests of this program share.
    #[must_use]
    pub fn postgres() -> Self {
        Self::postgres_in(Cluster::shared())
    }

    /// A new database in a cluster.
    #[must_use]
    pub fn postgres_in(cluster: &Cluster) -> Self {
        Self::Postgres(block_on(cluster.database()))
    }

    /// The `target:` block of a pipeline.
    #[must_use]
    pub fn block(&self) -> Value {
        match self {
            Self::DuckDb(path) => json!({ "name": "target-duckdb", "config": { "path": path } }),
            Self::Postgres(database) => json!({ "name": "target-postgres", "config": database.settings() }),
        }
    }

    /// What a query finds, every value as the warehouse casts it to text. For DuckDB only while no run is on.
    #[must_use]
    pub fn rows(&self, sql: &str) -> Rows {
        match self {
            Self::DuckDb(path) => duckdb_rows(path, sql),
            Self::Postgres(database) => block_on(database.rows(sql)),
        }
    }

    /// The one value that a query finds.
    #[must_use]
    pub fn value(&self, sql: &str) -> Option<String> {
        let rows = self.rows(sql);
        assert_eq!(rows.len(), 1, "{sql}: {rows:?}");
        rows[0][0].clone()
    }

    /// All tables that are there, by name, temporary ones included.
    #[must_use]
    pub fn tables(&self) -> Vec<String> {
        let sql = match self {
            Self::DuckDb(_) => "SELECT table_name FROM duckdb_tables() ORDER BY 1",
            Self::Postgres(_) => {
                "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind IN ('r', 'p') \
                 AND nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1"
            }
        };
        self.rows(sql).into_iter().filter_map(|mut row| row.swap_remove(0)).collect()
    }
}

fn duckdb_rows(path: &Path, sql: &str) -> Rows {
    let config = Config::default().access_mode(AccessMode::ReadOnly).expect("a setting");
    let connection = Connection::open_with_flags(path, config)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    // Order is kept: DuckDB does not reorder a subquery that is ordered.
    let sql = format!("SELECT COLUMNS(*)::VARCHAR FROM ({sql})");
    let mut statement = connection.prepare(&sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let mut rows = statement.query([]).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let mut found = Vec::new();
    while let Some(row) = rows.next().expect("a row") {
        let width = row.as_ref().column_count();
        found.push((0..width).map(|at| row.get(at).expect("text")).collect());
    }
    found
}

/// Waits for a future on a runtime of its own.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(future)
}
