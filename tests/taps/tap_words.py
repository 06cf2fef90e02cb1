#!/usr/bin/env python3
"""A whole Singer tap of a screenful: the words of a text, each once, going on from where it stopped."""

import argparse
import json

WORDS = "the quick brown fox jumps over the lazy dog and runs away".split()

SCHEMA = {
    "type": "object",
    "properties": {
        "position": {"type": "integer"},
        "word": {"type": "string"},
        "length": {"type": ["null", "integer"]},
    },
}


def say(message):
    print(json.dumps(message), flush=True)


def catalog():
    root = {"breadcrumb": [], "metadata": {"selected": True, "table-key-properties": ["position"]}}
    return {"streams": [{"tap_stream_id": "words", "stream": "words", "schema": SCHEMA, "metadata": [root]}]}


def main():
    parser = argparse.ArgumentParser()
    for flag in ["--config", "--catalog", "--state"]:
        parser.add_argument(flag, type=argparse.FileType())
    parser.add_argument("--discover", action="store_true")
    arguments = parser.parse_args()
    config = json.load(arguments.config)
    if arguments.discover:
        print(json.dumps(catalog(), indent=2))
        return
    state = json.load(arguments.state) if arguments.state else {}
    start = state.get("bookmarks", {}).get("words", {}).get("position", 0)
    say({"type": "SCHEMA", "stream": "words", "schema": SCHEMA, "key_properties": ["position"]})
    for position, word in enumerate(WORDS[: config["words"]], 1):
        if position > start:
            say({"type": "RECORD", "stream": "words", "record": {"position": position, "word": word, "length": len(word)}})
            say({"type": "STATE", "value": {"bookmarks": {"words": {"position": position}}}})


main()
