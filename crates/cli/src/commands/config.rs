//! `config`: a pipeline as it is resolved, each value with its place, secrets masked.

use crate::args::{Config, Global};
use crate::commands::project;
use crate::failure::Outcome;
use crate::output::{Align, Printer, Table};

pub(crate) fn run(global: &Global, args: &Config) -> Outcome {
    let (project, name) = project::open_one(global, &args.pipeline)?;
    let listing = project.pipeline_as_written(&name)?.listing();
    Printer::new(global).result(&listing, || {
        let mut table =
            Table::new(&[("setting", Align::Left), ("value", Align::Left), ("from", Align::Left)]);
        for listed in &listing.values {
            table.line([listed.path.clone(), listed.value.to_string(), listed.place.clone()]);
        }
        let mut text = table.render(0);
        listing.warnings.iter().for_each(|warning| text.push_str(&format!("warning: {warning}\n")));
        text
    })?;
    Ok(0)
}
