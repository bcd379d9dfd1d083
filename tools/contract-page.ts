// Writes docs/protocol/contract-reference.md from the tables of src/protocol/contract and src/protocol/direct: npm run pages. A test keeps the page
// equal to the tables.

import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as v from 'valibot'
import { type EventRow, events, helloSchema, type MethodRow, methods, welcomeSchema } from '../src/protocol/contract/index.ts'
import { type PeerMethodRow, peerMethods } from '../src/protocol/direct/index.ts'
import { markdownTable } from './markdown.ts'

/** What of a schema this page looks at; `pipe` may hold a schema with a pipe of its own. */
interface Shape {
  readonly type: string
  readonly entries?: Readonly<Record<string, Shape>>
  readonly wrapped?: Shape
  readonly item?: Shape
  readonly options?: readonly (string | Shape)[]
  readonly pipe?: readonly Step[]
}

interface Step {
  readonly type: string
  readonly requirement?: unknown
  readonly pipe?: readonly Step[]
}

type Row = readonly [field: string, type: string, what: string]

const introduction = `# Reference of the contract

Every method and event, with what they carry: the companion of [contract.md](contract.md), which says how they travel.

This page is written by \`npm run pages\` from the tables in \`src/protocol/contract/\` and \`src/protocol/direct/\`, the only places where a method is
declared. Text is counted in UTF-16 code units, as JavaScript and Java do. \`name?\` may be left out. Unknown parameters of a
request are refused (\`malformed\`); unknown fields of everything else are ignored.
`

/** The whole page. */
export function contractPage(): string {
  return [
    introduction,
    '## Greeting\n',
    '### session.hello\n\nThe frames Hello and Welcome: no request, because a request needs the version that they settle.\n',
    fieldTable('Hello', helloSchema),
    fieldTable('Welcome', welcomeSchema),
    '### session.goodbye\n\nThe frame Goodbye, both ways. Its body is an empty map.\n',
    '## Methods\n',
    ...Object.entries<MethodRow>(methods).map(method),
    '## Events\n\nAll of them come after login only.\n',
    ...Object.entries<EventRow>(events).map(event),
    '## Between two devices\n\nRequests on a [direct link](direct.md#on-the-link), which no server takes.\n',
    ...Object.entries<PeerMethodRow>(peerMethods).map(peerMethod),
  ].join('\n')
}

function method([name, { what, when, paced, reads, apart, params, result }]: readonly [string, MethodRow]): string {
  const free = paced === false ? ' Does not count against the rate.' : reads === true ? ' Counts against the rate of reading.' : ''
  const goesApart = apart === true ? ' Later requests may be answered before it.' : ''
  return [
    `### ${name}\n\n${what} *${capital(when)}.*${free}${goesApart}\n`,
    fieldTable('Parameters', params),
    fieldTable('Result', result),
  ].join('\n')
}

function peerMethod([name, { what, params, result }]: readonly [string, PeerMethodRow]): string {
  return [`### ${name}\n\n${what}\n`, fieldTable('Parameters', params), fieldTable('Result', result)].join('\n')
}

function event([name, { what, data }]: readonly [string, EventRow]): string {
  return [`### ${name}\n\n${what}\n`, fieldTable('Data', data)].join('\n')
}

function fieldTable(title: string, schema: v.GenericSchema): string {
  const rows = rowsOf(schema)
  return rows.length === 0 ? `${title}: none.\n` : markdownTable([title, 'type', 'what'], rows)
}

/** One row for each field, those of a map inside under `outer.inner`, those of the maps of a list under `outer[].inner`. */
function rowsOf(schema: v.GenericSchema, prefix = ''): readonly Row[] {
  const { type, entries = {}, options = [] } = schema as Shape
  if (type === 'variant') return options.flatMap((each) => (typeof each === 'string' ? [] : rowsOf(schemaOf(each), prefix)))
  return Object.entries(entries).flatMap(([key, field]) => {
    const isOptional = field.type === 'optional'
    const inner = (isOptional ? field.wrapped : field) ?? field
    const row: Row = [`\`${prefix}${key}${isOptional ? '?' : ''}\``, typeOf(inner), descriptionOf(inner)]
    const item = inner.item ?? inner
    return [row, ...rowsOf(schemaOf(item), `${prefix}${key}${inner.item === undefined ? '' : '[]'}.`)]
  })
}

function typeOf(shape: Shape): string {
  const { bytesMax, bytesExactly } = v.getMetadata(schemaOf(shape))
  if (typeof bytesExactly === 'number') return `${number(bytesExactly)} bytes`
  if (typeof bytesMax === 'number') return `bytes, at most ${number(bytesMax)}`
  const words = shape.options?.map((each) => `\`${String(each)}\``)
  return words === undefined ? simpleType(shape) : words.join(' or ')
}

function simpleType(shape: Shape): string {
  const max = bound(shape, 'max_length')
  switch (shape.type) {
    case 'string':
      return `${has(shape, 'regex') ? 'printable ASCII' : 'text'}, ${has(shape, 'regex') || has(shape, 'min_length') ? '1 to' : 'at most'} ${number(max)}`
    case 'number':
      return `whole number, ${number(bound(shape, 'min_value'))} to ${number(bound(shape, 'max_value'))}`
    case 'boolean':
      return 'true or false'
    case 'array':
      return `list of ${shape.item?.entries !== undefined ? 'maps' : `(${typeOf(shape.item ?? shape)})`}${lengths(shape)}`
    case 'object':
    case 'strict_object':
      return 'map'
    default:
      throw new TypeError(`a field of type ${shape.type} has no words yet`)
  }
}

function lengths(shape: Shape): string {
  return has(shape, 'max_length') ? `, ${number(bound(shape, 'min_length') ?? 0)} to ${number(bound(shape, 'max_length'))}` : ''
}

function descriptionOf(shape: Shape): string {
  const described = v.getDescription(schemaOf(shape))
  return described ?? (shape.item === undefined ? '' : descriptionOf(shape.item))
}

function has(shape: Shape, action: string): boolean {
  return bound(shape, action) !== undefined
}

function bound(shape: Shape, action: string): unknown {
  return steps(shape.pipe).findLast(({ type }) => type === action)?.requirement
}

function steps(pipe: readonly Step[] = []): readonly Step[] {
  return pipe.flatMap((step) => (step.pipe === undefined ? [step] : steps(step.pipe)))
}

/** `2^53 - 1`, or digits in groups. */
function number(value: unknown): string {
  return value === Number.MAX_SAFE_INTEGER ? '2^53 - 1' : Number(value).toLocaleString('en')
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}

function schemaOf(shape: Shape): v.GenericSchema {
  return shape as Shape & v.GenericSchema
}

if (import.meta.main) writeFileSync(fileURLToPath(new URL('../docs/protocol/contract-reference.md', import.meta.url)), contractPage())
