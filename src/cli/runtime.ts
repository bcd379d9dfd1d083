// What has to be true of the process before anything else is.

import { SealwireError } from '../protocol/errors.ts'

/**
 * Refuses a runtime that would not keep our promises.
 * @throws {SealwireError} `runtime_unsupported` below Bun 1.4.5 and Node 24.15.0; `config_invalid` when the environment
 * switches certificate checks off for the whole process.
 */
export function checkRuntime(versions: NodeJS.ProcessVersions, environment: NodeJS.ProcessEnv): void {
  if (!isRecent(versions)) {
    throw new SealwireError('runtime_unsupported', `this needs Bun 1.4.5 or Node 24.15.0, or newer, not ${nameOf(versions)}`, {
      hint: 'start it with npm start or npm run sealwire: they use the right one',
    })
  }
  if (environment['NODE_TLS_REJECT_UNAUTHORIZED'] !== '0') return
  throw new SealwireError('config_invalid', 'NODE_TLS_REJECT_UNAUTHORIZED=0 switches every certificate check off', {
    hint: 'remove it from the environment',
  })
}

/**
 * Bun up to 1.3.14 delivered data of clients whose certificate it had rejected; 1.4.5 is the first one that was tested. Node
 * before 24.15 has an SQLite that may corrupt a WAL database. Bun also says which Node it resembles, so it is asked first.
 */
function isRecent({ bun, node }: NodeJS.ProcessVersions): boolean {
  return bun === undefined ? isFrom(node, 24, 15, 0) : isFrom(bun, 1, 4, 5)
}

function isFrom(version: string, ...floor: readonly number[]): boolean {
  const parts = version.split('.').map((part) => Number.parseInt(part, 10))
  const at = floor.findIndex((least, place) => parts[place] !== least)
  return at === -1 || (parts[at] ?? 0) > (floor[at] ?? 0)
}

function nameOf({ bun, node }: NodeJS.ProcessVersions): string {
  return bun === undefined ? `Node ${node}` : `Bun ${bun}`
}
