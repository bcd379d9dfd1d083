// What has to be true of the process before anything else is.

import { SealwireError } from '../protocol/errors.ts'

/**
 * Refuses a runtime that would not keep our promises.
 * @throws {SealwireError} `runtime_unsupported` below Bun 1.4.0 and on other runtimes; `config_invalid` when the
 * environment switches certificate checks off for the whole process.
 */
export function checkRuntime(versions: NodeJS.ProcessVersions, environment: NodeJS.ProcessEnv): void {
  // Up to 1.3.14 a listener that asks for client certificates delivered the data of rejected ones.
  if (!isBunFrom14(versions.bun)) {
    throw new SealwireError('runtime_unsupported', `this needs Bun 1.4.0 or newer, not ${nameOf(versions)}`, {
      hint: 'start it with npm start or npm run sealwire: they use the right one',
    })
  }
  if (environment['NODE_TLS_REJECT_UNAUTHORIZED'] !== '0') return
  throw new SealwireError('config_invalid', 'NODE_TLS_REJECT_UNAUTHORIZED=0 switches every certificate check off', {
    hint: 'remove it from the environment',
  })
}

function isBunFrom14(version: string | undefined): boolean {
  const [major = 0, minor = 0] = (version ?? '').split('.').map(Number)
  return major > 1 || (major === 1 && minor >= 4)
}

function nameOf({ bun, node }: NodeJS.ProcessVersions): string {
  return bun === undefined ? `Node ${node}` : `Bun ${bun}`
}
