//! One database of a cluster, and asking it.

use serde_json::{Value, json};
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use super::Cluster;

/// A database on 127.0.0.1.
#[derive(Debug, Clone)]
pub struct Database {
    pub(super) port: u16,
    pub(super) name: String,
}

impl Database {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The configuration that target-postgres takes.
    pub fn settings(&self) -> Value {
        self.settings_through(self.port)
    }

    /// The same by another port of this host: a proxy's.
    pub fn settings_through(&self, port: u16) -> Value {
        json!({
            "host": "127.0.0.1",
            "port": port,
            "user": "tapster",
            "password": Cluster::PASSWORD,
            "database": self.name,
            "sslmode": "disable",
        })
    }

    /// A session as the owner of everything. It ends when the client is dropped.
    pub async fn connect(&self) -> Client {
        let mut config = tokio_postgres::Config::new();
        config
            .host("127.0.0.1")
            .port(self.port)
            .user("tapster")
            .password(Cluster::PASSWORD)
            .dbname(&self.name);
        let (client, connection) = config.connect(NoTls).await.expect("the cluster answers");
        tokio::spawn(connection);
        client
    }

    /// What a query finds, in PostgreSQL's text form.
    pub async fn rows(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        let answer = self.connect().await.simple_query(sql).await;
        let answer = answer.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        let rows = answer.into_iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => {
                Some((0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect())
            }
            _ => None,
        });
        rows.collect()
    }

    /// Runs statements.
    pub async fn execute(&self, sql: &str) {
        self.rows(sql).await;
    }

    /// The one value that a query finds.
    pub async fn value(&self, sql: &str) -> Option<String> {
        let rows = self.rows(sql).await;
        let [row] = rows.as_slice() else { panic!("{sql}: {} rows", rows.len()) };
        row[0].clone()
    }
}
