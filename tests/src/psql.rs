//! PostgreSQL's own client: what a table should be, loaded by `\copy`.

use std::process::Command;

use serde_json::Value;
use target_testkit::postgres::Database;

/// Runs each statement by itself, `\copy` included, and stops at the first that fails.
pub fn psql<'s>(database: &Database, statements: impl IntoIterator<Item = &'s str>) {
    let mut command = psql_command(database);
    for statement in statements {
        command.args(["--command", statement]);
    }
    let output = command.output().expect("psql: install it (Debian: apt-get install postgresql-client)");
    assert!(output.status.success(), "psql: {}", String::from_utf8_lossy(&output.stderr));
}

/// `psql` of this database, which stops at the first error.
pub fn psql_command(database: &Database) -> Command {
    let mut command = Command::new("psql");
    command.args(["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1"]);
    connect(&mut command, database);
    command
}

/// Names the database as libpq's programs, and `flights-postgres.yml`, take it: by variables.
pub fn connect(command: &mut Command, database: &Database) {
    let settings = database.settings();
    let names = [
        ("PGHOST", "host"),
        ("PGPORT", "port"),
        ("PGUSER", "user"),
        ("PGPASSWORD", "password"),
        ("PGDATABASE", "database"),
    ];
    for (variable, setting) in names {
        let text = match &settings[setting] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        command.env(variable, text);
    }
}
