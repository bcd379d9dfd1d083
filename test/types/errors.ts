// Compiled by `npm run types`, never run: what the types of errors and limits must allow and refuse.

import { type Code, codes, type Limits, resolveLimits, SealwireError } from '../../src/index.ts'

export const error = new SealwireError('busy', 'too many requests', { hint: 'try again later' })
export const code: Code = error.code
export const wire: number = codes.busy.wire

// @ts-expect-error A code is one of the table.
export const unknownCode = new SealwireError('no_such_code', 'text')

// @ts-expect-error A hint is a sentence, not undefined on purpose.
export const emptyHint = new SealwireError('busy', 'text', { hint: undefined })

// @ts-expect-error The number of a code on the wire is fixed.
codes.busy.wire = 1

export const limits: Limits = resolveLimits({ connectionsMax: 10 })

// @ts-expect-error Limits are resolved once and then stay.
limits.connectionsMax = 20

// @ts-expect-error There is no limit without a row in the table.
export const missing: number = limits.noSuchLimit
