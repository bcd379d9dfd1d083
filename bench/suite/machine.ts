// On what machine figures were measured, and what it computes, in the same minutes: figures of two machines do not compare.

import { execFileSync } from 'node:child_process'
import { createCipheriv, generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto'
import { arch, cpus, loadavg, release, type } from 'node:os'
import { found } from './peers.ts'
import { grouped } from './plan.ts'

/** A line each. */
export function machine(): readonly string[] {
  const [processor] = cpus()
  const versions = [
    `Bun ${process.versions['bun'] ?? 'none'}`,
    versionOf('openssl', ['version'], /OpenSSL [\d.]+\w*/),
    versionOf('nats-server', ['--version'], /v?\d[\d.]+/, 'NATS '),
    versionOf('mosquitto', ['-h'], /version \S+/, 'Mosquitto '),
    versionOf('pgbench', ['--version'], /[\d.]+/, 'PostgreSQL '),
  ]
  return [
    `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC, load average ${loadavg()[0]?.toFixed(1)}`,
    `${cpus().length} cores, ${processor?.model.trim() ?? 'an unknown processor'}, ${type()} ${release()} ${arch()}`,
    versions.filter((each) => each !== undefined).join(', '),
  ]
}

/** What one core does of the cryptography that everything here rests on. */
export function rates(): string {
  const seal = [64, 16_384].map((bytes) => `${grouped(sealsPerSecond(bytes))} seals of ${bytes} B`)
  return `${grouped(verificationsPerSecond())} Ed25519 verifications, AES-256-GCM ${seal.join(' and ')} a second`
}

/** Of one core, in line, of as many bytes as an order has. */
export function verificationsPerSecond(): number {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const message = randomBytes(230)
  const signature = sign(null, message, privateKey)
  return perCpuSecond(() => {
    if (!verify(null, message, publicKey, signature)) throw new TypeError('a signature that is none')
  })
}

function sealsPerSecond(bytes: number): number {
  const [key, nonce, plaintext] = [randomBytes(32), Buffer.alloc(12), randomBytes(bytes)]
  return perCpuSecond((count) => {
    nonce.writeUInt32BE(count, 8)
    const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 })
    cipher.update(plaintext)
    cipher.final()
    cipher.getAuthTag()
  })
}

/** A quarter of a second of it. */
function perCpuSecond(act: (count: number) => void): number {
  const before = process.cpuUsage()
  let [count, spent] = [0, 0]
  while (spent < 0.25e6) {
    for (const end = count + 500; count < end; count++) act(count)
    const { user, system } = process.cpuUsage(before)
    spent = user + system
  }
  return count / (spent / 1e6)
}

/** `undefined` where it is not installed. Some say it on standard error, or end with a failure. */
function versionOf(program: string, args: readonly string[], pattern: RegExp, name = ''): string | undefined {
  const path = found(program)
  if (path === undefined) return undefined
  try {
    return name + (pattern.exec(execFileSync(path, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))?.[0] ?? '')
  } catch (reason) {
    const said = reason instanceof Error && 'stdout' in reason ? String(reason.stdout) : ''
    return name + (pattern.exec(said)?.[0] ?? '')
  }
}
