import { describe, expect, test } from 'bun:test'
import { randomBytes } from 'node:crypto'
import { ServerStage } from '../support/server-stage.ts'

const place = { address: '127.0.0.1' }
const lifeMs = 1_000_000

/** A device of an account of this name, whose certificate is good for `lifeMs`. */
async function enrolled(stage: ServerStage, name: string) {
  const peer = await stage.member(name)
  const accountId = BigInt((await peer.ask('payment.units', {})).account)
  const [spkiHash, ed25519, x25519] = Array.from({ length: 3 }, () => new Uint8Array(randomBytes(32))) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ]
  const [id, at] = [`device of ${name}`, BigInt(stage.clock.now())]
  stage.store('device.enrol', { spkiHash, id, accountId, ed25519, x25519, label: '', at, expiresAt: at + BigInt(lifeMs) })
  const { devices } = stage.context
  const admitted = async (): Promise<readonly (string | undefined)[]> =>
    (await Promise.all([devices.admit(spkiHash, place), devices.admitKey(x25519, place)])).map((device) => device?.id)
  return { id, admitted }
}

describe('a device is let in', () => {
  test('by the key of its certificate and by its static key', async () => {
    using stage = new ServerStage()
    const { id, admitted } = await enrolled(stage, 'alice')
    expect(await admitted()).toEqual([id, id])
  })

  test('by its static key until its certificate expires, of which TLS says nothing there', async () => {
    using stage = new ServerStage()
    const { id, admitted } = await enrolled(stage, 'alice')
    await stage.clock.move(lifeMs - 1)
    expect((await admitted())[1]).toBe(id)
    await stage.clock.move(1)
    expect((await admitted())[1]).toBeUndefined()
  })

  test('neither when it was revoked nor when its account is banned', async () => {
    using stage = new ServerStage()
    const [alice, bob] = [await enrolled(stage, 'alice'), await enrolled(stage, 'bob')]
    const at = BigInt(stage.clock.now())
    stage.store('device.revoke', { id: alice.id, at })
    stage.store('account.ban', { key: 'bob', at })
    expect([await alice.admitted(), await bob.admitted()]).toEqual(Array(2).fill([undefined, undefined]))
  })

  test('only when it is one', async () => {
    using stage = new ServerStage()
    await enrolled(stage, 'alice')
    const { devices } = stage.context
    const key = new Uint8Array(32)
    expect([await devices.admit(key, place), await devices.admitKey(key, place)]).toEqual([undefined, undefined])
  })
})
