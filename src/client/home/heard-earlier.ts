// What programs of a home with direct links have been told: one without them does not get it again.

import { existsSync } from 'node:fs'
import { systemClock } from '../../domain/clock.ts'
import { resolveLimits } from '../../protocol/index.ts'
import { Heard } from '../direct/heard.ts'
import { FileHeard } from './heard-files.ts'
import type { Home } from './home.ts'

/** Undefined where nobody was ever told anything directly. */
export function heardEarlier(home: Home, name: string): Heard | undefined {
  const limits = resolveLimits()
  const files = new FileHeard(home, { name, clock: systemClock, limits })
  return existsSync(files.folder) ? new Heard(files, limits) : undefined
}
