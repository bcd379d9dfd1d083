// A server identity for tests, made by the product's own authority in a temporary folder, once a test file.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../src/domain/index.ts'
import type { TlsIdentity } from '../../src/link/index.ts'
import { loadServerIdentity } from '../../src/pki/index.ts'

export interface TestIdentity {
  readonly identity: TlsIdentity
  /** PEM of the authority: the only root a client needs. */
  readonly roots: string
}

export async function testIdentity(): Promise<TestIdentity> {
  const folder = mkdtempSync(join(tmpdir(), 'sealwire-identity-'))
  try {
    const loaded = await loadServerIdentity({ folder }, { clock: systemClock })
    return { identity: { certificateChain: loaded.certificateChainPem, key: loaded.keyPem }, roots: loaded.authorityPem }
  } finally {
    rmSync(folder, { recursive: true })
  }
}
