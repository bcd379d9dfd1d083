// Writes docs/LIMITS.md from src/protocol/limits.ts: npm run pages. A test keeps the two equal.

import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type LimitName, type LimitRow, limitTable } from '../src/protocol/limits.ts'
import { limitEffect, limitSubject } from './limit-effects.ts'
import { markdownTable } from './markdown.ts'

const introduction = `# Limits

Every queue, buffer, table and wait of Sealwire is bounded, and this is the list of the bounds. An operator changes one
with \`serve --limit NAME=VALUE\`, within its range. Values are whole numbers in the unit of the row; \`outputBytesHigh\` may not be over \`outputBytesMax\`.
What programs of people enforce (\`client\`, \`cli/chat\` and so on) is theirs, and no server changes it.

Where something happens that a peer can see, the table says what: a code of [protocol/errors.md](protocol/errors.md), a connection that is dropped, cut or
closed, or a wait. –: nobody sees it, it is the size of a step, the length of a rest, or the program's own. How often the limits of connections,
output and queues were reached is a metric: [operations.md](operations.md).

This page is written by \`npm run pages\` from \`src/protocol/limits.ts\`, the only home of these numbers.
`

/** The whole page. */
export function limitsPage(): string {
  const rows = Object.entries<LimitRow>(limitTable).map(([name, row]) => [
    `\`${name}\``,
    `${row.value}`,
    `${row.min} – ${row.max}`,
    row.unit,
    limitSubject(row.what),
    limitEffect(name as LimitName, row.what),
    row.by,
  ])
  return `${introduction}\n${markdownTable(['name', 'default', 'range', 'unit', 'what it bounds', 'what happens there', 'enforced by'], rows)}`
}

if (import.meta.main) writeFileSync(fileURLToPath(new URL('../docs/LIMITS.md', import.meta.url)), limitsPage())
