//! What a tap wrote into its config: it wins over the pipeline's file until the file says something else.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use config::{Pipeline, Secrets};
use indexmap::IndexMap;
use runner::ProgramConfig;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use singer::Json;
use store::{Kept, PipelineName, Store, StoreError};

use super::hex::hex;
use crate::failure::Failure;

/// A setting that the tap wrote.
#[derive(Serialize, Deserialize)]
struct Rewritten {
    /// Hash of what the pipeline's file said then; none where it said nothing.
    was: Option<String>,
    now: Json,
}

type Settings = IndexMap<String, Rewritten>;

/// The tap's config with what earlier runs kept, and the way to keep what this one writes.
pub(super) fn config(root: &Path, pipeline: &Pipeline, given: &str) -> Result<ProgramConfig, Failure> {
    let name = PipelineName::new(pipeline.environment.clone(), &pipeline.name);
    let given: IndexMap<String, Json> = serde_json::from_str(given).unwrap_or_default();
    let kept = kept(root, &name)?;
    let mut current = given.clone();
    for (setting, Rewritten { was, now }) in kept {
        if given.get(&setting).map(hash) == was {
            remember(&pipeline.secrets, &now);
            current.insert(setting, now);
        }
    }
    let (root, secrets) = (root.to_owned(), pipeline.secrets.clone());
    let text = serde_json::to_string(&current).unwrap_or_default();
    Ok(ProgramConfig::new(text, Arc::new(move |text| keep(&root, &name, (&given, text), &secrets))))
}

fn kept(root: &Path, name: &PipelineName) -> Result<Settings, StoreError> {
    if !ledger(root).is_file() {
        return Ok(Settings::new());
    }
    let kept = Store::open(root)?.kept(name, Kept::TapConfig)?;
    Ok(kept.and_then(|kept| serde_json::from_str(&kept.text).ok()).unwrap_or_default())
}

/// To look makes no store.
fn ledger(root: &Path) -> PathBuf {
    root.join(".tapster/ledger.sqlite")
}

/// Keeps the settings in which the tap's file differs from the pipeline's.
fn keep(root: &Path, name: &PipelineName, (given, text): (&IndexMap<String, Json>, &str), secrets: &Secrets) {
    let Ok(written) = serde_json::from_str::<IndexMap<String, Json>>(text) else { return };
    let other = written.into_iter().filter(|(setting, now)| given.get(setting) != Some(now));
    let rewritten = other.map(|(setting, now)| {
        remember(secrets, &now);
        let was = given.get(&setting).map(hash);
        (setting, Rewritten { was, now })
    });
    let settings: Settings = rewritten.collect();
    let names = settings.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    let Ok(text) = serde_json::to_string(&settings) else { return };
    match Store::open(root).and_then(|store| store.keep(name, Kept::TapConfig, &text)) {
        Ok(()) => tracing::info!("kept what the tap wrote into its config: {names}"),
        Err(error) => tracing::warn!(%error, "what the tap wrote into its config is not kept: {names}"),
    }
}

/// What a tap writes is as secret as what it was given.
fn remember(secrets: &Secrets, value: &Json) {
    match value {
        Json::String(text) => secrets.remember(text),
        Json::Array(items) => items.iter().for_each(|item| remember(secrets, item)),
        Json::Object(members) => members.values().for_each(|member| remember(secrets, member)),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

fn hash(value: &Json) -> String {
    hex(&Sha256::digest(value.to_string().as_bytes()))
}
