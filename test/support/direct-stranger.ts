// Somebody who does with the contract what a program with the SDK would not: `direct-stranger.ts`, with commands as lines of JSON on
// standard input, `{id, do, …}`, each answered with `{id, ok}` or `{id, error, sentence}`. Bytes are hexadecimal, in parameters
// `{hex}`. All that the server sends to its sessions is kept. It ends with its standard input.

import { createPrivateKey, X509Certificate } from 'node:crypto'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import type { Candidate } from '../../src/client/direct/candidates.ts'
import * as v from 'valibot'
import { type Client, connect } from '../../src/client/client.ts'
import { certificatePem } from '../../src/client/home/device-files.ts'
import { systemClock } from '../../src/domain/index.ts'
import { applicationProtocol, type ClientCertificate, type DialledLink, dialPinned, Flusher } from '../../src/link/index.ts'
import { deviceKeysPem, makeEnrolment, newDeviceKeys } from '../../src/pki/index.ts'
import { spkiPin } from '../../src/pki/pin.ts'
import { type Method, methods, type ParsedEvent } from '../../src/protocol/contract/index.ts'
import type { MethodRow } from '../../src/protocol/contract/method-row.ts'
import { resolveLimits, SealwireError } from '../../src/protocol/index.ts'
import { deviceOf, makeAuthority } from './client-certificates.ts'
import { password } from './device-client.ts'
import { type Attempt, attempt } from './direct-attempt.ts'
import { shownBy } from './peers.ts'
import { recorded } from './recorded-link.ts'
import { sayLine } from './say-line.ts'

/** What a stranger is told to do. `as` names one of its devices. */
export type StrangerDeed =
  /** Makes an account, or logs in to one with `known`, and is a device of it from then on. Answers the device's id. */
  | { readonly do: 'enrol'; readonly as: string; readonly name: string; readonly known?: boolean }
  | { readonly do: 'call'; readonly as: string; readonly method: Method; readonly params: unknown }
  /** Asks all that can be asked with nothing but a name, and blocks nobody. Answers how each was answered. */
  | { readonly do: 'askAbout'; readonly as: string; readonly name: string }
  /** Answers all that the server has sent to this device. */
  | { readonly do: 'carried'; readonly as: string }
  | ({ readonly do: 'attempt' } & AttemptDeed)

/** Offers a link to somebody, and shows what it should not. */
export interface AttemptDeed {
  /** Who offers. */
  readonly as: string
  readonly to: string
  /** Where it listens. */
  readonly host: string
  /** A device whose certificate is shown, `foreign` for one of another authority with the same key, or `none`. */
  readonly shows: string
  /** Another device of the same account, which revokes this one when the offers have passed; nothing is shown before. */
  readonly revokedBy?: string
  /** Default: both. */
  readonly only?: 'dials' | 'accepts'
}

interface Device {
  readonly name: string
  readonly id: string
  readonly shown: ClientCertificate
  readonly client: Client
  readonly carried: Buffer[]
  readonly events: ParsedEvent[]
}

class Stranger {
  readonly #server: { readonly host: string; readonly port: number; readonly pin: string }
  readonly #devices = new Map<string, Device>()

  constructor(server: { readonly host: string; readonly port: number; readonly pin: string }) {
    this.#server = server
  }

  async carryOut(deed: StrangerDeed): Promise<unknown> {
    switch (deed.do) {
      case 'enrol':
        return this.#enrol(deed.as, deed.name, deed.known === true)
      case 'call':
        return this.#device(deed.as).client.request(deed.method, deed.params as never)
      case 'askAbout':
        return askAbout(this.#device(deed.as).client, deed.name)
      case 'carried': {
        // What was sent before the answer has come before it.
        const { client, carried } = this.#device(deed.as)
        await client.request('session.ping', {})
        return Buffer.concat(carried).toString('hex')
      }
      case 'attempt':
        return this.#attempt(deed)
    }
  }

  async #enrol(as: string, name: string, isKnown: boolean): Promise<string> {
    const keys = newDeviceKeys()
    const guest = await this.#dial(undefined, [])
    await guest.request(isKnown ? 'account.login' : 'account.register', { name, password })
    const { certificate } = await guest.request('device.enrol', makeEnrolment(keys, guest.welcome.server ?? new Uint8Array(16)))
    await guest.drain()
    const shown = { chain: certificatePem(certificate), key: deviceKeysPem(keys).p256 }
    const carried: Buffer[] = []
    const client = await this.#dial(shown, carried)
    await client.request('device.login', {})
    const { devices } = await client.request('device.list', {})
    const events: ParsedEvent[] = []
    keepAll(client, events).catch(() => {}) // Its session may be ended.
    const id = devices.find(({ here }) => here)?.device ?? ''
    this.#devices.set(as, { name, id, shown, client, carried, events })
    return id
  }

  async #attempt({ as, to, host, shows, revokedBy, only }: AttemptDeed): Promise<Attempt> {
    const { client, events, id, shown } = this.#device(as)
    const device = revokedBy === undefined ? undefined : this.#device(revokedBy)
    return attempt({
      ...{ host, only },
      shown: await this.#shown(shows, shown),
      offer: (token, candidates) => client.request('direct.offer', { to, token, candidates: [...candidates] }),
      answer: (token) => offered(events, token),
      async ready() {
        if (device === undefined) return
        await device.client.request('device.revoke', { device: id })
        await wait(agoMs)
      },
    })
  }

  async #shown(what: string, own: ClientCertificate): Promise<Partial<ClientCertificate>> {
    if (what === 'none') return {}
    if (what !== 'foreign') return this.#device(what).shown
    // Of the same name as the server's, for the same key.
    const { issuer } = new X509Certificate(own.chain)
    return shownBy(await deviceOf(await makeAuthority(issuer.replace(/^CN=/, '')), { key: createPrivateKey(own.key) }))
  }

  #device(as: string): Device {
    const device = this.#devices.get(as)
    if (device === undefined) throw new TypeError(`there is no device ${as}`)
    return device
  }

  async #dial(clientCertificate: ClientCertificate | undefined, carried: Buffer[]): Promise<Client> {
    const limits = resolveLimits()
    const context = { limits, flusher: new Flusher(limits, systemClock) }
    const place = { ...this.#server, pinOf: spkiPin, timeoutMs: limits.clientDialMsMax, applicationProtocol }
    const dial = async (options: { signal?: AbortSignal }): Promise<DialledLink> =>
      recorded(
        await dialPinned({ ...place, ...(clientCertificate === undefined ? {} : { clientCertificate }), ...options }, context),
        carried,
      )
    return connect({}, { dial, clock: systemClock })
  }
}

async function askAbout(client: Client, name: string): Promise<Readonly<Record<string, string>>> {
  const answers: Record<string, string> = {}
  for (const [method, { params }] of Object.entries(methods) as [Method, MethodRow][]) {
    if (method.startsWith('directory.') || !v.safeParse(params, { name }).success) continue
    const asked = client.request(method, { name } as never)
    answers[method] = await asked.then(
      () => 'ok',
      (reason: unknown) => SealwireError.from(reason).code,
    )
  }
  return answers
}

async function keepAll(client: Client, events: ParsedEvent[]): Promise<void> {
  for await (const event of client.events()) events.push(event)
}

/** What somebody has offered with this token. */
function offered(events: readonly ParsedEvent[], token: Uint8Array): readonly Candidate[] | undefined {
  for (const { event, data } of events) if (event === 'direct.offered' && Buffer.from(token).equals(data.token)) return data.candidates
  return undefined
}

if (import.meta.main) {
  const stranger = new Stranger(JSON.parse(process.argv[2] ?? '') as ConstructorParameters<typeof Stranger>[0])
  createInterface({ input: process.stdin })
    .on('line', (line) => void answer(stranger, JSON.parse(line, revived) as StrangerDeed & { readonly id: number }))
    .on('close', () => process.exit(0))
}

async function answer(stranger: Stranger, { id, ...deed }: StrangerDeed & { readonly id: number }): Promise<void> {
  try {
    sayLine(JSON.stringify({ id, ok: (await stranger.carryOut(deed)) ?? null }))
  } catch (reason) {
    const { code, sentence } = SealwireError.from(reason)
    sayLine(JSON.stringify({ id, error: code, sentence }))
  }
}

/** A device that was revoked so long ago. */
const agoMs = 1_000

function revived(_key: string, value: unknown): unknown {
  const isHex = typeof value === 'object' && value !== null && 'hex' in value && typeof value.hex === 'string'
  return isHex ? new Uint8Array(Buffer.from(value.hex as string, 'hex')) : value
}
