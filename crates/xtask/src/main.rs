//! `cargo x VERB`: what the project does to itself. Owns setup, the gate, the tests, the quick start and the
//! benches; must not know how tapster works inside, and stays small so that the first `cargo x` starts quickly.

mod bench;
mod check;
mod generate;
mod instructions;
mod libduckdb;
mod licences;
mod needs;
mod packages;
mod quickstart;
mod setup;
mod shell;
mod test;
mod tidy;

use std::process::ExitCode;

const HELP: &str = "\
cargo x VERB

  quickstart   build tapster, load nycflights13 into a DuckDB file and ask it a question
  setup        put libduckdb into the user's cache, where every build finds it
  check        the whole gate: format, clippy, tidy, generated files, licences
  tidy         the house rules alone: dependency edges, sizes, names, error pages, invariants
  licences     what everything that is linked in may be used for
  test [NAME]  every test of the workspace, after installing what they need where that may be done
  generate     write the generated files under docs/reference/ anew
  bench [NAME] decode, load and memory measured, and 200 kills
  bench --check      instructions of decoding and encoding, beside the committed ones
  bench --baseline   writes those anew";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["quickstart"] => quickstart::quickstart(),
        ["setup"] => setup::setup(),
        ["check"] => check::check(),
        ["licences"] => licences::licences(),
        ["tidy"] => tidy::tidy(),
        ["test", filters @ ..] => test::test(filters),
        ["generate"] => generate::generate(),
        ["bench", "--check"] => instructions::check(),
        ["bench", "--baseline"] => instructions::write_baseline(),
        ["bench", names @ ..] => bench::bench(names),
        _ => {
            eprintln!("{HELP}");
            return if matches!(words.as_slice(), ["help" | "--help" | "-h"]) {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(2)
            };
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
