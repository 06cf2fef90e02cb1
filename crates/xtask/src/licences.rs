//! Licences, origins and banned features of everything that is linked in, by `cargo metadata` and the lists of
//! deny.toml, so that the gate needs no program that takes ten minutes to compile. Where cargo-deny is
//! installed it has the last word, and it alone knows the advisories.

use std::fs;

use anyhow::{Context as _, Result, bail};

use crate::{
    packages::{Package, graph},
    shell::{cargo, find, root, run},
};

/// Features that must stay off wherever they are asked for, since cargo unites them: package, feature, why.
const BANNED_FEATURES: [(&str, &str, &str); 2] = [
    ("serde_json", "preserve_order", "it makes every map slower; keep order with IndexMap"),
    ("serde_json", "arbitrary_precision", "it turns numbers into maps; keep digits with RawValue"),
];

/// The only registry that packages come from.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Checks the whole locked graph.
pub(crate) fn licences() -> Result<()> {
    let deny = fs::read_to_string(root().join("deny.toml")).context("could not read deny.toml")?;
    let packages = graph()?;
    let findings = judge(&packages, &allowed(&deny));
    for finding in &findings {
        eprintln!("  {finding}");
    }
    if !findings.is_empty() {
        bail!("{} packages are not what deny.toml allows", findings.len());
    }
    eprintln!("licences, origins and features: {} packages are fine", packages.len());
    if find("cargo-deny").is_none() {
        eprintln!(
            "advisories: not checked here, cargo-deny is not installed (`cargo install --locked cargo-deny`)"
        );
        return Ok(());
    }
    run(&mut cargo(&["deny", "--offline", "check", "bans", "licenses", "sources"]))?;
    if std::env::home_dir().is_some_and(|home| home.join(".cargo/advisory-dbs").is_dir()) {
        return run(&mut cargo(&["deny", "--offline", "check", "advisories"]));
    }
    eprintln!("advisories: not checked here, no copy of the database (`cargo deny fetch` gets one)");
    Ok(())
}

/// The licences that deny.toml's `allow = [` … `]` names.
fn allowed(deny: &str) -> Vec<String> {
    let list = deny.lines().skip_while(|line| line.trim() != "allow = [").skip(1);
    let list = list.take_while(|line| line.trim() != "]");
    list.filter_map(|line| line.split('"').nth(1)).map(str::to_owned).collect()
}

fn judge(packages: &[Package], allowed: &[String]) -> Vec<String> {
    let mut findings = Vec::new();
    for package in packages {
        let name = format!("{} {}", package.name, package.version);
        match &package.licence {
            None => findings.push(format!("{name} names no licence")),
            Some(expression) if !permits(expression, allowed) => {
                findings.push(format!("{name} has the licence {expression}"));
            }
            Some(_) => {}
        }
        if package.source.as_deref().is_some_and(|source| source != REGISTRY) {
            findings.push(format!("{name} comes from {}", package.source.as_deref().unwrap_or_default()));
        }
        for (banned, feature, why) in BANNED_FEATURES {
            if package.name == banned && package.features.iter().any(|on| on == feature) {
                findings.push(format!("{name} has the feature {feature} on: {why}"));
            }
        }
    }
    findings
}

/// Whether an SPDX expression can be met with allowed licences alone. Parentheses in the wild only group what
/// `OR` separates from the rest, so AND binds the terms between two ORs; where a parenthesis says otherwise,
/// every term has to be allowed.
fn permits(expression: &str, allowed: &[String]) -> bool {
    let term = |term: &str| {
        let name = term.trim().trim_matches(['(', ')']).trim();
        allowed.iter().any(|licence| licence == name)
    };
    let spaced = expression.replace('/', " OR ");
    if spaced.contains('(') && spaced.contains(" AND ") {
        return spaced.split(" AND ").all(|group| group.split(" OR ").any(term));
    }
    spaced.split(" OR ").any(|group| group.split(" AND ").all(term))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, licence: Option<&str>) -> Package {
        Package {
            name: name.into(),
            version: "1.0.0".into(),
            licence: licence.map(Into::into),
            ..Package::default()
        }
    }

    #[test]
    fn the_list_is_read_from_deny_toml() {
        let deny = "[licenses]\nallow = [\n  \"MIT\", # mostly\n  \"ISC\",\n]\n[bans]\n";
        assert_eq!(allowed(deny), ["MIT", "ISC"]);
    }

    #[test]
    fn an_expression_is_met_by_allowed_licences_only() {
        let allowed = ["MIT".to_owned(), "Unicode-3.0".to_owned()];
        for fine in ["MIT", "GPL-3.0 OR MIT", "MIT/Apache-2.0", "(MIT OR Apache-2.0) AND Unicode-3.0"] {
            assert!(permits(fine, &allowed), "{fine}");
        }
        for wrong in ["GPL-3.0", "MIT AND GPL-3.0", "(MIT OR Apache-2.0) AND GPL-3.0"] {
            assert!(!permits(wrong, &allowed), "{wrong}");
        }
    }

    #[test]
    fn a_foreign_licence_origin_or_feature_is_found() {
        let allowed = ["MIT".to_owned()];
        let fine = package("fine", Some("MIT"));
        let copyleft = package("copyleft", Some("GPL-3.0"));
        let silent = package("silent", None);
        let elsewhere = Package { source: Some("git+https://example.com".into()), ..fine.clone() };
        let mut json = package("serde_json", Some("MIT"));
        json.features = vec!["preserve_order".into()];
        assert!(judge(&[fine], &allowed).is_empty());
        for wrong in [copyleft, silent, elsewhere, json] {
            assert_eq!(judge(std::slice::from_ref(&wrong), &allowed).len(), 1, "{wrong:?}");
        }
    }
}
