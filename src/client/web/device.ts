// A browser as a device of an account: its keys, the statement with which it enrols, and the proof with which it logs in
// (enrolment.md, "Logging in without a certificate"). No certificate is involved, and nobody can copy the keys out of it.

import { SealwireError } from '../../protocol/errors.ts'
import { encodeCbor } from '../../protocol/contract/cbor.ts'
import { coseHeader, coseMessage, coseToBeSigned, enrolmentPurpose, loginPurpose } from '../../protocol/contract/cose.ts'
import { orderPurposes } from '../../protocol/contract/order.ts'
import type { Client } from '../client.ts'
import type { OrderSigner } from '../payments/signed.ts'
import { newWebKeys, openWebKeyStore, type WebKey, type WebKeys, type WebKeyStore } from './keys.ts'

/** Which device, where a page has several. */
export interface WebDeviceOptions {
  /** Name of its keys in the browser, such as the address of a server. Default: `default`. */
  readonly name?: string
  /** Where the keys are. Default: IndexedDB of the page's origin. */
  readonly store?: WebKeyStore
}

/**
 * The device of this browser. The first time its keys are made, and kept before anybody hears of them.
 * @throws {SealwireError} `runtime_unsupported` where the browser cannot make or keep them.
 */
export async function openWebDevice({ name = 'default', store }: WebDeviceOptions = {}): Promise<WebDevice> {
  const place = store ?? (await openWebKeyStore())
  const keys = (await place.read(name)) ?? (await place.keep(name, await newWebKeys()))
  const ed25519 = await rawKey(keys.ed25519.publicKey)
  const x25519 = await rawKey(keys.x25519.publicKey)
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', Uint8Array.of(...spkiStart, ...ed25519)))
  return new WebDevice({ keys, ed25519, x25519, hash, forget: () => place.remove(name) })
}

interface WebDeviceParts {
  readonly keys: WebKeys
  readonly ed25519: Uint8Array
  readonly x25519: Uint8Array
  /** SHA-256 of the SubjectPublicKeyInfo of the Ed25519 key: by this a server knows the device. */
  readonly hash: Uint8Array
  readonly forget: () => Promise<void>
}

export class WebDevice {
  readonly #parts: WebDeviceParts

  /** @internal Made by `openWebDevice`. */
  constructor(parts: WebDeviceParts) {
    this.#parts = parts
  }

  /** The id of the device, for people: 20 hexadecimal digits. */
  get id(): string {
    return Array.from(this.#parts.hash.subarray(0, 10), (byte) => byte.toString(16).padStart(2, '0')).join('')
  }

  /** The pair of the device for keys that two agree on (X25519). */
  get agreementKeys(): WebKeys['x25519'] {
    return this.#parts.keys.x25519
  }

  /**
   * Makes this browser a device of the account that the client is logged in to, and answers its id. Once more changes the label.
   * @throws {SealwireError} the server's refusal: `enrolment_invalid`, `busy`; and what `request` throws.
   */
  async enrol(client: Client, label?: string): Promise<string> {
    const statement = await this.statement(serverOf(client))
    const { device } = await client.request('device.enrolKey', { statement, ...(label === undefined ? {} : { label }) })
    return device
  }

  /**
   * Logs a client in with the key of this device.
   * @throws {SealwireError} `login_refused` when the server does not know the device, or not any more; `account_banned`; and
   * what `request` throws.
   */
  async login(client: Client): Promise<{ readonly name: string; readonly device: string }> {
    const { nonce } = await client.request('device.challenge', {})
    return client.request('device.prove', { proof: await this.proof(serverOf(client), nonce) })
  }

  /** COSE_Sign1 for device.enrolKey, for the server with this number of 16 bytes. */
  async statement(server: Uint8Array): Promise<Uint8Array> {
    const { hash, ed25519, x25519 } = this.#parts
    return this.#sign(encodeCbor([server, hash, ed25519, x25519]), enrolmentPurpose)
  }

  /** COSE_Sign1 for device.prove. */
  async proof(server: Uint8Array, nonce: Uint8Array): Promise<Uint8Array> {
    return this.#sign(encodeCbor([server, nonce]), loginPurpose)
  }

  /** Signs an order; what a `Sealwire` is given as `sign`. Rejects with a TypeError for everything that is no order. */
  readonly signOrder: OrderSigner = async (payload, purpose) => {
    if (!Object.values(orderPurposes).includes(purpose)) throw new TypeError('this signs orders and nothing else')
    return this.#sign(payload, purpose)
  }

  /** Removes the keys from the browser for good. Revoking the device is up to the account. */
  async forget(): Promise<void> {
    await this.#parts.forget()
  }

  async #sign(payload: Uint8Array, purpose: string): Promise<Uint8Array> {
    const { ed25519, keys } = this.#parts
    const header = coseHeader(ed25519)
    const signed = new Uint8Array(coseToBeSigned(header, purpose, payload))
    const signature = await crypto.subtle.sign({ name: 'Ed25519' }, keys.ed25519.privateKey, signed)
    return coseMessage(header, payload, new Uint8Array(signature))
  }
}

/** What is signed is for one server alone. */
function serverOf({ welcome: { server } }: Client): Uint8Array {
  if (server !== undefined) return server
  throw new SealwireError('unavailable', 'this server has no devices')
}

async function rawKey(key: WebKey): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.exportKey('raw', key))
}

/** What stands before an Ed25519 key in SubjectPublicKeyInfo (RFC 8410). */
const spkiStart = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00] as const
