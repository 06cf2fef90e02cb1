//! What the files ask of the tables of a target that is a program of its own: it shapes them by its own config.

use super::{RuleSettings, StreamFault, StreamRules};
use crate::place::Place;
use crate::problem::{ConfigError, Problem};

impl StreamRules {
    /// Refuses what only tapster's own targets honour.
    ///
    /// # Errors
    /// Every such setting, with its place.
    pub fn check_relayed(&self, target: &str) -> Result<(), ConfigError> {
        let rules = self.rules().iter().map(|rule| (&rule.settings, Some(&rule.place)));
        let said = std::iter::once((self.defaults(), None)).chain(rules);
        let problems = said.flat_map(|(settings, place)| of_tables(settings, place)).map(|(key, place)| {
            let what = format!("`{key}`: its tables are its own affair");
            let fault =
                StreamFault::Cannot { program: target.to_owned(), what, known: Vec::new(), meant: None };
            place.map_or_else(|| Problem::nowhere(fault.clone()), |place| Problem::new(fault.clone(), place))
        });
        ConfigError::unless_none(problems.collect())
    }
}

/// The settings about tables, each with its place. Every setting is named here, so that a new one is thought of.
fn of_tables<'a>(
    settings: &'a RuleSettings,
    rule: Option<&'a Place>,
) -> Vec<(&'static str, Option<&'a Place>)> {
    let RuleSettings {
        replication_method: _,
        replication_key: _,
        key_properties: _,
        metadata: _,
        optional: _,
        columns,
        target_schema,
        target_table,
        load_method,
        deletes,
        values,
        metadata_columns,
        shared,
        flatten,
        grant_select,
    } = settings;
    let schema = columns.iter().find(|column| column.schema.is_some());
    let values = [values.dates, values.nan, values.nul];
    let found = [
        ("target_schema", target_schema.as_ref().map(|said| Some(&said.place))),
        ("target_table", target_table.as_ref().map(|said| Some(&said.place))),
        ("load_method", load_method.as_ref().map(|said| Some(&said.place))),
        ("deletes", deletes.as_ref().map(|said| Some(&said.place))),
        ("metadata_columns", metadata_columns.as_ref().map(|said| Some(&said.place))),
        ("flatten", flatten.as_ref().map(|said| Some(&said.place))),
        ("shared", shared.as_ref().map(|said| Some(&said.place))),
        ("grant_select", grant_select.as_ref().map(|said| Some(&said.place))),
        ("values", values.iter().any(Option::is_some).then_some(rule)),
        ("schema", schema.map(|column| Some(&column.place))),
    ];
    found.into_iter().filter_map(|(key, place)| Some((key, place?))).collect()
}

#[cfg(test)]
mod tests {
    use crate::Project;

    #[test]
    fn what_shapes_tables_is_refused_where_the_target_shapes_them() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("pipelines")).unwrap();
        let refused = |more: &str| {
            let text = format!("tap: {{ command: [x] }}\ntarget: {{ command: [y] }}\n{more}\n");
            std::fs::write(folder.path().join("pipelines/a.yml"), text).unwrap();
            let pipeline = Project::discover(folder.path(), None).unwrap().pipeline("a").unwrap();
            pipeline.rules.check_relayed("target-x").err().map(|error| error.to_string())
        };
        for setting in [
            "target_schema: raw",
            "target_table: \"{stream}\"",
            "load_method: append-only",
            "deletes: hard",
            "metadata_columns: true",
            "flatten: 1",
            "shared: true",
            "grant_select: [analyst]",
            "values: { nul: strip }",
            "columns: { a: { schema: { type: string } } }",
        ] {
            let key =
                if setting.starts_with("columns") { "schema" } else { setting.split(':').next().unwrap() };
            for more in [format!("streams: {{ s: {{ {setting} }} }}"), format!("defaults: {{ {setting} }}")] {
                let told = refused(&more).unwrap_or_default();
                assert!(told.contains(&format!("target-x does not go by `{key}`")), "{more}: {told}");
            }
        }
        let honoured = "streams: { s: { key_properties: [id], columns: { a: exclude }, optional: true } }";
        assert_eq!(refused(honoured), None);
    }
}
