import { expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { contractCommands, contractVersion, encodeRequest, events, methods } from '../../src/protocol/contract/index.ts'
import { type Code, codes, encodeFrame, type LimitName, limitTable } from '../../src/protocol/index.ts'
import { peerMethods } from '../../src/protocol/direct/index.ts'
import { contractPage } from '../../tools/contract-page.ts'

const greeting = ['session.hello', 'session.goodbye']
const folder = new URL('../../docs/protocol/', import.meta.url)
const reference = readFileSync(new URL('contract-reference.md', folder), 'utf8')
const page = readFileSync(new URL('contract.md', folder), 'utf8')

test('docs/protocol/contract-reference.md is what npm run pages writes', () => {
  expect(reference).toBe(contractPage())
})

test('the reference has every method and event with every field, and leaves nothing undescribed', () => {
  const headings = Array.from(reference.matchAll(/^### (\S+)$/gm), ([, name]) => name)
  expect(headings).toEqual([...greeting, ...Object.keys(methods), ...Object.keys(events), ...Object.keys(peerMethods)])
  const cells = reference
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').map((cell) => cell.trim()))
  expect(cells.length).toBeGreaterThan(40)
  for (const [, field, type, what] of cells) expect([field, type, what]).not.toContain('')
  expect(reference).not.toMatch(/undefined|NaN|\[object/)
})

test('the page names every frame with its number', () => {
  for (const [name, command] of Object.entries(contractCommands)) {
    const title = name.slice(0, 1).toUpperCase() + name.slice(1)
    expect(page).toContain(`| \`${command.toString(16)}\` | ${title} |`)
  }
  expect(page).toContain(`version ${contractVersion}`)
})

test('the page names methods, events, codes and limits that exist, and limits with their values', () => {
  const words = Array.from(page.matchAll(/`([a-z]+(?:_[a-z]+)+)`/g), ([, word]) => word as Code)
  expect(words.length).toBeGreaterThan(20)
  for (const word of words) expect(Object.keys(codes)).toContain(word)
  for (const [, name = ''] of page.matchAll(/`((?:session|account|directory|contact|message)\.[a-z]+)`/g)) {
    expect([...Object.keys(methods), ...Object.keys(events), ...greeting]).toContain(name)
  }
  const limits = Array.from(page.matchAll(/`([a-z]+[A-Z][A-Za-z]+(?:Max|Min|Ms))`/g), ([, name]) => name as LimitName)
  expect(limits.length).toBeGreaterThan(5)
  for (const name of limits) expect(Object.keys(limitTable)).toContain(name)
})

test('every code that a client can meet is told of', () => {
  const words = ['declined', 'not_in_chat', 'peer_left', 'peer_lost', 'type_unsupported'] as const
  const classicOnly: readonly Code[] = [...words, 'unknown_command', 'dialect_unavailable', 'slow_consumer']
  const travelling = (Object.keys(codes) as Code[]).filter((code) => codes[code].wire < 0x40 || code === 'internal')
  for (const code of travelling.filter((each) => !classicOnly.includes(each))) expect(page).toContain(`\`${code}\``)
})

test('the frames that the page spells out are what the code writes', () => {
  const spelt = Array.from(page.matchAll(/^([0-9a-f]{2}(?: [0-9a-f]{2})*) {2,}/gm), ([, bytes = '']) => bytes.replaceAll(' ', '')).join('')
  const body = encodeRequest(7, 'session.echo', { data: new TextEncoder().encode('hello') })
  expect(spelt).toBe(Buffer.from(encodeFrame(contractCommands.request, body)).toString('hex'))
})

test('what the page links to is there', () => {
  for (const [, target = ''] of page.matchAll(/\]\(([^)#:]+)\)/g))
    expect([target, existsSync(new URL(target, folder))]).toEqual([target, true])
})
