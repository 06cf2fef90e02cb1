//! `schema`: the JSON Schema of the project's files, for editors.

use crate::args::{Schema, SchemaKind};
use crate::failure::Outcome;
use crate::output::print_bytes;

pub(crate) fn run(args: &Schema) -> Outcome {
    let text = match args.kind {
        SchemaKind::Pipeline => config::schema::pipeline(),
        SchemaKind::Project => config::schema::project(),
    };
    print_bytes(text.as_bytes())?;
    Ok(0)
}
