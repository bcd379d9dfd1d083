// Configurations as people write them: right ones, and nearly right ones.

import { type ServeOptionName, serveOptions } from '../../../src/cli/serve/options.ts'
import { type LimitName, limitTable } from '../../../src/protocol/limits.ts'
import type { Chance } from '../chance.ts'

/** One input of the target `configuration`: a few options on the command line and in the environment, now and then a file. */
export function configurationOf(chance: Chance): string {
  if (chance.oneIn(8)) return layersOf(chance)
  const lines = Array.from({ length: chance.between(1, 3) }, () => (chance.oneIn(2) ? flagOf(chance) : variableOf(chance)))
  if (chance.oneIn(20)) lines.push(`port ${chance.pick(['5555', '0', '65536', 'x'])}`)
  const file = chance.oneIn(5) ? `\nfile\n${fileOf(chance)}` : ''
  return `${lines.join('\n')}${file}`
}

/** One option, said in two places or in all three. */
function layersOf(chance: Chance): string {
  const name = chance.pick(names)
  const left = chance.below(4)
  const lines = [left === 0 ? '' : flagOf(chance, name), left === 1 ? '' : variableOf(chance, name)].filter((line) => line !== '')
  const row = name === 'limits' ? limitsOf(chance) : `${name} = ${valueOf(chance, name)}`
  return `${lines.join('\n')}${left === 2 ? '' : `\nfile\n${row}\n`}`
}

function flagOf(chance: Chance, name: ServeOptionName = chance.pick(names)): string {
  return `flag ${name}=${textOf(chance, name)}`
}

function variableOf(chance: Chance, name: ServeOptionName = chance.pick(names)): string {
  const values = Array.from({ length: serveOptions[name].many ? chance.between(1, 3) : 1 }, () => textOf(chance, name))
  return `env ${serveOptions[name].variable}=${values.join(chance.oneIn(2) ? ',' : ' , ')}`
}

/** Keys in any order, some twice; limits as a table, as dotted keys, or in one line. */
function fileOf(chance: Chance): string {
  const keys = Array.from({ length: chance.below(4) }, () => chance.pick(names)).filter((name) => name !== 'limits')
  const lines = keys.map((name) => `${quotedKey(chance, name)} = ${valueOf(chance, name)}`)
  if (chance.oneIn(6)) lines.push(limitsOf(chance))
  return `${lines.join('\n')}\n`
}

function quotedKey(chance: Chance, name: string): string {
  return chance.oneIn(8) ? `"${name}"` : name
}

function valueOf(chance: Chance, name: ServeOptionName): string {
  if (chance.oneIn(12)) return chance.pick(['1', 'true', '""', '[]', '[[1]]', '{}', '1979-05-27', 'nan', '0.5', "'a'", '[ "a", 1 ]'])
  const text = textOf(chance, name)
  if (text === 'true' || text === 'false') return text
  return serveOptions[name].many ? `["${text}"]` : `"${text}"`
}

function limitsOf(chance: Chance): string {
  const rows = Array.from({ length: chance.between(1, 3) }, () => limitOf(chance).split('='))
  if (chance.oneIn(4)) return `limits = { ${rows.map(([name, value]) => `${name} = ${value}`).join(', ')} }`
  if (chance.oneIn(4)) return rows.map(([name, value]) => `limits.${name} = ${value}`).join('\n')
  return `[limits]\n${rows.map(([name, value]) => `${name} = ${value}`).join('\n')}`
}

function limitOf(chance: Chance): string {
  const name = chance.pick(limitNames)
  const { min, max, value } = limitTable[name]
  if (chance.oneIn(12))
    return chance.pick(['__proto__=1', 'toString=1', 'nothing=1', `${name}=`, `${name}=1.5`, `${name}=-1`, `${name}=99999999999999999`])
  return `${name}=${chance.pick([min, max, value, value, max + 1, min - 1])}`
}

function textOf(chance: Chance, name: ServeOptionName): string {
  if (name === 'limits') return limitOf(chance)
  if (chance.oneIn(10)) return chance.pick(['', 'x', '__proto__', '\0', 'é', '-1', '*'.repeat(300)])
  return chance.pick(texts[name] ?? endpoints)
}

const names = Object.keys(serveOptions) as ServeOptionName[]
const limitNames = Object.keys(limitTable) as LimitName[]
const endpoints = [
  '127.0.0.1:0',
  '127.0.0.1:5555',
  '[::1]:5556',
  'localhost:1',
  '0.0.0.0:443',
  '::1:5',
  '127.0.0.1',
  '[::]:70000',
  ':5555',
  'a b:1',
]
const paths = ['/srv/data', 'data', './a/b', '..', '/']
const switches = ['true', 'false', '1', '0', 'yes']
/** Options that are not here take an address. */
const texts: Partial<Record<ServeOptionName, readonly string[]>> = {
  data: paths,
  cert: paths,
  key: paths,
  host: ['chat.example', '192.0.2.1', '::1', 'Chat.Example', '*.example', 'a..b'],
  registration: ['invite', 'open', 'closed', 'Open'],
  classic: switches,
  'sealed-v1': switches,
  'mutual-tls': ['optional', 'required', 'off', 'on'],
  'web-origin': ['https://chat.example', 'https://192.0.2.1:8080', 'http://chat.example', 'https://chat.example/', '*'],
  'log-level': ['debug', 'info', 'warning', 'error', 'trace'],
  'log-format': ['pretty', 'json', 'classic', 'xml'],
}
