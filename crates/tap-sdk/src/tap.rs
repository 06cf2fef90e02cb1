//! What the author of a tap writes.

use serde::de::DeserializeOwned;
use singer::{Catalog, Json};

use crate::{Output, TapError, TapState};

/// A Singer tap. Give it to [`crate::main`].
pub trait Tap {
    /// What the config file holds. With `#[serde(deny_unknown_fields)]` a mistyped setting is an error.
    type Config: DeserializeOwned;

    /// What `--about`, `--version` and `--help` say.
    fn about(&self) -> About;

    /// What it does beside discovery and sync, each by a flag of its own: `--drop-slot`. Mostly nothing.
    fn actions(&self) -> &'static [Action] {
        &[]
    }

    /// Does one of its [actions](Self::actions), and says what was done.
    ///
    /// # Errors
    /// When it cannot be done.
    fn act(&self, name: &str, config: &Self::Config) -> Result<String, TapError> {
        let _ = config;
        Err(TapError::failed(format!("--{name} is not built")))
    }

    /// Finds out what there is. Called for `--discover`, and before a sync that is given no catalog.
    ///
    /// # Errors
    /// When the system cannot be read.
    fn discover(&self, config: &Self::Config) -> Result<Catalog, TapError>;

    /// Looks whether what the catalog selects can be read, without reading it. Called for `--check`, after discovery where
    /// no catalog is given. By default there is nothing more to look at.
    ///
    /// # Errors
    /// When a sync would fail before its first record.
    fn check(&self, _config: &Self::Config, _catalog: &Catalog) -> Result<(), TapError> {
        Ok(())
    }

    /// Extracts the selected streams, in the catalog's order: SCHEMA, then records, with a STATE now and then and
    /// one at the end. Returning `Ok` says that everything selected is out.
    ///
    /// # Errors
    /// When a stream cannot be read whole. Everything up to the last STATE counts.
    fn sync(&self, sync: SyncRequest<'_, Self::Config>) -> Result<(), TapError>;
}

/// Something that a tap does on request.
#[derive(Debug, Clone, Copy)]
pub struct Action {
    /// Its flag, without the dashes.
    pub name: &'static str,
    /// What it does, for `--help`.
    pub help: &'static str,
}

/// What a sync works with.
#[derive(Debug)]
pub struct SyncRequest<'a, C> {
    /// The config file.
    pub config: &'a C,
    /// The catalog given, or else the one discovered. It says which streams and properties are selected.
    pub catalog: &'a Catalog,
    /// Where the last sync ended; empty for the first.
    pub state: TapState,
    /// Where messages go.
    pub output: &'a mut Output,
}

/// A tap's face.
#[derive(Debug, Clone)]
pub struct About {
    /// The program's name, `tap-csv`.
    pub name: &'static str,
    /// `env!("CARGO_PKG_VERSION")`.
    pub version: &'static str,
    /// What it reads, in one sentence.
    pub description: &'static str,
    /// The JSON Schema of the config file. Runners check configs against it before they start the tap.
    pub settings: Json,
    /// What of a catalog it goes by.
    pub catalog: Understood,
}

/// What a tap understands of the settings in a catalog. Runners refuse others before they start the tap.
#[derive(Debug, Clone, Copy, Default)]
pub struct Understood {
    /// The replication methods, the default one first.
    pub replication_methods: &'static [&'static str],
    /// Whether `replication-key` may be chosen.
    pub replication_key: bool,
    /// Further metadata of a stream.
    pub metadata: &'static [&'static str],
}
