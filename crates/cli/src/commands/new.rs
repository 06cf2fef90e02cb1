mod about;
mod pipeline;
mod settings;

use crate::args::{Global, New};
use crate::commands::not_built_yet;
use crate::failure::Outcome;

/// `new pipeline`.
pub(crate) fn run(global: &Global, args: &New) -> Outcome {
    match args {
        New::Pipeline(args) => pipeline::run(global, args),
        New::Tap(_) => not_built_yet("new tap"),
    }
}
