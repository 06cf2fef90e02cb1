//! `cargo x quickstart`: from a fresh clone to 367,687 rows and an answer.

use std::{path::PathBuf, time::Instant};

use anyhow::Result;

use crate::{
    setup::setup,
    shell::{cargo, program, root, run, target_directory},
};

/// What flights.yml says its target is.
const WAREHOUSE: &str = "warehouse.duckdb";

/// The root manifest's profile that compiles in half the time of a release. It names its folder, too.
const PROFILE: &str = "quickstart";

const COUNTS: &str = "
    SELECT 'airlines' AS \"table\", count(*) AS rows FROM airlines
    UNION ALL SELECT 'airports', count(*) FROM airports
    UNION ALL SELECT 'planes', count(*) FROM planes
    UNION ALL SELECT 'weather', count(*) FROM weather
    UNION ALL SELECT 'flights', count(*) FROM flights
    UNION ALL SELECT 'all', (SELECT count(*) FROM airlines) + (SELECT count(*) FROM airports)
        + (SELECT count(*) FROM planes) + (SELECT count(*) FROM weather) + (SELECT count(*) FROM flights)";

const DELAYS: &str = "
    SELECT name AS carrier, count(arr_delay) AS flights, round(avg(arr_delay), 1) AS minutes_late
    FROM flights JOIN airlines USING (carrier)
    GROUP BY name ORDER BY avg(arr_delay) DESC";

/// Builds what is needed, loads nycflights13, asks, and says what to type next.
pub(crate) fn quickstart() -> Result<()> {
    let start = Instant::now();
    setup()?;
    let packages =
        ["-p", "cli", "-p", "tap-csv", "-p", "tap-postgres", "-p", "tap-airbyte", "-p", "target-duckdb"];
    let build = ["build", "--profile", PROFILE, "--locked", "--bins", "--example", "query"];
    run(cargo(&build).args(packages))?;
    eprintln!("built in {} s", start.elapsed().as_secs());

    run(&mut program(built("tapster"), &["run", "flights"]))?;

    eprintln!("\nWhat lies in {WAREHOUSE} now:");
    ask(COUNTS)?;
    eprintln!("\nWhich carrier comes late? The mean arrival delay in 2013:");
    ask(DELAYS)?;
    let tapster = built("tapster");
    let tapster = tapster.strip_prefix(root()).unwrap_or(&tapster).display();
    eprintln!(
        "
Next:
  {tapster} run flights             again: 0 new rows, nothing changes
  {tapster} state get flights       where it goes on
  {tapster} runs list               what has run
  {tapster} run flights-postgres    the same into PostgreSQL: set PGHOST, PGUSER, PGPASSWORD, PGDATABASE
  {tapster} init my-project         a project of your own"
    );
    Ok(())
}

fn built(name: &str) -> PathBuf {
    target_directory().join(PROFILE).join(name)
}

fn ask(sql: &str) -> Result<()> {
    let status = program(built("examples/query"), &[WAREHOUSE, sql]).status()?;
    anyhow::ensure!(status.success(), "the question to {WAREHOUSE} failed ({status})");
    Ok(())
}
