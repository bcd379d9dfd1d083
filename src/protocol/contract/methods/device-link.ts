// How an installation becomes a device of an account that is there already, and how a device proves its key where it cannot
// show a certificate: in a browser, and at a server that asks for none.

import * as v from 'valibot'
import { bytes, count, exactBytes, name, text } from '../fields.ts'
import type { MethodRow } from '../method-row.ts'

/** Bytes of the secret in a link for another device. */
export const deviceSecretBytes = 16
/** Bytes of what a device signs to log in. */
export const challengeBytes = 32
const proofBytesMax = 512

export const deviceLinkMethods = {
  'device.link': {
    what: 'Makes a secret with which one more installation becomes a device of this account. A new one takes the place of the one before.',
    when: 'after login',
    params: v.strictObject({}),
    result: v.object({
      secret: exactBytes(deviceSecretBytes, 'goes into the link; good once'),
      expiresAt: count('10 minutes later, milliseconds since 1970'),
    }),
  },
  'account.link': {
    what: 'Logs in with the secret of device.link, to be enrolled as one more device.',
    when: 'before login',
    params: v.strictObject({ secret: exactBytes(deviceSecretBytes, 'from the link') }),
    result: v.object({ name: name('the name as it is kept'), token: exactBytes(32, 'session token, as of account.login; a secret') }),
  },
  'device.enrolKey': {
    what: 'Makes this installation a device of the account without a certificate, for browsers: it logs in with device.prove.',
    when: 'after login',
    params: v.strictObject({
      statement: bytes(512, 'COSE_Sign1: the keys of the device and the server, bound by its Ed25519 key'),
      label: v.optional(text(64, 'what its owner calls it')),
    }),
    result: v.object({ device: text(32, 'id of a device') }),
  },
  'device.challenge': {
    what: 'What a device signs to log in on this connection. Good once.',
    when: 'before login',
    params: v.strictObject({}),
    result: v.object({ nonce: exactBytes(challengeBytes, 'fresh and random') }),
  },
  'device.prove': {
    what: 'Logs in with the Ed25519 key of a device.',
    when: 'before login',
    params: v.strictObject({
      proof: bytes(proofBytesMax, 'COSE_Sign1 over [server, nonce], external_aad sealwire/login/1'),
    }),
    result: v.object({ name: name('the name as it is kept'), device: text(32, 'id of a device') }),
  },
} as const satisfies Record<string, MethodRow>
