//! `LOG_BASED`: what is in a table first, then its changes as the server's log has them, by the plugin `pgoutput`.
//!
//! The log is read by SQL: `pg_logical_slot_peek_binary_changes` shows what follows the slot's position and moves
//! nothing. The slot moves by [`acknowledged`] alone, to where the target has committed.

mod acknowledged;
mod change;
mod follow;
mod logged;
mod lsn;
mod message;
mod partition;
mod pass;
mod publication;
mod schema;
mod shape;
mod slot;
mod snapshot;
mod stop;
mod stream;
mod text;

pub(crate) use follow::{check, run};
pub(crate) use lsn::{Lsn, ours};
pub(crate) use pass::READING;
pub(crate) use schema::schema;
pub(crate) use shape::Shape;
pub(crate) use slot::{HELD, drop_slot};
pub(crate) use snapshot::{HandOver, Start};
