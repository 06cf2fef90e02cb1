#!/bin/sh
# A Singer tap in plain shell: two greetings, and two more each time that it is given its STATE back.
set -eu
schema='{"type":"object","properties":{"id":{"type":"integer"},"text":{"type":["null","string"]}}}'
seen=0
while [ $# -gt 0 ]; do
  case "$1" in
    --discover)
      echo "{\"streams\":[{\"tap_stream_id\":\"greetings\",\"stream\":\"greetings\",\"key_properties\":[\"id\"],\"schema\":$schema,\"metadata\":[{\"breadcrumb\":[],\"metadata\":{\"inclusion\":\"available\",\"selected-by-default\":true,\"table-key-properties\":[\"id\"]}}]}]}"
      exit 0 ;;
    --state) seen=$(sed -n 's/.*"greetings": *\([0-9][0-9]*\).*/\1/p' "$2"); shift 2 ;;
    --help) echo "usage: shell.sh --config F [--catalog F] [--state F] [--discover]"; exit 0 ;;
    *) shift ;;
  esac
done
echo "{\"type\":\"SCHEMA\",\"stream\":\"greetings\",\"schema\":$schema,\"key_properties\":[\"id\"]}"
for text in 'good morning' 'good night' 'hello again' 'farewell'; do
  id=$((${id:-0} + 1))
  if [ "$id" -gt "${seen:-0}" ] && [ "$id" -le $((${seen:-0} + 2)) ]; then
    echo "{\"type\":\"RECORD\",\"stream\":\"greetings\",\"record\":{\"id\":$id,\"text\":\"$text\"}}"
    last=$id
  fi
done
echo "{\"type\":\"STATE\",\"value\":{\"bookmarks\":{\"greetings\":${last:-${seen:-0}}}}}"
echo "INFO said greetings up to ${last:-${seen:-0}}" >&2
