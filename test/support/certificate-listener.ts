// A program that listens where client certificates are optional and where they are required, and answers each peer's
// first bytes with who he is: `node certificate-listener.ts FOLDER`. FOLDER/listener.json says as whom it listens, and
// the keys of the revoked. It prints its ports, and then a line for each thing that reached it.

import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../src/domain/index.ts'
import {
  Flusher,
  type Link,
  type LinkReceiver,
  type ListenHandlers,
  listenTls,
  type Ticket,
  type TlsIdentity,
} from '../../src/link/index.ts'
import { resolveLimits } from '../../src/protocol/index.ts'
import { keyHash } from './client-certificates.ts'

/** What FOLDER/listener.json holds. */
export interface CertificateListenerFile {
  readonly identity: TlsIdentity
  readonly revoked: readonly string[]
}

if (import.meta.main) {
  const [folder = ''] = process.argv.slice(2)
  const { identity, revoked }: CertificateListenerFile = JSON.parse(readFileSync(join(folder, 'listener.json'), 'utf8'))
  const limits = resolveLimits({})
  const context = { limits, flusher: new Flusher(limits, systemClock) }
  for (const clientCertificates of ['optional', 'required'] as const) {
    const options = { host: '127.0.0.1', port: 0, identity: () => identity, clientCertificates }
    const { port } = await listenTls(options, handlers(clientCertificates, new Set(revoked)), context)
    console.log(`${clientCertificates} 127.0.0.1:${port}`)
  }
  console.log('listening')
}

function handlers(mode: string, revoked: ReadonlySet<string>): ListenHandlers<Ticket> {
  return {
    admit: () => ({ established() {}, release() {} }),
    opened: (link) => {
      const who = nameOf(link)
      console.log(`${mode} opened ${who}`)
      if (revoked.has(who)) link.terminate()
      return answering(link, `${mode} received ${who}`)
    },
    failed: (_remote, why) => console.log(`${mode} failed ${why}`),
  }
}

function answering(link: Link, line: string): LinkReceiver {
  return {
    received: () => {
      console.log(line)
      link.send(Buffer.from(`you are ${nameOf(link)}\n`))
      link.close()
    },
    drained() {},
    closed() {},
  }
}

function nameOf({ security: { peerCertificate } }: Link): string {
  return peerCertificate === undefined ? 'anonymous' : keyHash(new X509Certificate(peerCertificate))
}
