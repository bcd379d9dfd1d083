import { describe, expect, test } from 'bun:test'
import { openWebDevice } from '../../../src/client/web/device.ts'
import type { WebKeys, WebKeyStore } from '../../../src/client/web/keys.ts'
import { openCose } from '../../../src/pki/cose-sign1.ts'
import { deviceId, ed25519KeyHash, openKeyStatement, openLoginProof } from '../../../src/pki/index.ts'

const server = new Uint8Array(16).fill(7)
const nonce = new Uint8Array(32).fill(9)

/** What IndexedDB does, for as long as a test runs. */
class MemoryKeyStore implements WebKeyStore {
  readonly kept = new Map<string, WebKeys>()

  async read(name: string): Promise<WebKeys | undefined> {
    return this.kept.get(name)
  }

  async keep(name: string, keys: WebKeys): Promise<WebKeys> {
    const first = this.kept.get(name) ?? keys
    this.kept.set(name, first)
    return first
  }

  async remove(name: string): Promise<void> {
    this.kept.delete(name)
  }
}

describe('openWebDevice', () => {
  test('makes keys once for each name, also where two begin at once, and none that can be taken away', async () => {
    const store = new MemoryKeyStore()
    const [one, two] = await Promise.all([openWebDevice({ store }), openWebDevice({ store })])
    const other = await openWebDevice({ store, name: 'other' })
    expect([one.id === two.id, one.id === other.id]).toEqual([true, false])
    expect((await openWebDevice({ store })).id).toBe(one.id)
    for (const { ed25519, x25519 } of store.kept.values()) {
      for (const { privateKey } of [ed25519, x25519]) expect(privateKey.extractable).toBe(false)
    }
    await one.forget()
    expect([...store.kept.keys()]).toEqual(['other'])
  })
})

describe('a device of a browser', () => {
  test('makes the statement with which it enrols, for one server', async () => {
    const device = await openWebDevice({ store: new MemoryKeyStore() })
    const statement = await device.statement(server)
    const { ed25519, spkiHash, x25519 } = openKeyStatement(statement, server)
    expect([device.id, spkiHash]).toEqual([deviceId(spkiHash), ed25519KeyHash(ed25519)])
    expect(x25519).toEqual(new Uint8Array(await crypto.subtle.exportKey('raw', device.agreementKeys.publicKey)))
    expect(() => openKeyStatement(statement, new Uint8Array(16))).toThrow('[enrolment_invalid]')
  })

  test('proves its key for one server and one nonce', async () => {
    const device = await openWebDevice({ store: new MemoryKeyStore() })
    const proof = await device.proof(server, nonce)
    expect(deviceId(ed25519KeyHash(openLoginProof(proof, { serverId: server, nonce })))).toBe(device.id)
    expect(() => openLoginProof(proof, { serverId: new Uint8Array(16), nonce })).toThrow('[login_refused]')
    expect(() => openLoginProof(proof, { serverId: server, nonce: new Uint8Array(32) })).toThrow('[login_refused]')
  })

  test('signs orders, and nothing else for whoever asks', async () => {
    const { signOrder, id } = await openWebDevice({ store: new MemoryKeyStore() })
    const { payload, signer } = openCose(await signOrder(nonce, 'sealwire/pay/1'), 'sealwire/pay/1')
    expect([payload, deviceId(ed25519KeyHash(signer))]).toEqual([nonce, id])
    for (const purpose of ['sealwire/login/1', 'sealwire/enrol/1', '']) {
      await expect(signOrder(nonce, purpose)).rejects.toBeInstanceOf(TypeError)
    }
  })
})
