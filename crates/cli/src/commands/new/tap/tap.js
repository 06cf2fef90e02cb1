#!/usr/bin/env node
// NAME: a Singer tap that needs nothing but Node.js.
//
// `numbers` and `colours` stand for what you read: an API, files, a database. Replace them, STREAMS and the settings.
// Messages go to stdout, one JSON object a line, and everything else to stderr.
'use strict'

const fs = require('node:fs')
const { parseArgs } = require('node:util')

const STREAMS = {
  numbers: {
    keyProperties: ['number'],
    replicationKey: 'number', // null: the whole stream each time
    properties: { number: { type: 'integer' }, square: { type: ['null', 'integer'] } },
    read: numbers
  },
  colours: {
    keyProperties: ['name'],
    replicationKey: null,
    properties: { name: { type: 'string' }, hex: { type: ['null', 'string'] } },
    read: colours
  }
}

// The records after the bookmark, in the order of the replication key: only then may a STATE come in between.
async function * numbers (config, bookmark) {
  for (let number = (bookmark ?? 0) + 1; number <= config.count; number++) {
    yield { number, square: number * number }
  }
}

async function * colours () {
  yield { name: 'red', hex: '#ff0000' }
  yield { name: 'white', hex: '#ffffff' }
}

const STATE_EVERY = 1000 // milliseconds: each STATE is a point that a run can go on from, and costs the target a commit
const HELP = `NAME --config FILE [--catalog FILE] [--state FILE] [--discover]
  --config    the settings: {"count": 1000}
  --catalog   what of it to read; by default all
  --state     the last STATE of the run before
  --discover  print the catalog
`
let stopping = false

async function main () {
  const text = { type: 'string' }
  const flag = { type: 'boolean' }
  const options = { config: text, catalog: text, state: text, discover: flag, help: flag }
  const { values: given } = parseArgs({ options })
  if (given.help) return write(HELP)
  if (!given.config) throw new Error('there is no --config FILE')
  const config = load(given.config)
  if (!Number.isInteger(config.count)) throw new Error('the config has no integer `count`')
  if (given.discover) return write(JSON.stringify(discover(), null, 2) + '\n')
  const catalog = given.catalog ? load(given.catalog) : discover()
  await sync(config, catalog, given.state ? load(given.state) : {})
}

function load (path) {
  return JSON.parse(fs.readFileSync(path, 'utf8'))
}

function discover () {
  return { streams: Object.entries(STREAMS).map(([name, stream]) => describe(name, stream)) }
}

function describe (name, stream) {
  const about = {
    'selected-by-default': true,
    'table-key-properties': stream.keyProperties,
    'replication-method': stream.replicationKey ? 'INCREMENTAL' : 'FULL_TABLE'
  }
  if (stream.replicationKey) about['replication-key'] = stream.replicationKey
  const columns = Object.keys(stream.properties).map(column => {
    const needed = stream.keyProperties.includes(column) || column === stream.replicationKey
    return { breadcrumb: ['properties', column], metadata: { inclusion: needed ? 'automatic' : 'available' } }
  })
  const schema = { type: 'object', properties: stream.properties }
  return { tap_stream_id: name, stream: name, schema, metadata: [{ breadcrumb: [], metadata: about }, ...columns] }
}

// Whether the catalog wants the stream, or a column of it.
function isSelected (entry, ...breadcrumb) {
  const place = JSON.stringify(breadcrumb)
  const said = entry.metadata.find(item => JSON.stringify(item.breadcrumb) === place)?.metadata ?? {}
  if (said.inclusion === 'automatic') return true
  return said.selected ?? said['selected-by-default'] ?? breadcrumb.length > 0
}

async function sync (config, catalog, state) {
  state.bookmarks ??= {}
  for (const entry of catalog.streams) {
    const name = entry.tap_stream_id
    if (!STREAMS[name] || !isSelected(entry)) continue
    log(`reading ${name}`)
    await syncStream(config, entry, state)
  }
  say({ type: 'STATE', value: state })
  flush()
}

async function syncStream (config, entry, state) {
  const name = entry.tap_stream_id
  const { properties, keyProperties, replicationKey: key, read } = STREAMS[name]
  const columns = Object.keys(properties).filter(column => isSelected(entry, 'properties', column))
  const only = all => Object.fromEntries(columns.map(column => [column, all[column]]))
  say({
    type: 'SCHEMA',
    stream: name,
    schema: { type: 'object', properties: only(properties) },
    key_properties: keyProperties,
    bookmark_properties: key ? [key] : []
  })
  let said = Date.now()
  for await (const record of read(config, state.bookmarks[name]?.[key])) {
    say({ type: 'RECORD', stream: name, record: only(record) })
    if (key) state.bookmarks[name] = { [key]: record[key] }
    if (Date.now() - said < STATE_EVERY) continue
    say({ type: 'STATE', value: state })
    flush()
    said = Date.now()
    await new Promise(setImmediate) // lets a signal in
    if (!stopping) continue
    log('stopped: the next run goes on from here')
    process.exit(143)
  }
}

let waiting = ''

function say (message) {
  waiting += JSON.stringify(message) + '\n'
  if (waiting.length > 65536) flush()
}

function flush () {
  write(waiting)
  waiting = ''
}

// Waits while the pipe is full: the tap is not to run ahead of the target. An exit loses nothing that is written so.
function write (text) {
  let bytes = Buffer.from(text)
  while (bytes.length > 0) bytes = bytes.subarray(fs.writeSync(1, bytes))
}

function log (text) {
  fs.writeSync(2, `INFO ${text}\n`)
}

process.on('SIGTERM', () => { stopping = true })
main().catch(error => {
  // EPIPE: nobody reads on, and whoever stopped knows why.
  if (error.code !== 'EPIPE') fs.writeSync(2, `CRITICAL ${error.message}\n`)
  process.exit(1)
})
