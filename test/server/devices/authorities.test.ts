import { describe, expect, test } from 'bun:test'
import { X509Certificate } from 'node:crypto'
import { deviceIssuer, loadServerIdentity, newDeviceKeys } from '../../../src/pki/index.ts'
import { IdentityFolder } from '../../../src/pki/identity-folder.ts'
import { spkiOf } from '../../../src/pki/certificate-request.ts'
import { verifyPeer } from '../../../src/pki/peer-certificate.ts'
import { rotateAuthority } from '../../../src/pki/rotation.ts'
import { limitTable } from '../../../src/protocol/index.ts'
import { deviceAuthorities } from '../../../src/server/devices/authorities.ts'
import { clockAt, dayMs, start, temporaryFolder } from '../../pki/support.ts'

/** What a server with this folder shows at a moment. */
async function shown(folder: string, now: number) {
  const identity = await loadServerIdentity({ folder }, { clock: clockAt(now) })
  return { certificateChain: '', key: '', deviceAuthorities: identity.deviceAuthoritiesPem }
}

async function deviceOf(folder: string, now: number): Promise<Uint8Array> {
  return (await deviceIssuer(folder, { clock: clockAt(now) })(spkiOf(newDeviceKeys().p256))).certificate
}

function hasMade(certificate: Uint8Array, authorities: readonly Uint8Array[], now: number): boolean {
  try {
    const all = authorities.map((each) => new X509Certificate(each))
    return verifyPeer(certificate, { authorities: all, devices: { has: () => true }, now }) !== ''
  } catch {
    return false
  }
}

describe('deviceAuthorities', () => {
  test('names the authority of today, and before it those of which a device may still have its certificate', async () => {
    using root = temporaryFolder()
    let [now, identity] = [start, await shown(root.path, start)]
    const named = deviceAuthorities(() => identity, { now: () => now })
    const before = await deviceOf(root.path, now)
    const [first, ...others] = named()
    expect([others.length, hasMade(before, named(), now)]).toEqual([0, true])
    await rotateAuthority(new IdentityFolder(root.path), { overlapMs: 30 * dayMs, now })
    identity = await shown(root.path, now)
    const after = await deviceOf(root.path, now)
    expect(named()).toHaveLength(2)
    expect(named()[0]).not.toEqual(first as Uint8Array)
    for (const certificate of [before, after]) expect(hasMade(certificate, named(), now)).toBe(true)
    // In their order, so that the bound leaves out those of longest ago: none of them is the bridge.
    expect([hasMade(after, named().slice(0, 1), now), hasMade(before, named().slice(0, 1), now)]).toEqual([true, false])
    // Nothing is read anew, and still what is over is over.
    now = start + 367 * dayMs
    expect(named()).toHaveLength(1)
  })

  test('names so many and no more, the newest', async () => {
    using root = temporaryFolder()
    let [now, identity] = [start, await shown(root.path, start)]
    for (let turn = 0; turn < limitTable.directAuthoritiesMax.value + 2; turn++) {
      now += dayMs
      await rotateAuthority(new IdentityFolder(root.path), { overlapMs: 1, now })
      now += 2
    }
    identity = await shown(root.path, now)
    const named = deviceAuthorities(() => identity, { now: () => now })()
    expect(named).toHaveLength(limitTable.directAuthoritiesMax.value)
    expect(hasMade(await deviceOf(root.path, now), named.slice(0, 1), now)).toBe(true)
    expect(new Set(named.map((each) => Buffer.from(each).toString('hex'))).size).toBe(named.length)
  })

  test('names none where there are none', () => {
    expect(deviceAuthorities(() => ({ certificateChain: '', key: '' }), { now: () => start })()).toEqual([])
  })
})
