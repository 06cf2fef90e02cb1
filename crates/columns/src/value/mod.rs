//! One JSON value, as its text, to the value that a column of some type holds. Pure functions.

pub(crate) mod binary;
pub(crate) mod decimal;
pub(crate) mod json;
mod misfit;
pub(crate) mod moment;
pub(crate) mod nested;
pub(crate) mod number;
pub(crate) mod text;

pub(crate) use misfit::{Misfit, Wider};

#[cfg(test)]
mod tests;
