// What a client may ask, declared once: when, with what, and what comes back. Types, checks, the client's typed calls, the
// server's routes and docs/protocol/contract-reference.md all follow from this table.

import * as v from 'valibot'
import { bytes, count, exactBytes, flag, name, password, text, word } from './fields.ts'
import type { MethodRow } from './method-row.ts'
import type { ParamsIn, ResultIn } from './method-table.ts'
import { contactMethods } from './methods/contact.ts'
import { conversationMethods } from './methods/conversation.ts'
import { deviceLinkMethods } from './methods/device-link.ts'
import { directMethods } from './methods/direct.ts'
import { fileMethods } from './methods/file.ts'
import { paymentMethods } from './methods/payment.ts'
import { roomMethods } from './methods/room.ts'

const nothing = {}
const token = () => exactBytes(tokenBytes, 'session token: proves this installation at later connections; a secret')
const deviceId = () => text(32, 'id of a device')
const deviceLabel = () => text(deviceLabelCharactersMax, 'what its owner calls it')
const visibility = () => word(['everyone', 'contacts', 'nobody'], 'who sees this account in directory.who')

/** Size of a session token. */
export const tokenBytes = 32
/** Size of the secret in an invite link. */
export const invitationBytes = 16
/** Longest label of a device. */
export const deviceLabelCharactersMax = 64
/** Largest certificate request of a device. */
export const csrBytesMax = 2_048
/** Largest statement of a device. */
export const statementBytesMax = 512
const certificateBytesMax = 4_096
/** The most that session.echo sends back. */
export const echoBytesMax = 1_024

/** The methods. */
export const methods = {
  'session.echo': {
    what: 'Sends back what it was given: for trying out a connection.',
    when: 'any time',
    params: v.strictObject({ data: bytes(echoBytesMax, 'anything') }),
    result: v.object({ data: bytes(echoBytesMax, 'the same bytes') }),
  },
  'session.ping': {
    what: 'Answers at once.',
    when: 'any time',
    params: v.strictObject(nothing),
    result: v.object({ time: count('the clock of the server, milliseconds since 1970') }),
  },
  'account.register': {
    what: 'Makes an account and logs in. It is durable when the result arrives.',
    when: 'before login',
    params: v.strictObject({
      name: name('the name wanted'),
      invitation: v.optional(exactBytes(invitationBytes, 'from an invite link; may be left out where registration is open')),
      password: v.optional(password('needed for classic clients and further installations; may be set later')),
    }),
    result: v.object({ name: name('the name as it is kept'), token: token() }),
  },
  'account.login': {
    what: 'Logs in with a password.',
    when: 'before login',
    params: v.strictObject({ name: name('of the account'), password: password('of the account') }),
    result: v.object({ name: name('the name as it is kept'), token: token() }),
  },
  'account.resume': {
    what: 'Logs in with the token of an earlier login.',
    when: 'before login',
    params: v.strictObject({ token: token() }),
    result: v.object({ name: name('the name as it is kept') }),
  },
  'account.password': {
    what: 'Sets the password. Every other session and token of the account ends.',
    when: 'after login',
    params: v.strictObject({
      current: v.optional(password('the password of today; left out when there is none')),
      next: password('the new one'),
    }),
    result: v.object(nothing),
  },
  'account.visibility': {
    what: 'Tells, and with a parameter changes, who sees this account.',
    when: 'after login',
    params: v.strictObject({ visibility: v.optional(visibility()) }),
    result: v.object({ visibility: visibility() }),
  },
  'device.enrol': {
    what: 'Makes this installation a device of the account, or renews its certificate, which is its login from then on.',
    when: 'after login',
    params: v.strictObject({
      csr: bytes(csrBytesMax, 'PKCS #10 in DER: a P-256 key, proved'),
      statement: bytes(statementBytesMax, 'COSE_Sign1: the keys of the device and the server, bound by its Ed25519 key'),
      label: v.optional(deviceLabel()),
    }),
    result: v.object({
      device: deviceId(),
      certificate: bytes(certificateBytesMax, 'of the device, in DER'),
      authority: bytes(certificateBytesMax, 'that has signed it, in DER'),
      port: v.optional(count('where devices log in, on the same host, when it is not the port of this connection', 65_535)),
    }),
  },
  'device.login': {
    what: 'Logs in with the device certificate that the connection was made with.',
    when: 'before login',
    params: v.strictObject(nothing),
    result: v.object({ name: name('the name as it is kept'), device: deviceId() }),
  },
  'device.list': {
    what: 'The devices of the account, the newest first. Revoked ones are not among them.',
    when: 'after login',
    params: v.strictObject(nothing),
    result: v.object({
      devices: v.pipe(
        v.array(
          v.object({
            device: deviceId(),
            label: deviceLabel(),
            here: flag('whether it is the device that asks'),
            enrolledAt: count('when it was enrolled, milliseconds since 1970'),
            usedAt: v.optional(count('when it last logged in, to the hour; missing if it never did')),
            expiresAt: count('when its certificate expires'),
          }),
        ),
        v.description('at most as many as an account may have'),
      ),
    }),
  },
  'device.revoke': {
    what: 'Makes the certificate of a device of the account worthless for good. Its sessions end.',
    when: 'after login',
    params: v.strictObject({ device: deviceId() }),
    result: v.object(nothing),
  },
  'directory.who': {
    what: 'Who is here: contacts, and those who show themselves to everyone.',
    when: 'after login',
    params: v.strictObject(nothing),
    result: v.object({
      people: v.pipe(
        v.array(v.object({ name: name('of an account that is connected'), contact: flag('whether it is a contact') })),
        v.description('ordered by name'),
      ),
      more: flag('whether there are more than were listed'),
    }),
  },
  'directory.block': {
    what: 'From now on nothing of that account arrives here; it is not told.',
    when: 'after login',
    params: v.strictObject({ name: name('of another account') }),
    result: v.object(nothing),
  },
  'directory.unblock': {
    what: 'Takes a block back.',
    when: 'after login',
    params: v.strictObject({ name: name('of another account') }),
    result: v.object(nothing),
  },
  'directory.blocked': {
    what: 'Who is blocked.',
    when: 'after login',
    params: v.strictObject(nothing),
    result: v.object({ names: v.pipe(v.array(name('of an account')), v.description('ordered by name')) }),
  },
  ...deviceLinkMethods,
  ...contactMethods,
  ...conversationMethods,
  ...roomMethods,
  ...fileMethods,
  ...paymentMethods,
  ...directMethods,
} as const satisfies Record<string, MethodRow>

/** The name of a method. */
export type Method = keyof typeof methods
/** What a method is called with. */
export type Params<M extends Method> = ParamsIn<typeof methods, M>
/** What a method answers. */
export type Result<M extends Method> = ResultIn<typeof methods, M>

/** True for the name of a method; own properties only, a name may be `__proto__`. */
export function isMethod(method: string): method is Method {
  return Object.hasOwn(methods, method)
}
