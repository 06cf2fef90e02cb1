//! A tap of `PyPI` that asks a server over HTTP.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};
use tests::project::Project;
use tests::python;

use crate::support::warehouses;

/// An API of 5 people, of whom it gives those since a day. It ends with the test program.
struct Api {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Api {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut words = String::new();
                let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
                lines.by_ref().take_while(|line| !line.is_empty()).for_each(|line| words += &(line + "\n"));
                let path = words.split(' ').nth(1).unwrap_or_default().to_owned();
                let body = people(path.split_once("since=").map_or("", |(_, since)| since)).to_string();
                log.lock().expect("alive").push(path);
                let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length:";
                let _ = write!(stream, "{head} {}\r\n\r\n{body}", body.len());
            }
        });
        Self { port, asked }
    }

    /// The paths that were asked for since the last call.
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().expect("alive"))
    }
}

fn people(since: &str) -> Value {
    let people = (1..=5).map(|id| {
        json!({ "id": id, "name": format!("naïve {id}"), "address": { "city": "Kraków" }, "price": 1.25 * f64::from(id),
            "updated_at": format!("2024-01-0{id}T00:00:00Z") })
    });
    let new = people.filter(|one| one["updated_at"].as_str().is_some_and(|at| at >= since));
    json!({ "items": new.collect::<Vec<_>>() })
}

#[test]
fn tap_rest_api_msdk_follows_an_api_into_both_warehouses() {
    let (api, project) = (Api::start(), Project::new());
    let config = json!({ "api_url": format!("http://127.0.0.1:{}", api.port), "start_date": "2024-01-01", "streams": [{
        "name": "people", "path": "/people", "primary_keys": ["id"], "records_path": "$.items[*]",
        "replication_key": "updated_at", "source_search_field": "since", "source_search_query": "$last_run_date",
        "num_inference_records": 10,
    }] });
    for (of, warehouse) in warehouses(&project) {
        // One of its packages asks for pkg_resources, which newer versions of setuptools do not have.
        let tap = json!({ "pip": ["tap-rest-api-msdk==1.4.2", "setuptools<81"], "config": config });
        project.pipeline(of, &json!({ "tap": tap, "target": warehouse.block() }));
        let mut command = project.tapster(["run", of]);
        python::may_install(&mut command);
        let _ = project.outcome(&mut command).expect_code(0);
        let found = warehouse
            .rows("SELECT id, name, address_city, CAST(price AS DOUBLE PRECISION) FROM people ORDER BY id");
        let cell = |text: &str| Some(text.to_owned());
        assert_eq!(found.len(), 5);
        assert_eq!(found[2], [cell("3"), cell("naïve 3"), cell("Kraków"), cell("3.75")]);
        assert!(api.asked().iter().any(|path| path == "/people?since=2024-01-01"));
        let second = project.run(["run", of, "--json"]).expect_code(0);
        assert!(api.asked().iter().any(|path| path.starts_with("/people?since=2024-01-05")), "{second}");
        let told: Value = serde_json::from_str(&second.stdout).expect("JSON");
        assert_eq!(told["streams"][0]["records_written"], 1, "{second}");
        assert_eq!(warehouse.value("SELECT count(*) FROM people").as_deref(), Some("5"));
    }
}
