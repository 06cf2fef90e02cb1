//! What a person or a script sees: results on stdout, everything else on stderr. Nothing outside this
//! module prints.

mod bookmark;
mod failure;
mod format;
mod logging;
mod panics;
mod printer;
mod style;
mod table;
mod time_spent;
mod words;

pub(crate) use bookmark::{bookmark, bookmark_change};
pub(crate) use failure::{print_failure, print_failure_of, tell_plainly};
pub(crate) use format::{count, duration, records, size, time};
pub(crate) use logging::start_logging;
pub(crate) use panics::{panic_place, remember_panics};
pub(crate) use printer::{Printer, print_bytes, print_json, print_words};
pub(crate) use style::{BAD, BOLD, DIM, GOOD, set_color};
pub(crate) use table::{Align, Table};
pub(crate) use time_spent::time_spent;
pub(crate) use words::{Words, set_form};
