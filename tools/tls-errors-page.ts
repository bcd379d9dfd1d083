// Writes the tables of docs/tls-errors.md, between its two markers, from the tables in src/link: npm run pages. The prose
// around them is written by hand; a test keeps the tables equal to the sources.

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { foreignCertificates, libraryErrors, systemErrors, unfitCertificates } from '../src/link/dial-error.ts'
import { listenErrors } from '../src/link/listen-error.ts'
import { alerts, handshakeReasons, libraryReasons, type Words } from '../src/link/tls/alert.ts'
import { markdownTable } from './markdown.ts'

const begin = '<!-- The tables are written by `npm run pages` from src/link. -->'
const end = '<!-- End of the tables. -->'

/** The page with the tables of today. */
export function tlsErrorsPage(page: string): string {
  const [before = '', rest = ''] = page.split(begin)
  const after = rest.split(end)[1] ?? '\n'
  return `${before}${begin}\n\n${tables()}\n${end}${after}`
}

function tables(): string {
  return [
    section('Alerts', alertTable()),
    section('What the client finds: certificates', wordsTable({ ...unfitCertificates, ...foreignCertificates })),
    section('What the client finds: TLS', wordsTable(libraryErrors)),
    section('What the client finds: the way there', wordsTable(systemErrors)),
    section('What the server logs', reasonTable()),
    section('What the server finds: its own address', listenTable()),
  ].join('\n')
}

function section(title: string, table: string): string {
  return `## ${title}\n\n${table}`
}

function alertTable(): string {
  const rows = Object.entries(alerts).map(([name, { number, words, reason }]) => [
    `\`${name}\``,
    `${number}`,
    told(words),
    words.hint,
    `\`${reason}\``,
  ])
  return markdownTable(
    ['alert', 'number', 'a client says when its server sends it', 'what to do', 'a server logs when its client sends it'],
    rows,
  )
}

function wordsTable(words: Readonly<Record<string, Words>>): string {
  return markdownTable(
    ['code', 'a client says', 'what to do'],
    Object.entries(words).map(([code, each]) => [`\`${code}\``, told(each), each.hint]),
  )
}

function reasonTable(): string {
  const rows = Object.entries(handshakeReasons).map(([word, what]) => {
    const found = [...libraryReasons].filter(([, each]) => each === word).map(([code]) => `\`${code}\``)
    return [`\`${word}\``, what, found.join(' ')]
  })
  return markdownTable(['word', 'what it means', 'what the library calls it, beside the alerts'], rows)
}

function listenTable(): string {
  const rows = Object.entries(listenErrors).map(([code, { why, hint }]) => [`\`${code}\``, `cannot listen on HOST:PORT${why}`, hint])
  return markdownTable(['code', 'the server says', 'what to do'], rows)
}

function told({ sentence }: Words): string {
  return `HOST:PORT ${sentence}`
}

if (import.meta.main) {
  const path = fileURLToPath(new URL('../docs/tls-errors.md', import.meta.url))
  writeFileSync(path, tlsErrorsPage(readFileSync(path, 'utf8')))
}
