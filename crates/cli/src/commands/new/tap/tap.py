#!/usr/bin/env python3
"""NAME: a Singer tap that needs nothing but Python.

`numbers` and `colours` stand for what you read: an API, files, a database. Replace them, STREAMS and the settings.
Messages go to stdout, one JSON object a line, and everything else to stderr.
"""

import argparse
import json
import os
import signal
import sys
import time

STREAMS = {
    "numbers": {
        "key_properties": ["number"],
        "replication_key": "number",  # None: the whole stream each time
        "properties": {"number": {"type": "integer"}, "square": {"type": ["null", "integer"]}},
    },
    "colours": {
        "key_properties": ["name"],
        "replication_key": None,
        "properties": {"name": {"type": "string"}, "hex": {"type": ["null", "string"]}},
    },
}


def numbers(config, bookmark):
    """The records after the bookmark, in the order of the replication key: only then may a STATE come in between."""
    for number in range((bookmark or 0) + 1, config["count"] + 1):
        yield {"number": number, "square": number * number}


def colours(config, bookmark):
    yield {"name": "red", "hex": "#ff0000"}
    yield {"name": "white", "hex": "#ffffff"}


READ = {"numbers": numbers, "colours": colours}
STATE_EVERY = 1.0  # seconds: each STATE is a point that a run can go on from, and costs the target a commit
stopping = False


def main():
    arguments = argparse.ArgumentParser(prog="NAME")
    arguments.add_argument("--config", required=True, help="the settings: {\"count\": 1000}")
    arguments.add_argument("--catalog", help="what of it to read; by default all")
    arguments.add_argument("--state", help="the last STATE of the run before")
    arguments.add_argument("--discover", action="store_true", help="print the catalog")
    given = arguments.parse_args()
    config = load(given.config)
    if not isinstance(config.get("count"), int):
        sys.exit("CRITICAL the config has no integer `count`")
    if given.discover:
        print(json.dumps(discover(), indent=2))
        return
    catalog = load(given.catalog) if given.catalog else discover()
    sync(config, catalog, load(given.state) if given.state else {})


def load(path):
    with open(path) as file:
        return json.load(file)


def discover():
    return {"streams": [describe(name, stream) for name, stream in STREAMS.items()]}


def describe(name, stream):
    incremental = stream["replication_key"] is not None
    about = {
        "selected-by-default": True,
        "table-key-properties": stream["key_properties"],
        "replication-method": "INCREMENTAL" if incremental else "FULL_TABLE",
    }
    if incremental:
        about["replication-key"] = stream["replication_key"]
    metadata = [{"breadcrumb": [], "metadata": about}]
    for column in stream["properties"]:
        needed = column in stream["key_properties"] or column == stream["replication_key"]
        inclusion = {"inclusion": "automatic" if needed else "available"}
        metadata.append({"breadcrumb": ["properties", column], "metadata": inclusion})
    schema = {"type": "object", "properties": stream["properties"]}
    return {"tap_stream_id": name, "stream": name, "schema": schema, "metadata": metadata}


def is_selected(entry, *breadcrumb):
    """Whether the catalog wants the stream, or a column of it."""
    said = next((item["metadata"] for item in entry["metadata"] if item["breadcrumb"] == list(breadcrumb)), {})
    if said.get("inclusion") == "automatic":
        return True
    return said.get("selected", said.get("selected-by-default", bool(breadcrumb)))


def sync(config, catalog, state):
    bookmarks = state.setdefault("bookmarks", {})
    for entry in catalog["streams"]:
        name = entry["tap_stream_id"]
        if name in STREAMS and is_selected(entry):
            log(f"reading {name}")
            sync_stream(config, entry, state, bookmarks)
    say({"type": "STATE", "value": state})
    sys.stdout.flush()


def sync_stream(config, entry, state, bookmarks):
    name = entry["tap_stream_id"]
    stream = STREAMS[name]
    columns = [column for column in stream["properties"] if is_selected(entry, "properties", column)]
    key = stream["replication_key"]
    say({
        "type": "SCHEMA",
        "stream": name,
        "schema": {"type": "object", "properties": {column: stream["properties"][column] for column in columns}},
        "key_properties": stream["key_properties"],
        "bookmark_properties": [key] if key else [],
    })
    said = time.monotonic()
    for record in READ[name](config, bookmarks.get(name, {}).get(key)):
        say({"type": "RECORD", "stream": name, "record": {column: record[column] for column in columns}})
        if key:
            bookmarks[name] = {key: record[key]}
        if stopping or time.monotonic() - said >= STATE_EVERY:
            say({"type": "STATE", "value": state})
            sys.stdout.flush()
            said = time.monotonic()
        if stopping:
            log("stopped: the next run goes on from here")
            sys.exit(143)


def say(message):
    sys.stdout.write(json.dumps(message) + "\n")


def log(text):
    print(f"INFO {text}", file=sys.stderr)


def stop(*_):
    """SIGTERM: say where the next run goes on, and end."""
    global stopping
    stopping = True


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stop)
    try:
        main()
    except BrokenPipeError:
        os._exit(1)  # nobody reads on, and whoever stopped knows why
