mod about;
mod pipeline;
mod settings;
mod tap;

use crate::args::{Global, New};
use crate::failure::Outcome;

/// `new pipeline` and `new tap`.
pub(crate) fn run(global: &Global, args: &New) -> Outcome {
    match args {
        New::Pipeline(args) => pipeline::run(global, args),
        New::Tap(args) => tap::run(global, args),
    }
}
