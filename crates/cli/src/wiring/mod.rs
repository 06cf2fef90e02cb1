//! From a resolved pipeline to what `runner` needs. The only place where the crates meet.

mod cached;
mod catalog;
mod command;
mod expected;
mod hex;
mod installed;
mod invoked;
mod kept_config;
mod kept_state;
mod paths;
mod plan;
mod programs;
mod rules;
mod settings;
mod signals;
mod targets;
mod wanted_table;

pub(crate) use cached::Catalogs;
pub(crate) use catalog::{Ask, Offer, check_source};
pub(crate) use command::identities;
pub(crate) use installed::{installed, is_locked};
pub(crate) use invoked::Invoked;
pub(crate) use plan::{Edits, TapUse, Wired};
pub(crate) use programs::{program, programs};
pub(crate) use settings::check_as_written;
pub(crate) use signals::shutdown;
pub(crate) use targets::{PROBE_WORD, is_own_target, json_lines, probe_main as probe, settings_schema};
pub(crate) use wanted_table::{is_full_table, wanted_table};
