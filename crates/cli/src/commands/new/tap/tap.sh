#!/usr/bin/env bash
# NAME: a Singer tap that needs nothing but bash, sed and tr.
#
# `numbers` and `colours` stand for what you read: files, the output of a program. Replace them, the schemas and the
# settings. Messages go to stdout, one JSON object a line, and everything else to stderr.
#
# What it reads of JSON are files of a known shape. For more than that take another language, or jq.
set -euo pipefail

readonly NUMBERS='{"type":"object","properties":{"number":{"type":"integer"},"square":{"type":["null","integer"]}}}'
readonly COLOURS='{"type":"object","properties":{"name":{"type":"string"},"hex":{"type":["null","string"]}}}'
readonly STATE_EVERY=1 # seconds: each STATE is a point that a run can go on from, and costs the target a commit

log() { printf 'INFO %s\n' "$*" >&2; }
fail() { printf 'CRITICAL %s\n' "$*" >&2; exit 1; }

# A file without its white space; only for JSON whose texts have none.
squeezed() { tr -d ' \t\r\n' <"$1"; }

# A text as JSON. Control characters but for tab and line feed are more than this tap expects.
quoted() {
    local text=${1//\\/\\\\}
    text=${text//\"/\\\"} text=${text//$'\t'/\\t} text=${text//$'\n'/\\n}
    printf '"%s"' "$text"
}

discover() {
    cat <<END
{"streams": [
  {"tap_stream_id": "numbers", "stream": "numbers", "schema": $NUMBERS, "metadata": [
    {"breadcrumb": [], "metadata": {"selected-by-default": true, "table-key-properties": ["number"],
      "replication-method": "INCREMENTAL", "replication-key": "number"}}]},
  {"tap_stream_id": "colours", "stream": "colours", "schema": $COLOURS, "metadata": [
    {"breadcrumb": [], "metadata": {"selected-by-default": true, "table-key-properties": ["name"],
      "replication-method": "FULL_TABLE"}}]}
]}
END
}

# Whether the catalog wants a stream. Columns that it does not want are left out by tapster.
is_selected() {
    local stream=${catalog#*\"tap_stream_id\":\"$1\"}
    [[ $stream != "$catalog" ]] || return 1
    stream=${stream%%\"tap_stream_id\":*}
    if [[ $stream =~ \"breadcrumb\":\[\],\"metadata\":\{([^}]*)\} || $stream =~ \"metadata\":\{([^}]*)\},\"breadcrumb\":\[\] ]]; then
        local said=${BASH_REMATCH[1]}
        if [[ $said =~ \"selected\":(true|false) ]]; then [[ ${BASH_REMATCH[1]} == true ]]; return; fi
        [[ $said == *'"selected-by-default":true'* ]]
        return
    fi
    return 1
}

say_state() { printf '{"type":"STATE","value":{"bookmarks":{"numbers":{"number":%d}}}}\n' "$bookmark"; }

# The records after the bookmark, in the order of the replication key: only then may a STATE come in between.
numbers() {
    printf '{"type":"SCHEMA","stream":"numbers","schema":%s,"key_properties":["number"],"bookmark_properties":["number"]}\n' "$NUMBERS"
    local said=$SECONDS
    while ((bookmark < count)); do
        bookmark=$((bookmark + 1))
        printf '{"type":"RECORD","stream":"numbers","record":{"number":%d,"square":%d}}\n' "$bookmark" "$((bookmark * bookmark))"
        if ((SECONDS - said >= STATE_EVERY)); then
            say_state
            said=$SECONDS
        fi
    done
}

colours() {
    printf '{"type":"SCHEMA","stream":"colours","schema":%s,"key_properties":["name"]}\n' "$COLOURS"
    local name hex
    while IFS=, read -r name hex; do
        printf '{"type":"RECORD","stream":"colours","record":{"name":%s,"hex":%s}}\n' "$(quoted "$name")" "$(quoted "$hex")"
    done <<'END'
red,#ff0000
white,#ffffff
END
}

# SIGTERM ends it here: the next run goes on from the last STATE that was said.
trap 'log "stopped"; exit 143' TERM

config='' catalog='' state='' action=sync
while (($# > 0)); do
    case $1 in
        --config | --catalog | --state) (($# > 1)) || fail "$1 needs a file"; declare "${1#--}=$2"; shift ;;
        --discover) action=discover ;;
        --help)
            echo 'NAME --config FILE [--catalog FILE] [--state FILE] [--discover]'
            echo '  the config: {"count": 1000}'
            exit 0
            ;;
        *) fail "$1 is unknown" ;;
    esac
    shift
done
[[ -n $config ]] || fail 'there is no --config FILE'
count=$(squeezed "$config" | sed -n 's/.*"count":\([0-9][0-9]*\).*/\1/p')
[[ -n $count ]] || fail 'the config has no integer `count`'
if [[ $action == discover ]]; then
    discover
    exit 0
fi
if [[ -n $catalog ]]; then catalog=$(squeezed "$catalog"); else catalog=$(discover | tr -d ' \n'); fi
bookmark=0
if [[ -n $state ]]; then
    bookmark=$(squeezed "$state" | sed -n 's/.*"numbers":{"number":\([0-9][0-9]*\)}.*/\1/p')
    bookmark=${bookmark:-0}
fi
for stream in numbers colours; do
    if is_selected "$stream"; then
        log "reading $stream"
        "$stream"
    fi
done
say_state
