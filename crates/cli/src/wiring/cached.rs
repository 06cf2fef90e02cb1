//! What the tap said of its streams when it was last asked, and what the last run went by.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use chrono::Utc;
use runner::ProgramCommand;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use singer::{Catalog, CatalogChange};
use store::{Kept, PipelineName, Store};

use super::command::PASSED_ON;
use super::hex::hex;
use crate::failure::Failure;

/// Where a pipeline's catalogs are kept.
#[derive(Clone, Copy)]
pub(crate) struct Catalogs<'a> {
    pub(crate) store: &'a Store,
    pub(crate) name: &'a PipelineName,
}

/// A discovered catalog, and what it is the answer to.
#[derive(Serialize, Deserialize)]
struct Discovery<'a> {
    /// Hash of the tap's command, the files in it, environment and config (as the pipeline gives it: a tap that rewrites a token is not
    /// asked anew): another question has another answer.
    question: String,
    #[serde(borrow)]
    catalog: &'a RawValue,
}

impl Catalogs<'_> {
    /// The catalog that this very tap offered no longer ago than that.
    pub(super) fn discovered(
        &self,
        command: &ProgramCommand,
        config: &str,
        good_for: Duration,
    ) -> Result<Option<Catalog>, Failure> {
        let Some(kept) = self.store.kept(self.name, Kept::Discovery)? else { return Ok(None) };
        let age = (Utc::now() - kept.time).to_std();
        let Ok(discovery) = serde_json::from_str::<Discovery<'_>>(&kept.text) else { return Ok(None) };
        if !age.is_ok_and(|age| age < good_for) || discovery.question != question(command, config) {
            return Ok(None);
        }
        Ok(Catalog::parse(discovery.catalog.get()).ok())
    }

    /// Keeps what the tap offers now.
    pub(super) fn keep_discovered(
        &self,
        command: &ProgramCommand,
        config: &str,
        catalog: &Catalog,
    ) -> Result<(), Failure> {
        let Some(text) = text(catalog) else { return Ok(()) };
        let Ok(catalog) = serde_json::from_str(&text) else { return Ok(()) };
        let discovery = Discovery { question: question(command, config), catalog };
        let Ok(text) = serde_json::to_string(&discovery) else { return Ok(()) };
        Ok(self.store.keep(self.name, Kept::Discovery, &text)?)
    }

    /// In what the catalog differs from that of the last successful run; nothing on the first.
    pub(crate) fn drift(&self, catalog: &Catalog) -> Result<Vec<CatalogChange>, Failure> {
        let before = self.store.kept(self.name, Kept::Catalog)?;
        let before = before.and_then(|kept| Catalog::parse(&kept.text).ok());
        Ok(before.map(|before| catalog.changes_since(&before)).unwrap_or_default())
    }

    /// Keeps the catalog that a successful run went by.
    pub(crate) fn keep_for_drift(&self, catalog: &Catalog) -> Result<(), Failure> {
        let Some(text) = text(catalog) else { return Ok(()) };
        Ok(self.store.keep(self.name, Kept::Catalog, &text)?)
    }
}

fn text(catalog: &Catalog) -> Option<String> {
    serde_json::to_string(&catalog.to_json()).ok()
}

fn question(command: &ProgramCommand, config: &str) -> String {
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hash.update(bytes.len().to_le_bytes());
        hash.update(bytes);
    };
    for word in &command.argv {
        add(word.as_encoded_bytes());
        add(&edition(&command.folder.join(word)));
        // As in --manifest=sources/x.yaml.
        if let Some((_, file)) = word.to_str().and_then(|word| word.split_once('=')) {
            add(&edition(&command.folder.join(file)));
        }
    }
    // What every program gets differs between a shell and cron, and no tap is to be asked anew for that.
    for (name, value) in command.env.iter().filter(|(name, _)| !PASSED_ON.iter().any(|passed| name == passed))
    {
        add(name.as_encoded_bytes());
        add(value.as_encoded_bytes());
    }
    add(config.as_bytes());
    hex(&hash.finalize())
}

/// What tells a script or a manifest from itself before it was edited, and a program from another build of it; nothing
/// where a word of the command is no file.
fn edition(path: &Path) -> Vec<u8> {
    const READ_UP_TO: u64 = 1 << 20;
    match fs::metadata(path) {
        Ok(file) if file.is_file() && file.len() <= READ_UP_TO => fs::read(path).unwrap_or_default(),
        Ok(file) if file.is_file() => {
            format!("{} {} {}", file.len(), file.mtime(), file.mtime_nsec()).into_bytes()
        }
        _ => Vec::new(),
    }
}
