#!/bin/sh
# A tap without discovery, in a language without JSON.
echo '{"type":"SCHEMA","stream":"words","schema":{"properties":{"word":{"type":"string"}}},"key_properties":[]}'
for word in to be or not to be; do
    echo "{\"type\":\"RECORD\",\"stream\":\"words\",\"record\":{\"word\":\"$word\"}}"
done
echo '{"type":"STATE","value":{"said":6}}'
