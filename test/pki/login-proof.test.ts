import { describe, expect, test } from 'bun:test'
import { encodeCbor } from '../../src/protocol/contract/index.ts'
import { signCose } from '../../src/pki/cose-sign1.ts'
import { rawPublicKey } from '../../src/pki/ed25519.ts'
import { makeLoginProof, newDeviceKeys, openLoginProof } from '../../src/pki/index.ts'

const { ed25519 } = newDeviceKeys()
const challenge = { serverId: new Uint8Array(16).fill(1), nonce: new Uint8Array(32).fill(2) }
const { serverId, nonce } = challenge

describe('openLoginProof', () => {
  test('answers the key that has signed the challenge', () => {
    expect(openLoginProof(makeLoginProof(challenge, ed25519), challenge)).toEqual(rawPublicKey(ed25519))
  })

  test('has an external_aad of 16 bytes, and a payload of two byte strings', () => {
    const payload = Buffer.from(`8250${'01'.repeat(16)}5820${'02'.repeat(32)}`, 'hex')
    expect(makeLoginProof(challenge, ed25519)).toEqual(signCose(new Uint8Array(payload), 'sealwire/login/1', ed25519))
  })

  const login = (payload: Uint8Array): Uint8Array => signCose(payload, 'sealwire/login/1', ed25519)
  test.each([
    ['for another server', makeLoginProof({ ...challenge, serverId: new Uint8Array(16) }, ed25519)],
    ['of another nonce', makeLoginProof({ ...challenge, nonce: new Uint8Array(32) }, ed25519)],
    ['of the beginning of the nonce', makeLoginProof({ ...challenge, nonce: nonce.subarray(1) }, ed25519)],
    ['for another purpose', signCose(encodeCbor([serverId, nonce]), 'sealwire/enrol/1', ed25519)],
    ['with more behind it', login(encodeCbor([serverId, nonce, nonce]))],
    ['that is no array', login(encodeCbor({ serverId, nonce }))],
    ['that is text', login(encodeCbor(['server', 'nonce']))],
    ['that is no CBOR', login(Uint8Array.of(0xff))],
    ['that is empty', new Uint8Array(0)],
  ])('refuses one %s, always with the same words', (_, proof) => {
    expect(() => openLoginProof(proof, challenge)).toThrow('[login_refused] the proof of the device is not good')
  })
})
