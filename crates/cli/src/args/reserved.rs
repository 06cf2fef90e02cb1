use std::ffi::OsString;

use clap::{Args, Subcommand};

/// Whatever stands behind a verb that is not built yet.
#[derive(Debug, Args)]
pub(crate) struct Rest {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    rest: Vec<OsString>,
}

macro_rules! reserved {
    ($($(#[$doc:meta])* $verb:ident $word:literal,)*) => {
        /// Verbs that are decided and not built: refused as such, never as unknown.
        #[derive(Debug, Subcommand)]
        pub(crate) enum Reserved {
            $(
                #[doc = concat!("Not built yet: ", $word)]
                #[command(name = $word, hide = true)]
                $verb(Rest),
            )*
        }

        impl Reserved {
            /// The verb as it was typed.
            pub(crate) fn word(&self) -> &'static str {
                match self {
                    $(Self::$verb(_) => $word,)*
                }
            }
        }
    };
}

reserved! {
    Status "status",
    Serve "serve",
    Pause "pause",
    Resume "resume",
    Schedule "schedule",
    Alerts "alerts",
    Token "token",
    Clean "clean",
    Backfill "backfill",
    Rejects "rejects",
    Import "import",
    Export "export",
    Generate "generate",
    Verify "verify",
}
