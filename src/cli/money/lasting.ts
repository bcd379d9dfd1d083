// How long a hold or a request lasts, as `--for` says it.

import { parseDuration } from '../options/duration.ts'
import { commandLine } from '../options/origin.ts'

/** In ms, from a minute to nearly `msMax`: the server measures the longest by its own clock, which may be behind. @throws {SealwireError} `usage`. */
export function lastingMs(text: string, msMax: number): number {
  return Math.min(parseDuration(text, commandLine('--for'), { min: minute, max: msMax }), msMax - minute)
}

const minute = 60_000
