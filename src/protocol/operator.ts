// What an operator may ask of a running server, declared once, like the contract's methods and in its frames: Request,
// Result and Fault, over a socket in the data folder. There is no greeting: whoever reaches the socket is the operator.
// Every method may be repeated without harm, so a command whose answer was lost asks again.

import * as v from 'valibot'
import { type CborValue, encodeCbor } from './contract/cbor.ts'
import { bytes, count, exactBytes, flag, name, text, word } from './contract/fields.ts'
import { csrBytesMax, deviceLabelCharactersMax, statementBytesMax } from './contract/methods.ts'
import { SealwireError } from './errors.ts'
import { limitTable } from './limits.ts'
import { backupOperatorMethods } from './operator-backup.ts'
import { ledgerOperatorMethods } from './operator-ledger.ts'

/** One method. */
export interface OperatorMethodRow {
  readonly what: string
  readonly params: v.GenericSchema<unknown, object>
  readonly result: v.GenericSchema<unknown, object>
}

const minuteMs = 60_000
/** How long an invitation may live. */
export const invitationMs = { min: minuteMs, max: 365 * 24 * 60 * minuteMs } as const
/** How many accounts one invitation may be good for. */
export const invitationUsesMax = 10_000

/** How long clients that know the old key of an authority find a way to the new one. */
export const overlapMs = { min: 1000, max: 90 * 24 * 60 * minuteMs } as const
/** How long the next static key of the sealed channel is announced before it takes its place. */
export const sealedOverlapMs = { min: 1000, max: limitTable.channelOverlapMsMax.value } as const
/** The longest certificate chain and key in PEM that can be imported, in characters. */
export const importMax = { certificate: 32_768, key: 16_384 } as const

const host = () => text(253, 'a name or an address, without brackets')
const port = () => v.pipe(count('of the address', 65_535), v.minValue(1))
const deviceId = () => text(32, 'id of a device')
const time = (description: string) => count(`${description}, milliseconds since 1970`)
const named = { params: v.strictObject({ name: name('of an account') }), result: v.object({ name: name('as it is kept') }) }

const certificate = v.object({
  source: word(['authority', 'imported', 'files'], "the server's own authority, `cert import`, or `serve --cert`"),
  names: v.array(text(1024, 'a name or an address that clients may dial')),
  issuer: text(1024, 'who has signed it'),
  key: text(64, 'the kind of its key'),
  notBefore: time('valid from'),
  notAfter: time('valid until'),
  renewsAt: v.optional(time('when the server renews it; missing where that is up to the operator')),
  fingerprint: text(50, 'the pin by which clients know the server'),
  authority: v.object({
    fingerprint: text(50, "the pin of the server's own authority"),
    notAfter: time('valid until'),
  }),
  overlap: v.optional(
    v.object({
      fingerprint: text(50, 'the pin of the authority before: who knows it still finds the server'),
      until: time('when that is over'),
    }),
  ),
  sealed: v.optional(
    v.object({
      fingerprint: text(50, 'the pin of its static key in the sealed channel'),
      next: v.optional(v.object({ fingerprint: text(50, 'the pin of the one that takes its place'), until: time('when that is') })),
    }),
  ),
  problem: v.optional(text(4096, 'why a newer certificate is not in use')),
})

/** The methods. */
export const operatorMethods = {
  'server.status': {
    what: 'What the server is to its clients.',
    params: v.strictObject({}),
    result: v.object({
      host: host(),
      port: port(),
      fingerprint: text(50, 'the pin of its authority'),
      server: v.optional(exactBytes(16, 'its number: what a device signs names it')),
      registration: word(['open', 'invite', 'closed'], 'who may register'),
    }),
  },
  'invitation.create': {
    what: 'Makes an invitation. Without host and port its link names the address of the server, for the sealed channel if asked.',
    params: v.strictObject({
      uses: v.pipe(count('how many accounts it is good for', invitationUsesMax), v.minValue(1)),
      expiresMs: v.pipe(count('how long it lives', invitationMs.max), v.minValue(invitationMs.min)),
      host: v.optional(host()),
      port: v.optional(port()),
      sealed: v.optional(flag('whether the link leads through the sealed channel')),
    }),
    result: v.object({ link: text(512, 'sealwire://… or sealed://…: a secret'), expiresAt: time('when it ends') }),
  },
  'account.list': {
    what: 'The next accounts, ordered by name.',
    params: v.strictObject({ after: v.optional(text(256, 'what the answer before said is next')) }),
    result: v.object({
      accounts: v.array(
        v.object({
          name: name('as its owner wrote it'),
          createdAt: time('when it was made'),
          bannedAt: v.optional(time('when it was banned')),
          visibility: word(['everyone', 'contacts', 'nobody'], 'who sees it'),
          hasPassword: flag('whether it has a password'),
        }),
      ),
      next: v.optional(text(256, 'where the list goes on; missing at its end')),
    }),
  },
  'account.ban': { what: 'Keeps an account out: its tokens are worthless and its sessions end.', ...named },
  'account.unban': { what: 'Takes a ban back.', ...named },
  'account.resetPassword': {
    what: 'Gives an account a new password; its tokens are worthless and its sessions end.',
    params: named.params,
    result: v.object({
      name: name('as it is kept'),
      password: text(128, 'the new password: a secret'),
      devices: v.optional(count('how many devices can still log in without it')),
    }),
  },
  'device.issue': {
    what: 'Makes a device of an account, and the account too if there is none of that name.',
    params: v.strictObject({
      name: name('of the account'),
      csr: bytes(csrBytesMax, 'PKCS #10 in DER'),
      statement: v.optional(bytes(statementBytesMax, 'COSE_Sign1 as in device.enrol; without it the device can log in, but not sign')),
      label: v.optional(text(deviceLabelCharactersMax, 'what its owner calls it')),
    }),
    result: v.object({
      name: name('as it is kept'),
      device: deviceId(),
      certificate: bytes(4_096, 'of the device, in DER'),
      authority: bytes(4_096, 'that has signed it, in DER'),
      port: v.optional(count('where devices log in, if the server runs', 65_535)),
    }),
  },
  'device.list': {
    what: 'The next devices that were not revoked, ordered by id.',
    params: v.strictObject({ after: v.optional(deviceId()) }),
    result: v.object({
      devices: v.array(
        v.object({
          device: deviceId(),
          name: name('of its account'),
          label: text(deviceLabelCharactersMax, 'what its owner calls it'),
          enrolledAt: time('when it was enrolled'),
          usedAt: v.optional(time('when it last logged in')),
          expiresAt: time('when its certificate expires'),
        }),
      ),
      next: v.optional(deviceId()),
    }),
  },
  'device.revoke': {
    what: 'Makes the certificate of a device worthless for good; its sessions end.',
    params: v.strictObject({ device: deviceId() }),
    result: v.object({ device: deviceId(), name: name('of its account') }),
  },
  'certificate.show': { what: 'The certificate that the server shows.', params: v.strictObject({}), result: certificate },
  'certificate.renew': {
    what: "Renews the certificate from the server's own authority, or reads the operator's again.",
    params: v.strictObject({}),
    result: certificate,
  },
  'certificate.rotate': {
    what: 'Replaces the authority of the server. Without effect when it was replaced already.',
    params: v.strictObject({
      from: text(50, 'the pin of the authority to replace'),
      overlapMs: v.pipe(count('how long the old key leads to the new one', overlapMs.max), v.minValue(overlapMs.min)),
    }),
    result: certificate,
  },
  'certificate.rotateSealed': {
    what: 'Makes the next static key of the sealed channel. Without effect when there is one already, or another is in use by now.',
    params: v.strictObject({
      from: text(50, 'the pin of the key to replace'),
      overlapMs: v.pipe(count('how long both are good', sealedOverlapMs.max), v.minValue(sealedOverlapMs.min)),
    }),
    result: certificate,
  },
  'certificate.import': {
    what: "Takes the operator's own certificate from now on.",
    params: v.strictObject({
      certificate: text(importMax.certificate, 'the chain in PEM'),
      key: text(importMax.key, 'its key in PEM: a secret'),
    }),
    result: certificate,
  },
  'certificate.remove': { what: 'Forgets the imported certificate.', params: v.strictObject({}), result: certificate },
  ...ledgerOperatorMethods,
  ...backupOperatorMethods,
} as const satisfies Record<string, OperatorMethodRow>

/** The name of a method. */
export type OperatorMethod = keyof typeof operatorMethods
/** What a method is given. */
export type OperatorParams<M extends OperatorMethod> = v.InferOutput<(typeof operatorMethods)[M]['params']>
/** What a method answers. */
export type OperatorResult<M extends OperatorMethod> = v.InferOutput<(typeof operatorMethods)[M]['result']>
/** One function for every method. */
export type OperatorRoutes = { readonly [M in OperatorMethod]: (params: OperatorParams<M>) => Promise<OperatorResult<M>> }

/** The functions for devices. */
export type DeviceRoutes = Pick<OperatorRoutes, Extract<OperatorMethod, `device.${string}`>>

/** The functions for money. */
export type LedgerRoutes = Pick<OperatorRoutes, keyof typeof ledgerOperatorMethods>

/** The functions for backups. */
export type BackupRoutes = Pick<OperatorRoutes, keyof typeof backupOperatorMethods>

/** The functions for the server's own certificate. */
export type CertificateRoutes = Pick<OperatorRoutes, Extract<OperatorMethod, `certificate.${string}`>>

/** @throws {SealwireError} `unknown_method`: the two programs are of different versions. */
export function knownOperatorMethod(method: string): OperatorMethod {
  if (Object.hasOwn(operatorMethods, method)) return method as OperatorMethod
  throw new SealwireError('unknown_method', 'the server does not know this command')
}

/** @throws {SealwireError} `malformed`. */
export function parseOperatorParams<M extends OperatorMethod>(method: M, params: unknown): OperatorParams<M> {
  return parse<OperatorParams<M>>(operatorMethods[method].params, params, method)
}

/** @throws {SealwireError} `malformed`. */
export function checkOperatorResult<M extends OperatorMethod>(method: M, result: unknown): OperatorResult<M> {
  return parse<OperatorResult<M>>(operatorMethods[method].result, result, method)
}

/** Body of Request. */
export function encodeOperatorRequest<M extends OperatorMethod>(id: number, method: M, params: OperatorParams<M>): Uint8Array {
  return encodeCbor([id, method, plain(params)])
}

/** Body of Result. */
export function encodeOperatorResult<M extends OperatorMethod>(id: number, _method: M, result: OperatorResult<M>): Uint8Array {
  return encodeCbor([id, plain(result)])
}

function parse<T>(schema: v.GenericSchema<unknown, unknown>, value: unknown, method: string): T {
  const result = v.safeParse(schema, value, { abortEarly: true })
  if (result.success) return result.output as T
  throw new SealwireError('malformed', `${method} is not what it should be`)
}

/** The schemas' types are what CBOR carries. */
function plain(value: object): CborValue {
  return value as CborValue
}
