//! The rules for streams and columns: which are loaded, and with what settings.

mod decision;
mod extract;
mod fault;
mod honoured;
mod name_template;
mod relayed;
mod rules;
mod settings;
#[cfg(test)]
mod tests;

pub use decision::{Selected, StreamDecision};
pub(crate) use fault::StreamFault;
pub use honoured::{Abilities, Understood};
pub(crate) use name_template::{NameTemplate, schema_and_table};
pub(crate) use rules::{ColumnRule, Placed, Rule, RuleSettings, column_rule};
pub use rules::{ColumnRules, StreamRules};
pub use settings::{Deletes, LoadMethod, OnBadValue, ReplicationMethod, StreamSettings, Values};
