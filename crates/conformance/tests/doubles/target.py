"""A target that does what a target owes, but for the one fault that its first argument names. It loads into nothing."""

import argparse
import json
import os
import signal
import sys
import time

FAULT = sys.argv.pop(1)
if FAULT == "help" and "--help" in sys.argv:
    sys.exit(2)
ARGUMENTS = argparse.ArgumentParser()
ARGUMENTS.add_argument("--config", type=argparse.FileType())
ARGUMENTS.add_argument("--version", action="store_true")
GIVEN = ARGUMENTS.parse_args()


def message(line):
    """The message, and the STATE's own text."""
    try:
        parsed = json.loads(line)
    except ValueError:
        if FAULT == "not-json" and line.startswith("F") or FAULT == "half-line" and line.startswith("{"):
            return {}, None
        raise
    text = line[line.index('"value"') + 8 :].strip()[:-1] if parsed["type"] == "STATE" else None
    return parsed, text.lstrip(": ") if text else None


def take(parsed, keys):
    kind = parsed.get("type")
    if parsed.get("stream", "").startswith(FAULT + "_"):
        sys.exit(1)
    if kind == "SCHEMA":
        keys[parsed["stream"]] = parsed.get("key_properties") or []
    elif kind == "RECORD":
        key = keys.get(parsed["stream"], []) if FAULT == "record-before-schema" else keys[parsed["stream"]]
        if FAULT != "missing-key":
            [parsed["record"][name] for name in key]
    elif kind not in ("STATE", "ACTIVATE_VERSION", None) and FAULT == "unknown-messages":
        sys.exit(1)


def run():
    keys, states = {}, []
    sys.stdin.reconfigure(encoding="utf-8-sig")
    for line in sys.stdin:
        if not line.strip():
            if FAULT == "blank-lines":
                sys.exit(1)
            continue
        parsed, state = message(line)
        take(parsed, keys)
        if state:
            states.append(state)
    if FAULT == "state-bytes":
        states = [json.dumps(json.loads(state, parse_int=float)) if "lsn" in state else state for state in states]
    if FAULT == "state-order":
        states = ['{"of": "nobody"}', *states] if len(states) == 3 else states
    if FAULT == "last-state" and states:
        states.pop()
    if FAULT == "stdout":
        print("loaded all of it")
    for state in states:
        print(state, flush=True)
    if FAULT == "processes":
        import subprocess  # it costs each start a tenth of its time

        subprocess.Popen(["sleep", "60"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if FAULT == "exit" and "jl" in keys:
        print("CRITICAL the warehouse is gone", file=sys.stderr)
        sys.exit(4)


def main():
    if GIVEN.version:
        sys.exit(1 if FAULT == "about" else print("1.0"))
    if FAULT == "sigterm":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        run()
    except BrokenPipeError:
        if FAULT == "closed-stdout":
            time.sleep(60)
        os._exit(1)
    except (ValueError, KeyError) as error:
        print("CRITICAL", type(error).__name__, file=sys.stderr)
        sys.exit(1)


main()
