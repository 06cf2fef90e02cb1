//! The pattern language of streams, columns and pipelines: `*`, `?`, `{a,b}`, `\` escapes, the whole name, case
//! matters.

mod expand;
mod fault;
mod glob;
#[cfg(test)]
mod tests;

pub(crate) use fault::PatternFault;
pub use glob::Pattern;
