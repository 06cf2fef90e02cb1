//! A PostgreSQL server for one test program, thrown away when the program ends, however it ends.

mod cluster;
mod database;
mod pooling;
mod programs;

pub use cluster::{Cluster, Durability};
pub use database::Database;
