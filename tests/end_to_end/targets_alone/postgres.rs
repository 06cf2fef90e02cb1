//! Settings of the Python targets that only a database shows, all as the texts that environment variables hold.

use serde_json::{Value, json};
use tests::programs;
use tests::project::Project;
use tests::singer_target::SingerTarget;
use tests::warehouse::Warehouse;

/// A stream of the tap's schema `shop`, one of `hr`, and one without key.
const INPUT: &str = r#"{"type":"SCHEMA","stream":"shop-orders","key_properties":["id"],"schema":{"properties":{"id":{"type":"integer"},"_sdc_deleted_at":{"type":["null","string"],"format":"date-time"},"at":{"type":["null","object"],"properties":{"city":{"type":["null","string"]},"geo":{"type":["null","object"],"properties":{"lat":{"type":["null","number"]}}}}},"seal":{"type":["null","string"],"contentEncoding":"base16"}}}}
{"type":"RECORD","stream":"shop-orders","version":1,"record":{"id":1,"at":{"city":"Ulm","geo":{"lat":48.4}},"seal":"00fF"}}
{"type":"RECORD","stream":"shop-orders","version":2,"record":{"id":2,"at":null,"seal":null}}
{"type":"RECORD","stream":"shop-orders","version":2,"record":{"id":3,"at":null,"seal":null}}
{"type":"RECORD","stream":"shop-orders","version":2,"record":{"id":3,"_sdc_deleted_at":"2024-01-02T03:04:05Z"}}
{"type":"ACTIVATE_VERSION","stream":"shop-orders","version":2}
{"type":"SCHEMA","stream":"hr-people","key_properties":["id"],"schema":{"properties":{"id":{"type":"integer"}}}}
{"type":"RECORD","stream":"hr-people","record":{"id":4}}
{"type":"STATE","value":{"at":4}}
{"type":"SCHEMA","stream":"shop-clicks","key_properties":[],"schema":{"properties":{"n":{"type":"integer"}}}}
{"type":"RECORD","stream":"shop-clicks","record":{"n":5}}
"#;

/// All of the connection in one text.
fn url(settings: &Value) -> String {
    let part = |name: &str| settings[name].as_str().expect("a text").to_owned();
    let (user, password, database) = (part("user"), part("password"), part("database"));
    format!(
        "postgresql+psycopg2://{user}:{password}@127.0.0.1:{}/{database}?sslmode=disable",
        settings["port"]
    )
}

#[test]
fn each_setting_of_the_python_targets_is_seen_in_the_database() {
    let (project, warehouse) = (Project::new(), Warehouse::postgres());
    for role in ["analyst of all", "clerk"] {
        let _ = warehouse.rows(&format!("CREATE ROLE \"{role}\""));
    }
    let load = |more: &[(&str, &str)]| {
        let mut config = json!({
            "sqlalchemy_url": url(&warehouse.block()["config"]),
            "default_target_schema": "raw",
            "default_target_schema_select_permissions": "analyst of all",
            "schema_mapping":
                r#"{"shop": {"target_schema": "mall", "target_schema_select_permissions": ["clerk"]}}"#,
            "flattening_enabled": "true",
            "flattening_max_depth": "1",
            "interpret_content_encoding": "true",
            "activate_version": "false",
            "soft_delete": "true",
            "primary_key_required": "true",
        });
        for (name, value) in more {
            config[*name] = (*value).into();
        }
        SingerTarget::new(&project, programs::target("target-postgres"), &config).load(INPUT)
    };

    let refused = load(&[]).expect_code(65);
    assert_eq!(refused.stdout, "{\"at\":4}\n", "{refused}");
    assert!(refused.stderr.contains("error[E0209]") && refused.stderr.contains("shop-clicks"), "{refused}");
    assert!(!refused.stderr.contains("is no setting"), "{refused}");

    let read = |sql: &str| lines(&warehouse, sql);
    let columns = "SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns \
         WHERE table_name <> '_tapster_tables' AND table_schema IN ('raw', 'mall', 'public', 'shop', 'hr') \
         ORDER BY 1, 2, 3";
    assert_eq!(
        read(columns),
        [
            "mall orders _sdc_deleted_at timestamp with time zone",
            "mall orders _sdc_table_version bigint",
            "mall orders at__city text",
            "mall orders at__geo jsonb",
            "mall orders id bigint",
            "mall orders seal bytea",
            "raw people _sdc_deleted_at timestamp with time zone",
            "raw people id bigint",
        ]
    );
    // Record 1 is of an older version, which nothing was to be done about; record 3 is marked.
    let orders =
        "SELECT id, at__city, at__geo, seal, _sdc_deleted_at IS NOT NULL FROM mall.orders ORDER BY id";
    assert_eq!(read(orders), [r#"1 Ulm {"lat": 48.4} \x00ff f"#, "2 - - - f", "3 - - - t"]);
    assert_eq!(read("SELECT id FROM raw.people"), ["4"]);
    let rights = "SELECT role, has_schema_privilege(role, schema, 'USAGE'), has_table_privilege(role, name, 'SELECT'), \
         has_table_privilege(role, name, 'INSERT') FROM (VALUES ('analyst of all', 'raw', 'raw.people'), \
         ('analyst of all', 'mall', 'mall.orders'), ('clerk', 'raw', 'raw.people'), ('clerk', 'mall', 'mall.orders')) \
         AS may (role, schema, name)";
    assert_eq!(
        read(rights),
        ["analyst of all t t f", "analyst of all f f f", "clerk f f f", "clerk t t f"],
        "a mapped schema has readers of its own"
    );

    // The same input with the opposite of each that can be told on the same tables.
    let _ = load(&[("primary_key_required", "false"), ("activate_version", "true")]).expect_code(0);
    assert_eq!(read("SELECT n FROM mall.clicks"), ["5"]);
    assert_eq!(read("SELECT id FROM mall.orders WHERE _sdc_deleted_at IS NOT NULL ORDER BY id"), ["1", "3"]);
}

/// The rows that a query finds, each in a line; `-` is NULL.
fn lines(warehouse: &Warehouse, sql: &str) -> Vec<String> {
    let line = |row: Vec<Option<String>>| {
        row.into_iter().map(|cell| cell.unwrap_or_else(|| "-".to_owned())).collect::<Vec<_>>().join(" ")
    };
    warehouse.rows(sql).into_iter().map(line).collect()
}
