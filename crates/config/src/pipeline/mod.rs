//! One pipeline with all layers merged: what a run, a check and a listing go by.

mod json_text;
mod limits;
mod listing;
mod program;
mod resolve;
#[cfg(test)]
mod tests;

pub use json_text::JsonText;
pub use limits::Limits;
pub use listing::{ListedValue, Listing};
pub use program::{CatalogFrom, Package, Program, ProgramBlock, Protocol};
pub use resolve::Pipeline;
