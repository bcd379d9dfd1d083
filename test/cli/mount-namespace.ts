// A process with mounts of its own, so that a test can have a small disk and fill it. Linux lets most users have one.

import { type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'

/** Runs a command as the root of a namespace of its own. */
export function inNamespace(...command: readonly string[]): SpawnSyncReturns<string> {
  return spawnSync('unshare', ['--user', '--map-root-user', '--mount', ...command], { encoding: 'utf8' })
}

/** Whether this machine allows it; a test that needs it is skipped otherwise, and says so. */
export const canMount = inNamespace('mount', '-t', 'tmpfs', 'none', tmpdir()).status === 0

if (!canMount) console.warn('SKIPPED: this machine lets nobody mount a disk of their own, so none can be filled')
