//! Line in, line out: for targets that are programs of their own.
//!
//! [`Relay`] applies the pipeline's selection to the lines and leaves the bytes of all others as they came; the thread
//! reads the tap and writes to the target, and reads no faster than the target takes.

mod filter;
mod leave_out;
#[cfg(test)]
mod tests;
mod thread;

pub use filter::{Relay, RelayEvent};
pub use thread::Ends;
