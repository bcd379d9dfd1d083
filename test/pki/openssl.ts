import { spawnSync } from 'node:child_process'

/**
 * Whether the openssl command is there to check our certificates with code that shares nothing with ours. Where it is
 * missing the checks are skipped and say so; in continuous integration (`CI=true`) that is an error.
 */
export const opensslFound = found()

/** What `openssl` prints; a TypeError with what it complained about when it fails. */
export function openssl(...words: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('openssl', [...words], { encoding: 'utf8' })
  if (status !== 0) throw new TypeError(`openssl ${words.join(' ')}: ${stderr}`)
  return stdout
}

function found(): boolean {
  // LibreSSL has a command of the same name with other words.
  if (spawnSync('openssl', ['version'], { encoding: 'utf8' }).stdout?.startsWith('OpenSSL ')) return true
  if (process.env['CI'] === 'true') throw new TypeError('the command of OpenSSL is missing: continuous integration must have it')
  console.warn('SKIPPED: the command of OpenSSL is not here, so certificates are not checked against it')
  return false
}
