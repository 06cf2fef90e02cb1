//! What is wrong with a project's files, told with place, line and caret.

mod collected;
mod excerpt;
mod fault;
mod suggestion;

pub use collected::{ConfigError, Problem};
pub(crate) use fault::Fault;
pub use suggestion::did_you_mean;
pub(crate) use suggestion::one_of;
