//! The four things that a tap does.

use singer::{Catalog, Json};
use tap_sdk::{About, Action, SyncRequest, Tap, TapError, Understood};

use crate::config::Config;
use crate::{check, discover, log_based, session, sync};

/// Reads a PostgreSQL database.
pub(crate) struct TapPostgres;

impl Tap for TapPostgres {
    type Config = Config;

    fn about(&self) -> About {
        About {
            name: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
            description: "Reads tables, views and queries of one PostgreSQL database, whole, by a replication key, or by its log.",
            // The file is part of the program and tested to be JSON.
            settings: Json::parse(include_str!("../settings.json")).unwrap_or(Json::Null),
            catalog: Understood {
                replication_methods: &["FULL_TABLE", "INCREMENTAL", "LOG_BASED"],
                replication_key: true,
                metadata: &["where", "replication_key_lag"],
            },
        }
    }

    fn actions(&self) -> &'static [Action] {
        &[Action { name: "drop-slot", help: "Drop the slot that keeps the server's log, and end" }]
    }

    fn act(&self, _: &str, config: &Config) -> Result<String, TapError> {
        session::runtime()?.block_on(log_based::drop_slot(config))
    }

    fn discover(&self, config: &Config) -> Result<Catalog, TapError> {
        session::runtime()?.block_on(discover::discover(config))
    }

    fn check(&self, config: &Config, catalog: &Catalog) -> Result<(), TapError> {
        session::runtime()?.block_on(check::check(config, catalog))
    }

    fn sync(&self, request: SyncRequest<'_, Config>) -> Result<(), TapError> {
        session::runtime()?.block_on(sync::sync(request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::known_settings;

    #[test]
    fn the_settings_name_every_key_of_the_config() {
        let settings = TapPostgres.about().settings;
        let properties = settings.get("properties").and_then(Json::as_object).unwrap();
        let mut names: Vec<_> = properties.keys().map(String::as_str).collect();
        let mut known = known_settings();
        names.sort_unstable();
        known.sort_unstable();
        assert_eq!(names, known);
    }
}
