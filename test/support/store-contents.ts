// What a database holds, read by SQLite alone and without our code, and tools that some of the tests need.

import { spawnSync } from 'node:child_process'
import { DatabaseSync } from 'node:sqlite'
import { StoreFolder } from './store-folder.ts'

/** The names of all accounts. Throws when SQLite finds the database damaged. */
export function accountNames(databasePath: string): ReadonlySet<string> {
  using connection = new DatabaseSync(databasePath)
  const verdict = connection.prepare('pragma integrity_check').get()?.['integrity_check']
  if (verdict !== 'ok') throw new TypeError(`the database is damaged: ${String(verdict)}`)
  const rows = connection.prepare('select name from account').all()
  return new Set(rows.map(({ name }) => String(name)))
}

/** Those of `names` that are not in `present`. */
export function missing(names: readonly string[], present: ReadonlySet<string>): readonly string[] {
  return names.filter((name) => !present.has(name))
}

/** Runs a command and throws with what it said when it fails. */
export function command(program: string, ...parameters: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program, parameters, { encoding: 'utf8' })
  if (status !== 0) throw new TypeError(`${program} ${parameters.join(' ')}: ${stderr}`)
  return stdout
}

/**
 * True when a test cannot run here because `what` is not `present`. Says so aloud, because a skipped test proves nothing; where
 * CI is set the test runs, and fails, unless `skippable` says that CI may lack it as well.
 */
export function skipWithout(what: string, present: boolean, { skippable = false } = {}): boolean {
  if (present || (process.env['CI'] === 'true' && !skippable)) return false
  console.warn(`SKIPPED: ${what} is missing here`)
  return true
}

/** True when this process may mount file systems: it tries. */
export function mayMount(): boolean {
  using folder = new StoreFolder()
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder.path]).status !== 0) return false
  return spawnSync('umount', [folder.path]).status === 0
}

/** True when the longer forms of the crash tests are asked for. */
export const isLong = process.env['SEALWIRE_LONG'] === '1'
