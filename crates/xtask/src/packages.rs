//! What cargo says about the packages: `cargo metadata`, read into the little that the checks need.

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::shell::{cargo, output};

/// One package of the dependency graph.
#[derive(Debug, Default, Clone)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// The licence expression of its manifest.
    pub(crate) licence: Option<String>,
    /// Where it comes from; `None` for a member of the workspace.
    pub(crate) source: Option<String>,
    /// The members that it depends on for building, not for its tests.
    pub(crate) member_dependencies: Vec<String>,
    /// The features that the workspace turns on in it; empty where the graph was not asked for.
    pub(crate) features: Vec<String>,
}

/// The members alone: quick, and needs no network.
pub(crate) fn members() -> Result<Vec<Package>> {
    read(&["metadata", "--format-version", "1", "--no-deps"])
}

/// The whole locked graph.
pub(crate) fn graph() -> Result<Vec<Package>> {
    read(&["metadata", "--format-version", "1", "--locked"])
}

fn read(words: &[&str]) -> Result<Vec<Package>> {
    let text = output(&mut cargo(words))?;
    let document: Value = serde_json::from_str(&text).context("cargo metadata printed no JSON")?;
    let nodes = list(&document["resolve"]["nodes"]);
    Ok(list(&document["packages"]).iter().map(|value| package(value, nodes)).collect())
}

fn package(value: &Value, nodes: &[Value]) -> Package {
    let node = nodes.iter().find(|node| node["id"] == value["id"]);
    Package {
        name: text(&value["name"]).unwrap_or_default(),
        version: text(&value["version"]).unwrap_or_default(),
        licence: text(&value["license"]),
        source: text(&value["source"]),
        member_dependencies: list(&value["dependencies"])
            .iter()
            .filter(|dependency| dependency["path"].is_string() && dependency["kind"] != "dev")
            .filter_map(|dependency| text(&dependency["name"]))
            .collect(),
        features: node
            .map(|node| list(&node["features"]))
            .unwrap_or_default()
            .iter()
            .filter_map(text)
            .collect(),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}
