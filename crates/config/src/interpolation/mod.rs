//! `${env:NAME}`, `${file:path}`, `${cmd:…}` in texts: resolved when first needed, and secret from then on.

mod command;
mod env_file;
mod expression;
mod fault;
mod private;
mod resolver;
#[cfg(test)]
mod tests;

pub(crate) use env_file::EnvFile;
pub(crate) use expression::{Piece, has_expression, parse};
pub(crate) use fault::InterpolationFault;
pub(crate) use resolver::Resolver;
