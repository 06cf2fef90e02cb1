#!/usr/bin/env python3
"""A whole Singer tap on one screen, with the standard library alone: counts from 1 to config["numbers"]."""
import argparse, json, sys

CATALOG = {"streams": [{
    "tap_stream_id": "numbers", "stream": "numbers", "key_properties": ["n"],
    "schema": {"type": "object", "properties": {
        "n": {"type": "integer"}, "square": {"type": ["null", "integer"]}, "word": {"type": ["null", "string"]}}},
    "metadata": [
        {"breadcrumb": [], "metadata": {"inclusion": "available", "selected-by-default": True,
            "table-key-properties": ["n"], "replication-method": "INCREMENTAL", "replication-key": "n"}},
        {"breadcrumb": ["properties", "n"], "metadata": {"inclusion": "automatic"}}]}]}

def say(message):
    print(json.dumps(message), flush=message["type"] == "STATE")

def selected(stream):
    root = next((m["metadata"] for m in stream.get("metadata", []) if not m["breadcrumb"]), {})
    return root.get("selected", root.get("selected-by-default", True))

def main():
    parser = argparse.ArgumentParser()
    for option in ("--config", "--catalog", "--state"):
        parser.add_argument(option, type=lambda path: json.load(open(path, encoding="utf-8")))
    parser.add_argument("--discover", action="store_true")
    args = parser.parse_args()
    if args.discover:
        return print(json.dumps(CATALOG, indent=2))
    config, state = args.config or {}, args.state or {}
    bookmarks = state.setdefault("bookmarks", {})
    for stream in filter(selected, (args.catalog or CATALOG)["streams"]):
        say({"type": "SCHEMA", "stream": "numbers", "schema": stream["schema"], "key_properties": ["n"]})
        start = bookmarks.get("numbers", {}).get("replication_key_value", 0) + 1
        last, every = config.get("numbers", 10), config.get("state_every", 4)
        for n in range(start, last + 1):
            say({"type": "RECORD", "stream": "numbers", "record": {"n": n, "square": n * n, "word": "n" * (n % 5) or None}})
            bookmarks["numbers"] = {"replication_key": "n", "replication_key_value": n}
            if n % every == 0 or n == last:
                say({"type": "STATE", "value": state})
        print(f"INFO numbers up to {max(start - 1, last)} are out", file=sys.stderr)

if __name__ == "__main__":
    main()
