//! The three things that a tap does.

use singer::{Catalog, Json};
use tap_sdk::{About, SyncRequest, Tap, TapError, Understood};

use crate::config::Config;
use crate::{discover, sync};

/// Reads CSV files.
pub(crate) struct TapCsv;

impl Tap for TapCsv {
    type Config = Config;

    fn about(&self) -> About {
        About {
            name: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
            description: "Reads CSV files, plain or gzip, and goes on where a file ended the last time.",
            // The file is part of the program and tested to be JSON.
            settings: Json::parse(include_str!("../settings.json")).unwrap_or(Json::Null),
            // How far a file is read is not told by one of its columns.
            catalog: Understood {
                replication_methods: &["INCREMENTAL", "FULL_TABLE"],
                replication_key: false,
                metadata: &[],
            },
        }
    }

    fn discover(&self, config: &Config) -> Result<Catalog, TapError> {
        discover::discover(config)
    }

    fn sync(&self, request: SyncRequest<'_, Config>) -> Result<(), TapError> {
        sync::sync(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_name_every_key_of_the_config() {
        let settings = TapCsv.about().settings;
        let file = settings
            .get("properties")
            .and_then(|all| all.get("files")?.get("items")?.get("properties"))
            .unwrap();
        let mut names: Vec<_> = file.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        // What serde says of an unknown key is the list of the known ones.
        let refused = serde_json::from_str::<Config>(r#"{"files":[{"pth":1}]}"#).unwrap_err().to_string();
        let mut known: Vec<_> = refused.split('`').skip(3).step_by(2).collect();
        known.sort_unstable();
        assert_eq!(names, known, "{refused}");
    }
}
