//! The contract that all targets share.

use target_api::sql::quoted;
use target_api::{TableName, Target, async_trait};
use target_postgres::PostgresTarget;
use target_testkit::conformance::{self, Record, Warehouse};
use target_testkit::postgres::{Cluster, Database};

struct Postgres {
    database: Database,
    direct_load: bool,
}

#[async_trait]
impl Warehouse for Postgres {
    async fn target(&self) -> Box<dyn Target> {
        let mut settings = self.database.settings();
        settings["direct_load"] = self.direct_load.into();
        Box::new(PostgresTarget::new(&settings.to_string()).unwrap())
    }

    async fn records(&self, table: &TableName) -> Option<Vec<Record>> {
        let schema = table.schema.as_deref().unwrap_or("public");
        let literal = target_api::sql::literal;
        let columns = format!(
            "SELECT a.attname, t.typcategory = 'A' FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid \
             JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = {} AND c.relname = {} AND a.attnum > 0 AND NOT a.attisdropped",
            literal(schema),
            literal(&table.table)
        );
        let columns = self.database.rows(&columns).await;
        if columns.is_empty() {
            return None;
        }
        let names: Vec<String> = columns.iter().map(|column| column[0].clone().unwrap()).collect();
        let shown: Vec<String> = columns
            .iter()
            .zip(&names)
            .map(|(column, name)| match column[1].as_deref() {
                Some("t") => format!("to_json({})::text", quoted(name)),
                _ => format!("{}::text", quoted(name)),
            })
            .collect();
        let sql = format!(
            "SET TimeZone = 'UTC'; SELECT {} FROM {}.{}",
            shown.join(", "),
            quoted(schema),
            quoted(&table.table)
        );
        let rows = self.database.rows(&sql).await;
        Some(rows.into_iter().map(|row| names.iter().cloned().zip(row).collect()).collect())
    }

    async fn keeps_state(&self) -> bool {
        let found = "SELECT count(*) FROM pg_class WHERE relname LIKE '\\_tapster\\_state%'";
        self.database.value(found).await.as_deref() != Some("0")
    }

    async fn drop_table(&self, table: &TableName) {
        let schema = table.schema.as_deref().unwrap_or("public");
        self.database.execute(&format!("DROP TABLE {}.{}", quoted(schema), quoted(&table.table))).await;
    }

    async fn left_over(&self) -> Vec<String> {
        // A session that ends takes its temporary tables along, a moment later.
        let others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
        while self.database.value(others).await.as_deref() != Some("0") {
            tokio::task::yield_now().await;
        }
        let rows = self.database.rows("SELECT relname FROM pg_class WHERE relname LIKE '\\_tapster\\_%' AND relkind = 'r' AND relname NOT IN ('_tapster_state', '_tapster_tables')").await;
        rows.into_iter().filter_map(|row| row[0].clone()).collect()
    }
}

async fn hold_to_the_contract(direct_load: bool) {
    let make = async || Postgres { database: Cluster::shared().database().await, direct_load };
    conformance::run(make).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_holds() {
    hold_to_the_contract(true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_holds_when_everything_is_staged() {
    hold_to_the_contract(false).await;
}
