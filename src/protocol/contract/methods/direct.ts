// direct.*: how two clients find each other for a link of their own. The server passes the offers on; what is said on the link is
// between the two.

import * as v from 'valibot'
import { limitTable } from '../../limits.ts'
import { isDialable } from '../../literal-address.ts'
import { bytes, count, exactBytes, flag, name, text } from '../fields.ts'
import type { MethodRow } from '../method-row.ts'

/** Bytes of the token that ties a link to the offers before it. */
export const directTokenBytes = 16
const keyBytes = 32
const hostCharactersMax = 45
const candidatesMax = limitTable.directCandidatesMax.value
const authoritiesMax = limitTable.directAuthoritiesMax.value
const certificateBytesMax = 4_096

const deviceId = (description = 'id of a device') => text(32, description)
const host = () =>
  v.pipe(v.string(), v.maxLength(hostCharactersMax), v.check(isDialable), v.description('IPv4 or IPv6 address, without a zone or brackets'))
const port = () => v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(65_535), v.description('TCP port'))
const described = 'addresses at which the device listens now'

export const directMethods = {
  'direct.listen': {
    what: 'Says whether this session takes offers of a direct link, which nobody does who has not said so. Accepted contacts can tell.',
    when: 'after login',
    params: v.strictObject({ on: flag('until the session ends, or says otherwise') }),
    result: v.object({
      address: v.optional(text(hostCharactersMax, 'of this connection, as the server sees it; missing where that is none for others')),
      authorities: v.optional(
        v.pipe(
          v.array(bytes(certificateBytesMax, 'X.509 certificate, DER')),
          v.maxLength(authoritiesMax),
          v.description('that have signed certificates of devices which may still be good: that of today first, then those before it'),
        ),
      ),
    }),
  },
  'direct.offer': {
    what: 'Offers an accepted contact a direct link: the sessions that take offers are told by direct.offered. To whoever is none, is blocked or blocks, it looks as if nobody took offers.',
    when: 'after login',
    params: v.strictObject({
      to: name('of another account'),
      device: v.optional(deviceId('whose sessions are meant; left out: all of that account')),
      token: exactBytes(directTokenBytes, 'random; the answer to an offer is an offer with the same'),
      candidates: v.pipe(v.array(v.strictObject({ host: host(), port: port() })), v.maxLength(candidatesMax), v.description(described)),
    }),
    result: v.object({ told: count('sessions that were told') }),
  },
  'direct.devices': {
    what: 'The devices of an accepted contact, or of the account itself, that may make direct links, the newest first. From then on direct.revoked tells this session when one of them may not any more.',
    when: 'after login',
    reads: true,
    params: v.strictObject({ name: name('of an account') }),
    result: v.object({
      devices: v.pipe(
        v.array(
          v.object({
            device: deviceId(),
            spki: exactBytes(keyBytes, 'SHA-256 of the SubjectPublicKeyInfo in its certificate'),
            ed25519: v.optional(exactBytes(keyBytes, 'its key of signatures')),
          }),
        ),
        v.description('neither revoked nor expired, as many as one frame holds'),
      ),
    }),
  },
} as const satisfies Record<string, MethodRow>

/** What direct.offered tells. */
export const directOffered = () =>
  v.object({
    from: name('of an accepted contact'),
    device: deviceId('that offers'),
    token: exactBytes(directTokenBytes, 'of the offer'),
    candidates: v.pipe(v.array(v.object({ host: host(), port: port() })), v.maxLength(candidatesMax), v.description(described)),
  })

/** What direct.revoked tells. */
export const directRevoked = () => v.object({ device: deviceId() })
