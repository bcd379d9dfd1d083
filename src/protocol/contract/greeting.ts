// How a connection begins and ends: `session.hello` is the frames Hello and Welcome, `session.goodbye` the frame Goodbye.
// They are no requests, because a request needs the version that they settle.

import * as v from 'valibot'
import { bytes, count, exactBytes, text } from './fields.ts'

/** Body of Hello: parameters of session.hello. Fields a server does not know are ignored, so that later clients can say more. */
export const helloSchema = v.object({
  versions: v.pipe(v.array(count('a version', 65_535)), v.minLength(1), v.maxLength(16), v.description('what the client speaks')),
  client: v.optional(text(64, 'program and version, for the log')),
})

/** Body of Welcome: result of session.hello. */
export const welcomeSchema = v.object({
  version: count('the version chosen, the highest that both speak', 65_535),
  time: count('the clock of the server, milliseconds since 1970'),
  server: v.optional(exactBytes(16, 'number of the server, for ever: what a device signs names it')),
  ledger: v.optional(
    v.pipe(
      v.object({
        key: exactBytes(32, 'Ed25519: verifies receipts and checkpoints, for ever'),
        certificate: bytes(512, 'COSE_Sign1 by the authority of the server over its number and that key'),
      }),
      v.description('where the server keeps a ledger: receipts.md says what the certificate is'),
    ),
  ),
  limits: v.pipe(
    v.object({
      bodyBytesMax: count('largest body of a frame after login', 65_535),
      echoBytesMax: count('largest session.echo', 65_535),
      messageBodyBytesMax: count('largest body of message.send', 65_535),
    }),
    v.description('what this server takes, in bytes'),
  ),
  features: v.pipe(
    v.array(text(64, 'a feature')),
    v.description(
      'what this server offers beside the methods of the version: registration-open, registration-invite, registration-closed; device-login (device.enrol, device.login); direct (direct.listen, direct.offer, direct.devices); join-only (nothing but what joining needs)',
    ),
  ),
})

/** What a client says first. */
export type Hello = v.InferOutput<typeof helloSchema>
/** What a server answers. */
export type Welcome = v.InferOutput<typeof welcomeSchema>
