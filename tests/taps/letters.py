"""Two streams that count, `keyed` with a key and `bare` without, each up to a number of its config. It reads what is
selected, from its bookmarks on, and forgets the bookmarks of everything else, as many taps do."""

import json
import sys

GIVEN = dict(zip(sys.argv[1::2], sys.argv[2::2]))
KEYS = {"keyed": ["n"], "bare": []}
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}}


def load(flag):
    with open(GIVEN[flag]) as file:
        return json.load(file)


def say(message):
    print(json.dumps(message), flush=True)


def stream(name):
    metadata = {"selected-by-default": True, "table-key-properties": KEYS[name]}
    return {
        "tap_stream_id": name,
        "stream": name,
        "schema": SCHEMA,
        "key_properties": KEYS[name],
        "metadata": [{"breadcrumb": [], "metadata": metadata}],
    }


def selected(entry):
    root = next(one["metadata"] for one in entry["metadata"] if not one["breadcrumb"])
    return root.get("selected", root["selected-by-default"])


def main():
    if "--discover" in sys.argv:
        return print(json.dumps({"streams": [stream(name) for name in KEYS]}))
    config, old = load("--config"), load("--state") if "--state" in GIVEN else {}
    bookmarks = {}
    for entry in filter(selected, load("--catalog")["streams"]):
        name = entry["stream"]
        say({"type": "SCHEMA", "stream": name, "schema": SCHEMA, "key_properties": KEYS[name]})
        bookmarks[name] = old.get("bookmarks", {}).get(name, 0)
        for n in range(bookmarks[name] + 1, config["up_to"] + 1):
            say({"type": "RECORD", "stream": name, "record": {"n": n}})
            bookmarks[name] = n
    say({"type": "STATE", "value": {"bookmarks": bookmarks}})
    if config.get("then"):
        sys.exit(config["then"])


main()
