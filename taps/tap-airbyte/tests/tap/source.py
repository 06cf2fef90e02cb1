"""An Airbyte source that says what its config tells it to, and notes what it was asked."""

import json
import os
import signal
import subprocess
import sys

WORD = sys.argv[1]
GIVEN = dict(zip(sys.argv[2::2], sys.argv[3::2]))
SPEC = {
    "type": "object",
    "properties": {
        "read": {"type": "array", "description": "What it says."},
        "token": {"type": "string", "minLength": 3, "airbyte_secret": True},
    },
}


HERE = os.path.dirname(sys.argv[0])


def say(line):
    print(line if isinstance(line, str) else json.dumps(line), flush=True)


def main():
    with open(os.path.join(HERE, "asked"), "a") as asked:
        print(WORD, file=asked)
    if WORD == "spec":
        say({"type": "SPEC", "spec": {"connectionSpecification": SPEC}})
        return 0
    with open(GIVEN["--config"]) as file:
        config = json.load(file)
    seen = {name: open(path).read() for name, path in GIVEN.items()}
    with open(os.path.join(HERE, WORD + ".json"), "w") as file:
        json.dump(seen, file)
    succeeded = {"type": "CONNECTION_STATUS", "connectionStatus": {"status": "SUCCEEDED"}}
    for act in config.get(WORD, [succeeded]):
        if isinstance(act, dict) and "fail once" in act:
            # Only a second attempt gets past it.
            if not os.path.exists(os.path.join(HERE, "failed")):
                open(os.path.join(HERE, "failed"), "w").close()
                for line in act["fail once"]:
                    say(line)
                return 1
        elif act == "wait":
            signal.pause()
        elif act == "grandchild":
            subprocess.Popen(["sleep", "600"])
        elif isinstance(act, dict) and "flood" in act:
            for _ in range(act["flood"]):
                say(act["line"])
        elif isinstance(act, dict) and "stderr" in act:
            print(act["stderr"], file=sys.stderr, flush=True)
        else:
            say(act)
    return config.get("exit", 0) if WORD == "read" else 0


sys.exit(main())
