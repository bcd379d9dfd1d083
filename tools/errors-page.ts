// Writes the table of docs/protocol/errors.md, between its two markers, from src/protocol/errors.ts: npm run pages. The
// prose around the table is written by hand; a test keeps the table equal to the source.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type CodeRow, codes } from '../src/protocol/errors.ts'
import { markdownTable } from './markdown.ts'

const begin = '<!-- The table is written by `npm run pages` from src/protocol/errors.ts. -->'
const end = '<!-- End of the table. -->'

/** The page with the table of today; a page without markers gets it at its end. */
export function errorsPage(page: string): string {
  const [before = '', rest = ''] = page.split(begin)
  const after = rest.split(end)[1] ?? '\n'
  return `${before}${begin}\n\n${errorsTable()}\n${end}${after}`
}

function errorsTable(): string {
  const rows = Object.entries<CodeRow>(codes).map(([code, { wire, fatal, retry }]) => [
    `\`${code}\``,
    `\`${wire.toString(16).padStart(2, '0')}\``,
    fatal ? 'ends' : 'lives',
    retry ? 'may succeed later' : 'no',
  ])
  return markdownTable(['code', 'on the wire', 'the connection', 'the same request again'], rows)
}

if (import.meta.main) {
  const path = fileURLToPath(new URL('../docs/protocol/errors.md', import.meta.url))
  writeFileSync(path, errorsPage(existsSync(path) ? readFileSync(path, 'utf8') : '# Errors\n\n'))
}
