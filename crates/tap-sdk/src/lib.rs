//! What a tap in Rust needs: the command line, discovery, state, messages, METRIC lines, errors.
//!
//! Owns everything that is the same for every tap. Must not know any system that a tap reads, nor anything about
//! tapster's runner and targets: a tap made with it is a Singer tap like any other.
//! Entry point: implement [`Tap`] and hand it to [`main`].
//!
//! ```no_run
//! # struct Numbers;
//! # impl tap_sdk::Tap for Numbers {
//! #     type Config = ();
//! #     fn about(&self) -> tap_sdk::About { unimplemented!() }
//! #     fn discover(&self, _: &()) -> Result<singer::Catalog, tap_sdk::TapError> { unimplemented!() }
//! #     fn sync(&self, _: tap_sdk::SyncRequest<'_, ()>) -> Result<(), tap_sdk::TapError> { unimplemented!() }
//! # }
//! fn main() -> std::process::ExitCode {
//!     tap_sdk::main(&Numbers)
//! }
//! ```

mod arguments;
#[cfg(feature = "arrow")]
mod batch_files;
mod clock;
mod error;
pub mod log;
mod output;
mod program;
mod state;
mod tap;

pub use clock::{time_extracted_now, version_now};
pub use error::TapError;
pub use output::{Output, stdout};
pub use program::{main, report};
pub use state::TapState;
pub use tap::{About, Action, SyncRequest, Tap, Understood};
