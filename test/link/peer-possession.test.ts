// Who has copied the certificate of a device, and has not its key. The openssl program is made to believe that it has: its file
// holds the public half of the device and the private half of somebody else.

import { expect, test } from 'bun:test'
import { type ChildProcess, spawn } from 'node:child_process'
import type { X509Certificate } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { systemClock } from '../../src/domain/index.ts'
import { Flusher } from '../../src/link/index.ts'
import { resolveLimits } from '../../src/protocol/index.ts'
import { newKey, type Signer } from '../support/certificates.ts'
import { type CertificateFiles, OpensslFolder, OpensslServer } from '../support/openssl.ts'
import { dialBob, makePeers, refusalOf, TestPeer } from '../support/peers.ts'
import { isMissing } from '../support/python.ts'

const peers = await makePeers()
const limits = resolveLimits({})
const context = { limits, flusher: new Flusher(limits, systemClock) }

if (!isMissing('openssl')) {
  test('nobody is let in by a certificate whose key he has not', async () => {
    using folder = new OpensslFolder()
    using bob = await TestPeer.start(peers)
    bob.greeting = 'a secret'
    for (const [files, isHonest] of [
      [honest(folder, 'alice', peers.alice), true],
      [stolen(folder, 'copied', peers.alice), false],
    ] as const) {
      const said = await saidTo(bob.port, files, isHonest ? 'a secret' : 'alert decrypt error')
      expect([said.includes('a secret'), bob.accepted.length, bob.refusals]).toEqual([
        isHonest,
        1,
        isHonest ? [] : ['handshake client_certificate'],
      ])
    }
  })

  test('nobody is dialled who shows a certificate whose key he has not', async () => {
    using folder = new OpensslFolder()
    const flags = ['-alpn', 'sealwire-direct/1', '-Verify', '1'] as const
    await using right = await OpensslServer.start(honest(folder, 'bob', peers.bob), ...flags)
    const link = await dialBob(peers, right.port, context)
    link.terminate()
    await using copied = await OpensslServer.start(stolen(folder, 'copied', peers.bob), ...flags)
    expect(await refusalOf(dialBob(peers, copied.port, context))).toBe(
      `[untrusted] 127.0.0.1:${copied.port} could not prove that the certificate is its own`,
    )
  })
}

/** All that openssl says until it ends or has said `text`, to which it is let come. */
async function saidTo(port: number, { certificate, key }: CertificateFiles, text: string): Promise<string> {
  const args = ['s_client', '-connect', `127.0.0.1:${port}`, '-cert', certificate, '-key', key, '-alpn', 'sealwire-direct/1']
  const child: ChildProcess = spawn('openssl', args, { stdio: ['pipe', 'pipe', 'pipe'] })
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  let said = ''
  const collect = (bytes: Buffer): void => {
    said += bytes.toString()
    if (said.includes(text)) kill()
  }
  child.stdout?.on('data', collect)
  child.stderr?.on('data', collect)
  await new Promise((resolve) => child.once('close', resolve))
  process.off('exit', kill)
  return said
}

function honest(folder: OpensslFolder, name: string, { certificate, key }: Signer): CertificateFiles {
  return written(folder, name, certificate, key.export({ type: 'pkcs8', format: 'der' }))
}

/** A key in PKCS #8 ends with its public point, which openssl does not compute again. */
function stolen(folder: OpensslFolder, name: string, { certificate }: Signer): CertificateFiles {
  const key = newKey().export({ type: 'pkcs8', format: 'der' })
  const shown = certificate.publicKey.export({ type: 'spki', format: 'der' })
  shown.copy(key, key.length - pointBytes, shown.length - pointBytes)
  return written(folder, name, certificate, key)
}

function written(folder: OpensslFolder, name: string, certificate: X509Certificate, key: Buffer): CertificateFiles {
  const files = { name, certificate: folder.file(`${name}.crt`), key: folder.file(`${name}.key`) }
  writeFileSync(files.certificate, certificate.toString())
  writeFileSync(files.key, `-----BEGIN PRIVATE KEY-----\n${key.toString('base64')}\n-----END PRIVATE KEY-----\n`)
  return files
}

/** A point of P-256 in full. */
const pointBytes = 65
