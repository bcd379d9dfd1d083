// Devices: which connection comes from one, who may become one, and how one ends. A device is known by the hash of the key
// in its certificate; what else the certificate says is not read. TLS has checked who signed it before anything here.

import { randomBytes } from 'node:crypto'
import type { Clock } from '../domain/index.ts'
import {
  type DeviceIssuer,
  deviceId,
  ed25519KeyHash,
  type EnrolledKeys,
  type Enrolment,
  type IssuedDevice,
  invitationHash,
  openEnrolment,
  openKeyStatement,
  openLoginProof,
  proofRefused,
} from '../pki/index.ts'
import { deviceSecretBytes } from '../protocol/contract/index.ts'
import { type Limits, SealwireError } from '../protocol/index.ts'
import type { Device, DeviceOwner, RevokedDevice, SecretHash, Store } from '../store/index.ts'
import { type AccountIdentity, identityOf, type Origin } from './accounts.ts'
import type { Log } from './log.ts'
import { sameBytes } from '../protocol/same-bytes.ts'

/** What devices work with; whoever made the parts closes them. */
export interface DevicesParts {
  readonly store: Pick<Store, 'run'>
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
  /** 16 bytes: what a device signs is for this server alone. */
  readonly serverId: Uint8Array
  readonly limits: Pick<Limits, 'deviceKeyMs' | 'deviceLinkMs'>
  /** Makes certificates; nobody can enrol for one without. */
  readonly issue: DeviceIssuer | undefined
  /** DER of those who have signed certificates of devices which may still be good, that of today first. Default: none are told of. */
  readonly authorities?: () => readonly Uint8Array[]
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
  /** The number of the connection, for the log. Default: it is the operator who does it. */
  readonly connection?: number | undefined
}

/** Where a device comes from. */
type Place = Pick<Origin, 'address' | 'connection'>

/** A proof of a device, and where it was given. */
export interface Proof {
  /** COSE_Sign1. */
  readonly proof: Uint8Array
  /** What it has to be over. */
  readonly nonce: Uint8Array
  /** The device that the connection is of already. */
  readonly connected: ConnectedDevice | undefined
}

/** A link for another device. */
export interface DeviceLink {
  readonly secret: Uint8Array
  readonly expiresAt: number
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

  /** By whom a device may have its certificate, in DER: for those who look at the certificates of others themselves. */
  authorities(): readonly Uint8Array[] {
    return this.#parts.authorities?.() ?? []
  }

  /** Whether anybody can enrol here. */
  get canEnrol(): boolean {
    return this.#parts.issue !== undefined
  }

  /** The device whose certificate TLS has accepted; `undefined` when it may not connect. @throws {SealwireError} those of the store. */
  async admit(spkiHash: Uint8Array, place: Place): Promise<ConnectedDevice | undefined> {
    return this.#admitted(await this.#parts.store.run('device.find', { spkiHash }), place)
  }

  /**
   * The device that has proved this static key in the sealed channel, as {@link admit}. There nobody else looks at the dates of
   * its certificate.
   */
  async admitKey(x25519: Uint8Array, place: Place): Promise<ConnectedDevice | undefined> {
    const owner = await this.#parts.store.run('device.findByX25519', { x25519 })
    const hasExpired = owner !== undefined && owner.device.expiresAt <= this.#now()
    return this.#admitted(owner, place, hasExpired ? 'expired' : undefined)
  }

  #admitted(owner: DeviceOwner | undefined, { connection, address }: Place, why = whyNot(owner)): ConnectedDevice | undefined {
    if (owner !== undefined && why === undefined) return { id: owner.device.id, spkiHash: owner.device.spkiHash }
    this.#parts.log.info('device refused', { connection, device: owner?.device.id, why, address })
    return undefined
  }

  /**
   * The account of the device whose certificate the connection was made with.
   * @throws {SealwireError} `login_refused` without a certificate and for a device that was revoked since; `account_banned`,
   * `busy`; those of the store.
   */
  async login(connected: ConnectedDevice | undefined, { arrival }: Origin): Promise<AccountIdentity> {
    if (connected === undefined) throw new SealwireError('login_refused', 'this connection was made without a device certificate')
    return identityOf((await this.#use(connected.spkiHash, arrival, () => {})).account)
  }

  /**
   * The account of the device that has signed this nonce, whichever kind of device it is. `found` is told which, in the turn
   * in which the store says that it is good, so that its revocation finds the connection.
   * @throws {SealwireError} `login_refused` for a proof that is not good, and a device that is unknown, revoked or expired;
   * `account_banned`, `busy`; those of the store.
   */
  async prove(
    { proof, nonce, connected }: Proof,
    { arrival, connection, address }: Origin,
    found: (device: ConnectedDevice) => void,
  ): Promise<AccountIdentity> {
    const { store, log } = this.#parts
    const ed25519 = openLoginProof(proof, { serverId: this.serverId, nonce })
    const known = await store.run('device.findByEd25519', { ed25519 })
    const isExpired = known !== undefined && known.device.expiresAt <= this.#now()
    const isOther = connected !== undefined && (known === undefined || !sameBytes(connected.spkiHash, known.device.spkiHash))
    if (known === undefined || isExpired || isOther) {
      const why = isExpired ? 'expired' : isOther ? 'another device' : 'unknown'
      log.info('device refused', { connection, device: known?.device.id, why, address })
      throw proofRefused()
    }
    const { account, device } = await this.#use(known.device.spkiHash, arrival, found)
    await this.#keepAlive(device, connection)
    return identityOf(account)
  }

  /** Notes the login of a device, and looks once more whether it may. */
  async #use(spkiHash: Uint8Array, arrival: Origin['arrival'], found: (device: ConnectedDevice) => void): Promise<DeviceOwner> {
    const owner = await this.#parts.store.run('device.use', { spkiHash, at: this.#now() })
    if (owner === undefined || owner.device.revokedAt !== undefined) throw new SealwireError('login_refused', 'this device was revoked')
    arrival?.named(owner.account.key)
    if (owner.account.bannedAt !== undefined) throw new SealwireError('account_banned', 'the account is banned on this server')
    arrival?.proven()
    found({ id: owner.device.id, spkiHash })
    return owner
  }

  /** A device without a certificate that logs in now and then never expires; nobody is kept out when that cannot be noted. */
  async #keepAlive({ spkiHash, id, accountId, ed25519, x25519, label, expiresAt }: Device, connection: number | undefined): Promise<void> {
    const { store, limits, log } = this.#parts
    const isOfKey = ed25519 !== undefined && sameBytes(spkiHash, ed25519KeyHash(ed25519))
    const isLong = expiresAt - this.#now() > BigInt(limits.deviceKeyMs) / 2n
    if (!isOfKey || isLong) return
    const row = { spkiHash, id, accountId, ed25519, x25519, label, at: this.#now(), expiresAt: this.#keyExpiresAt() }
    try {
      await store.run('device.enrol', row)
    } catch (reason) {
      log.warning('device not kept alive', { connection, device: id, why: SealwireError.from(reason).code })
    }
  }

  /**
   * A link for another device of an account; the one before is worth nothing from now on, nor is this one once a device is
   * revoked, the password changed or the account banned.
   * @throws {SealwireError} `login_refused` when that has happened to who asks; those of the store.
   */
  async link({ accountId, token, connection }: Enroller, connected?: ConnectedDevice): Promise<DeviceLink> {
    const { store, limits, log } = this.#parts
    const secret = new Uint8Array(randomBytes(deviceSecretBytes))
    const at = this.#now()
    const expiresAt = at + BigInt(limits.deviceLinkMs)
    await store.run('device.link', { accountId, spkiHash: connected?.spkiHash, token, hash: invitationHash(secret), expiresAt, at })
    log.info('link for another device made', { connection })
    return { secret, expiresAt: Number(expiresAt) }
  }

  /**
   * Makes whoever has this Ed25519 key a device of the account, without a certificate; again with the same keys it lives on.
   * @throws {SealwireError} `enrolment_invalid`, `busy`, `not_found`; those of the store.
   */
  async enrolKey(
    statement: Uint8Array,
    { accountId, label = '', token, connection }: Enroller,
    connected?: ConnectedDevice,
  ): Promise<Device> {
    const { store, log } = this.#parts
    const keys = openKeyStatement(statement, this.serverId)
    if (connected !== undefined && !sameBytes(connected.spkiHash, keys.spkiHash)) throw ownOnly()
    const row = { ...keys, id: deviceId(keys.spkiHash), accountId, label, token, at: this.#now(), expiresAt: this.#keyExpiresAt() }
    const device = await store.run('device.enrol', row)
    log.info('device enrolled', { connection, device: device.id })
    return device
  }

  /**
   * Makes whoever has these keys a device of the account, or renews its certificate. A device can renew its own only.
   * @throws {SealwireError} `enrolment_invalid`, `busy`, `not_found`; `unavailable` where no certificates are made; those of
   * the store.
   */
  async enrol(enrolment: Enrolment, enroller: Enroller, connected?: ConnectedDevice): Promise<Enrolled> {
    const keys = openEnrolment(enrolment, this.#parts.serverId)
    if (connected !== undefined && !sameBytes(connected.spkiHash, keys.spkiHash)) throw ownOnly()
    return this.enrolKeys(keys, enroller)
  }

  /** Makes sure that none of these keys belongs to a device, also one that was revoked. @throws {SealwireError} `enrolment_invalid`; those of the store. */
  async refuseKnown({ spkiHash, ed25519, x25519 }: ProvedKeys): Promise<void> {
    const { store } = this.#parts
    const owner =
      (await store.run('device.find', { spkiHash })) ??
      (ed25519 && (await store.run('device.findByEd25519', { ed25519 }))) ??
      (x25519 && (await store.run('device.findByX25519', { x25519 })))
    if (owner === undefined) return
    const why = owner.device.revokedAt === undefined ? 'a key of this device belongs to another one' : 'this device was revoked'
    throw new SealwireError('enrolment_invalid', why)
  }

  /** The same for keys that were proved already, whoever asks. */
  async enrolKeys(keys: ProvedKeys, { accountId, label = '', token, connection }: Enroller): Promise<Enrolled> {
    const { store, log } = this.#parts
    const issued = await this.#issue(keys.spki, connection)
    const { spki: _, ...hashes } = keys
    const row = { ...hashes, id: issued.id, accountId, label, token, at: this.#now(), expiresAt: BigInt(issued.notAfter) }
    const device = await store.run('device.enrol', row)
    log.info('device enrolled', { connection, device: device.id, until: new Date(issued.notAfter).toISOString() })
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
  async revoke(id: string, accountId?: bigint, connection?: number): Promise<RevokedDevice> {
    const { store, log } = this.#parts
    const owner = await store.run('device.revoke', { id, accountId, at: this.#now() })
    if (owner === undefined) throw new SealwireError('not_found', 'there is no such device')
    log.info('device revoked', { connection, device: id, account: owner.account.name })
    return owner
  }

  async #issue(spki: Uint8Array, connection: number | undefined): Promise<IssuedDevice> {
    const { issue, log } = this.#parts
    if (issue === undefined) throw unavailable()
    try {
      return await issue(spki)
    } catch (reason) {
      log.error('device certificate not made', { connection }, reason)
      throw unavailable()
    }
  }

  #keyExpiresAt(): bigint {
    return this.#now() + BigInt(this.#parts.limits.deviceKeyMs)
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

function unavailable(): SealwireError {
  return new SealwireError('unavailable', 'this server makes no device certificates now')
}

function ownOnly(): SealwireError {
  return new SealwireError('enrolment_invalid', 'a device renews its own enrolment only: log in with the password to add another')
}
