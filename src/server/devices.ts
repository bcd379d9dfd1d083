// Devices: which connection comes from one, who may become one, and how one ends. A device is known by the hash of the key
// in its certificate; what else the certificate says is not read. TLS has checked who signed it before anything here.

import type { Clock } from '../domain/index.ts'
import { type DeviceIssuer, type EnrolledKeys, type Enrolment, type IssuedDevice, openEnrolment } from '../pki/index.ts'
import { SealwireError } from '../protocol/index.ts'
import type { Account, Device, DeviceOwner, SecretHash, Store } from '../store/index.ts'
import type { AccountIdentity, Origin } from './accounts.ts'
import type { Log } from './log.ts'

/** What devices work with; whoever made the parts closes them. */
export interface DevicesParts {
  readonly store: Pick<Store, 'run'>
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
  /** 16 bytes: what a device signs is for this server alone. */
  readonly serverId: Uint8Array
  /** Makes certificates; nobody can enrol without. */
  readonly issue: DeviceIssuer | undefined
}

/** The device at the other end of a connection. */
export interface ConnectedDevice {
  readonly id: string
  readonly spkiHash: Uint8Array
}

/** Who enrols a device. */
export interface Enroller {
  readonly accountId: bigint
  readonly label?: string | undefined
  /** With which the session logged in: it ends with the first login of the device. */
  readonly token?: SecretHash | undefined
}

/** Keys that were proved, as far as there are any. */
export type ProvedKeys = Pick<EnrolledKeys, 'spki' | 'spkiHash'> & Partial<EnrolledKeys>

/** A device with its certificate. */
export interface Enrolled extends IssuedDevice {
  readonly device: Device
}

export class Devices {
  readonly #parts: DevicesParts

  constructor(parts: DevicesParts) {
    this.#parts = parts
  }

  get serverId(): Uint8Array {
    return this.#parts.serverId
  }

  /** Whether anybody can enrol here. */
  get canEnrol(): boolean {
    return this.#parts.issue !== undefined
  }

  /** The device whose certificate TLS has accepted; `undefined` when it may not connect. @throws {SealwireError} those of the store. */
  async admit(spkiHash: Uint8Array, address: string): Promise<ConnectedDevice | undefined> {
    return this.#admitted(await this.#parts.store.run('device.find', { spkiHash }), address)
  }

  /**
   * The device that has proved this static key in the sealed channel, as {@link admit}. There nobody else looks at the dates of
   * its certificate.
   */
  async admitKey(x25519: Uint8Array, address: string): Promise<ConnectedDevice | undefined> {
    const owner = await this.#parts.store.run('device.findByX25519', { x25519 })
    const hasExpired = owner !== undefined && owner.device.expiresAt <= this.#now()
    return this.#admitted(owner, address, hasExpired ? 'expired' : undefined)
  }

  #admitted(owner: DeviceOwner | undefined, address: string, why = whyNot(owner)): ConnectedDevice | undefined {
    if (owner !== undefined && why === undefined) return { id: owner.device.id, spkiHash: owner.device.spkiHash }
    this.#parts.log.info('device refused', { device: owner?.device.id, why, address })
    return undefined
  }

  /**
   * The account of the device whose certificate the connection was made with.
   * @throws {SealwireError} `login_refused` without a certificate and for a device that was revoked since; `account_banned`,
   * `busy`; those of the store.
   */
  async login(connected: ConnectedDevice | undefined, { arrival }: Origin): Promise<AccountIdentity> {
    if (connected === undefined) throw new SealwireError('login_refused', 'this connection was made without a device certificate')
    const owner = await this.#parts.store.run('device.use', { spkiHash: connected.spkiHash, at: this.#now() })
    if (owner === undefined || owner.device.revokedAt !== undefined) throw new SealwireError('login_refused', 'this device was revoked')
    const { account } = owner
    arrival?.named(account.key)
    if (account.bannedAt !== undefined) throw new SealwireError('account_banned', 'the account is banned on this server')
    arrival?.proven()
    return identityOf(account)
  }

  /**
   * Makes whoever has these keys a device of the account, or renews its certificate. A device can renew its own only.
   * @throws {SealwireError} `enrolment_invalid`, `busy`, `not_found`; `unavailable` where no certificates are made; those of
   * the store.
   */
  async enrol(enrolment: Enrolment, enroller: Enroller, connected?: ConnectedDevice): Promise<Enrolled> {
    const keys = openEnrolment(enrolment, this.#parts.serverId)
    if (connected !== undefined && Buffer.compare(connected.spkiHash, keys.spkiHash) !== 0) {
      throw new SealwireError('enrolment_invalid', 'a device renews its own certificate only: log in with the password to add another')
    }
    return this.enrolKeys(keys, enroller)
  }

  /** The same for keys that were proved already, whoever asks. */
  async enrolKeys(keys: ProvedKeys, { accountId, label = '', token }: Enroller): Promise<Enrolled> {
    const { store, log } = this.#parts
    const issued = await this.#issue(keys.spki)
    const { spki: _, ...hashes } = keys
    const row = { ...hashes, id: issued.id, accountId, label, token, at: this.#now(), expiresAt: BigInt(issued.notAfter) }
    const device = await store.run('device.enrol', row)
    log.info('device enrolled', { device: device.id, until: new Date(issued.notAfter).toISOString() })
    return { ...issued, device }
  }

  /** Those of an account that were not revoked, the newest first. */
  list(accountId: bigint): Promise<readonly Device[]> {
    return this.#parts.store.run('device.list', { accountId })
  }

  /**
   * Revokes a device, of this account where one is given. Ending its sessions is up to the caller.
   * @throws {SealwireError} `not_found`; those of the store.
   */
  async revoke(id: string, accountId?: bigint): Promise<DeviceOwner> {
    const { store, log } = this.#parts
    const owner = await store.run('device.revoke', { id, accountId, at: this.#now() })
    if (owner === undefined) throw new SealwireError('not_found', 'there is no such device')
    log.info('device revoked', { device: id, account: owner.account.name })
    return owner
  }

  async #issue(spki: Uint8Array): Promise<IssuedDevice> {
    const { issue, log } = this.#parts
    if (issue === undefined) throw unavailable()
    try {
      return await issue(spki)
    } catch (reason) {
      log.error('device certificate not made', {}, reason)
      throw unavailable()
    }
  }

  #now(): bigint {
    return BigInt(this.#parts.clock.now())
  }
}

/** What the sessions of a device hear that was revoked. */
export function deviceRevoked(): SealwireError {
  return new SealwireError('session_ended', 'this device was revoked')
}

function whyNot(owner: DeviceOwner | undefined): string | undefined {
  if (owner === undefined) return 'unknown'
  if (owner.device.revokedAt !== undefined) return 'revoked'
  return owner.account.bannedAt === undefined ? undefined : 'banned'
}

function identityOf({ id, name, key, visibility }: Account): AccountIdentity {
  return { id, name, key, visibility }
}

function unavailable(): SealwireError {
  return new SealwireError('unavailable', 'this server makes no device certificates now')
}
