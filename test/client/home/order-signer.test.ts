import { describe, expect, test } from 'bun:test'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newDevice, writeDevice } from '../../../src/client/home/device-files.ts'
import { Home } from '../../../src/client/home/home.ts'
import { HomeSigner } from '../../../src/client/home/order-signer.ts'
import { Profile } from '../../../src/client/home/profile.ts'
import { LedgerKey } from '../../../src/pki/index.ts'
import { openCose } from '../../../src/pki/cose-sign1.ts'
import { rejectionOf } from '../../support/refusal.ts'

/** Of a server in the sealed channel, which needs no certificate for the key of its ledger. */
const profile = new Profile({
  ...{ server: { host: 'localhost', port: 5555 }, pin: `SHA256:${'a'.repeat(43)}`, name: 'alice', token: undefined },
  serverKey: 'a'.repeat(43),
})
const welcomeOf = () => {
  const { publicKey: key } = new LedgerKey(generateKeyPairSync('ed25519').privateKey)
  return { server: new Uint8Array(16).fill(7), ledger: { key, certificate: Uint8Array.of(1) } }
}
const payload = Uint8Array.of(1, 2, 3)
const purpose = 'sealwire/pay/1'

describe('HomeSigner', () => {
  test('signs with the key of the device, for the server whose ledger it knows, and for no other', async () => {
    const home = new Home(mkdtempSync(join(tmpdir(), 'sealwire-signer-')))
    try {
      const signer = new HomeSigner(home)
      const welcome = welcomeOf()
      signer.welcomed(welcome, profile)
      expect(await rejectionOf(signer.sign(payload, purpose))).toBe('device_required')
      writeDevice(home, newDevice())
      expect(openCose(await signer.sign(payload, purpose), purpose).payload).toEqual(payload)
      signer.welcomed(welcomeOf(), profile)
      expect(await rejectionOf(signer.sign(payload, purpose))).toBe('untrusted')
      // It is the one from before again: a mistaken address is no harm that stays.
      signer.welcomed(welcome, profile)
      expect(openCose(await signer.sign(payload, purpose), purpose).payload).toEqual(payload)
    } finally {
      rmSync(home.path, { recursive: true, force: true })
    }
  })
})
