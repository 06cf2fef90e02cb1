"""A tap that does what a tap owes, but for the one fault that its first argument names."""

import argparse
import json
import os
import signal
import subprocess
import sys
import time

FAULT = sys.argv.pop(1)
ARGUMENTS = argparse.ArgumentParser()
for flag in ["--config", "--catalog", "--state"]:
    ARGUMENTS.add_argument(flag, type=argparse.FileType())
ARGUMENTS.add_argument("--discover", action="store_true")
GIVEN = ARGUMENTS.parse_args()

SCHEMA = {"type": "object", "properties": {"id": {"type": "integer"}, "name": {"type": ["null", "string"]}}}
METADATA = {"replication-method": "INCREMENTAL", "replication-key": "id", "table-key-properties": ["id"]}


def say(message):
    print(json.dumps(message), flush=True)


def catalog():
    def stream(name):
        root = {"breadcrumb": [], "metadata": METADATA}
        return {"tap_stream_id": name, "stream": name, "schema": SCHEMA, "metadata": [root]}

    streams = [stream("people"), stream("places")]
    if FAULT == "catalog":
        streams[0]["metadata"].append({"breadcrumb": ["properties", "nowhere"], "metadata": {}})
    return {"streams": streams}


def selected():
    streams = json.load(GIVEN.catalog)["streams"]
    root = lambda stream: next(e["metadata"] for e in stream["metadata"] if e["breadcrumb"] == [])
    return [s["stream"] for s in streams if FAULT == "selection" or root(s).get("selected")]


def run():
    state = json.load(GIVEN.state) if GIVEN.state else {"bookmarks": {}}
    if FAULT == "resume":
        state = {"bookmarks": {}}
    if FAULT == "sigterm":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if FAULT == "processes":
        subprocess.Popen(["sleep", "60"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    schemas = {"schemas": {"properties": {"id": {"type": "date-time"}}}, "keys": {"properties": {"id": {}}}}
    for stream in selected():
        described = {"type": "SCHEMA", "stream": stream, "schema": schemas.get(FAULT, SCHEMA), "key_properties": ["id"]}
        if FAULT == "schema-first":
            say({"type": "RECORD", "stream": stream, "record": {"id": 0, "name": "early"}})
        say({**described, "bookmark_properties": ["id"]})
        start = state["bookmarks"].get(stream, 0)
        for number in range(start, 4):
            record = {"id": number, "name": "secret-value"}
            if FAULT == "records":
                record["name"] = 4711
            if FAULT == "keys" and number == 2:
                record["id"] = None
            if FAULT == "unique-keys" and number == 3:
                say({"type": "RECORD", "stream": stream, "record": record})
            say({"type": "RECORD", "stream": stream, "record": record})
        state["bookmarks"][stream] = 3
        if FAULT != "state":
            say({"type": "STATE", "value": state})
    if FAULT == "last-state":
        say({"type": "RECORD", "stream": "places", "record": {"id": 99, "name": None}})
    if FAULT == "messages":
        print("Fetched secret-value of orders")
    if FAULT == "message-types":
        say({"type": "PING"})
    if FAULT == "sigterm":
        time.sleep(4)
    if FAULT == "exit":
        print("CRITICAL the source is gone", file=sys.stderr)
        sys.exit(3)


def main():
    if GIVEN.discover:
        if FAULT == "discovery":
            print("connecting to the source")
        print(json.dumps(catalog(), indent=2))
        return
    try:
        run()
    except BrokenPipeError:
        if FAULT == "closed-pipe":
            time.sleep(60)
        os._exit(1)


main()
