//! Rows that came as Arrow, made what the table asks for: passed on as they are where they are that already,
//! otherwise by the JSON text of each cell, so that the rules of records hold for them.

mod json;
mod pass;
mod rows;

pub use rows::{ColumnRefused, Conformed};

#[cfg(test)]
mod tests;
