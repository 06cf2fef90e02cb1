"""A Singer target that writes down what it reads, byte for byte, and does what its config says.

`acts` are pairs of a line number and an act, done when that line has been read; 0 is before the first.
"""
import json
import os
import signal
import sys
import time

config = json.load(open(sys.argv[sys.argv.index("--config") + 1]))
out = open(config["path"], "ab", buffering=0)
acts = {line: act for line, act in config.get("acts", [])}
every = config.get("state_every", 1)
last = None
states = 0


def do(act):
    name, _, value = act.partition(" ")
    print(f"target does {act}", file=sys.stderr, flush=True)
    if name == "exit":
        os._exit(int(value))
    elif name == "kill":
        os.kill(os.getpid(), int(value))
    elif name == "close":
        os.close(0)
        sys.exit("broken pipe at the other side") if value else time.sleep(600)
    elif name == "say":
        print(value, flush=True)
    elif name == "ignore":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    elif name == "sleep":
        time.sleep(600)
    elif name == "wait":
        open(value).read()


if "--about" in sys.argv:
    print("about", json.dumps(config))
    sys.exit(7)
if 0 in acts:
    do(acts[0])
for number, line in enumerate(sys.stdin.buffer, 1):
    out.write(line)
    message = json.loads(line)
    if message["type"] == "STATE":
        last = json.dumps(message["value"])
        states += 1
        if every and states % every == 0:
            print(last, flush=True)
    if number in acts:
        do(acts[number])
if "end" in config:
    do(config["end"])
if last:
    print(last, flush=True)
