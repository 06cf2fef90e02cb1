//! What the tap and the target of PostgreSQL share.
//!
//! Owns the settings of a connection, how it is opened and encrypted, whether it is a session, what an error of the server means, and the
//! server's binary form of numbers. Must not know taps, targets, Singer or Arrow.
//! Entry point: [`ServerSettings::take`] reads the settings, [`connect`] opens a connection.

mod connection;
mod error;
pub mod numeric;
mod pem;
mod pooling;
mod server;
pub mod settings;
mod tls;
mod url;

pub use connection::{Connection, connect};
pub use error::{Error, ErrorKind, Result, class, condition, constraint_or_column};
pub use pem::Pem;
pub use pooling::refuse_transaction_pooling;
pub use server::{ClientCertificate, Host, SERVER_SETTINGS, ServerSettings, SslMode};
