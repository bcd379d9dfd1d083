// What an operator does to accounts and invitations: functions on the store that know no sockets. The server's socket
// calls them while it runs (operator/socket.ts), a command calls them itself when no server does.

import { randomInt } from 'node:crypto'
import { type Clock, parseName } from '../domain/index.ts'
import { formatInviteLink, invitationHash, newInvitation } from '../pki/index.ts'
import { type Limits, SealwireError } from '../protocol/index.ts'
import type {
  BackupRoutes,
  CertificateRoutes,
  DeviceRoutes,
  LedgerRoutes,
  OperatorParams,
  OperatorResult,
  OperatorRoutes,
} from '../protocol/operator.ts'
import type { Account, AccountSummary, Store } from '../store/index.ts'
import type { RegistrationMode } from './accounts.ts'
import type { Log } from './log.ts'
import { offlineBackupRoutes } from './operator/backup.ts'
import { noDevices } from './operator/devices.ts'
import type { PasswordHasher } from './accounts/password-hasher.ts'

/** Where and by which static key a server is reached through the sealed channel. */
export interface SealedPlace {
  readonly host: string
  readonly port: number
  /** `SHA256:…` */
  readonly fingerprint: string
}

/** What a server is to its clients. */
export interface OperatorOptions {
  /** What invite links name. */
  readonly host: string
  readonly port: number
  /** The pin of the server's authority: `SHA256:…`. */
  readonly fingerprint: string
  /** What a device signs names it. Default: not known. */
  readonly serverId?: Uint8Array
  /** Default: the sealed channel is not spoken. */
  readonly sealed?: SealedPlace | undefined
  readonly registration: RegistrationMode
  readonly limits: Limits
}

/** What the functions work with. */
export interface OperatorParts {
  readonly store: Pick<Store, 'run'>
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
  readonly hasher: Pick<PasswordHasher, 'hash'>
  /** Ends the live sessions of an account at once; `error` is what they are told. */
  readonly endSessions: (key: string, error: SealwireError) => void
  /** The same for an account that was banned. */
  readonly endBanned: (key: string, error: SealwireError) => void
  /** Default: there are no devices to look after. */
  readonly devices?: DeviceRoutes
  /** Default: there is no certificate to look after. */
  readonly certificates?: CertificateRoutes
  /** Default: there is no ledger to look after. */
  readonly ledger?: LedgerRoutes
  /** Default: nothing is deleted, so that a backup need not be waited for. */
  readonly backups?: BackupRoutes
}

/** An invitation to be made. */
export interface InvitationRequest extends OperatorParams<'invitation.create'> {
  /** Printed by a start of the server: the one printed before is voided if nobody has used it. Default: false. */
  readonly printed?: boolean
}

/** The functions, one for each method of an operator. */
export class Operator {
  readonly #options: OperatorOptions
  readonly #parts: OperatorParts

  constructor(options: OperatorOptions, parts: OperatorParts) {
    this.#options = options
    this.#parts = parts
  }

  /** The same functions under the names of the methods. */
  get routes(): OperatorRoutes {
    return {
      'server.status': () => Promise.resolve(this.status()),
      'invitation.create': (params) => this.invite(params),
      'account.list': (params) => this.accounts(params),
      'account.ban': ({ name }) => this.ban(name),
      'account.unban': ({ name }) => this.unban(name),
      'account.resetPassword': ({ name }) => this.resetPassword(name),
      ...(this.#parts.devices ?? noDevices),
      ...(this.#parts.certificates ?? noCertificates),
      ...(this.#parts.ledger ?? noLedgers),
      ...(this.#parts.backups ?? offlineBackupRoutes),
    }
  }

  status(): OperatorResult<'server.status'> {
    const { host, port, fingerprint, registration, serverId: server } = this.#options
    return { host, port, fingerprint, registration, ...(server === undefined ? {} : { server }) }
  }

  /**
   * Makes an invitation and its link.
   * @throws {SealwireError} `registration_closed` where nobody could use it; `unavailable` where the sealed channel is asked for
   * and not spoken; `link_invalid` for an impossible host; `busy`
   * when there are `invitationsMax`; those of the store.
   */
  async invite(request: InvitationRequest): Promise<OperatorResult<'invitation.create'>> {
    const { uses, expiresMs, sealed = false, printed = false } = request
    const { registration } = this.#options
    if (registration === 'closed') {
      throw new SealwireError('registration_closed', 'registration is closed on this server: nobody could use an invitation')
    }
    const { store, clock, log } = this.#parts
    const invitation = newInvitation()
    const { fingerprint: pin, ...place } = this.#place(sealed)
    const { host = place.host, port = place.port } = request
    const link = formatInviteLink({ host, port, transport: sealed ? 'sealed' : 'tls', pin, invitation })
    const createdAt = clock.now()
    const expiresAt = createdAt + expiresMs
    await store.run('invitation.create', {
      hash: invitationHash(invitation),
      uses: BigInt(uses),
      expiresAt: BigInt(expiresAt),
      createdAt: BigInt(createdAt),
      printed,
    })
    log.info('invitation made', { uses, until: new Date(expiresAt).toISOString(), printed })
    return { link, expiresAt }
  }

  #place(sealed: boolean): SealedPlace {
    if (!sealed) return this.#options
    if (this.#options.sealed !== undefined) return this.#options.sealed
    throw new SealwireError('unavailable', 'this server does not speak the sealed channel: start it with --sealed HOST:PORT')
  }

  /** The accounts after a key, at most `operatorPageMax`. */
  async accounts({ after = '' }: OperatorParams<'account.list'>): Promise<OperatorResult<'account.list'>> {
    const max = this.#options.limits.operatorPageMax
    const accounts = await this.#parts.store.run('account.list', { after, max: BigInt(max) })
    const next = accounts.length === max ? accounts.at(-1)?.key : undefined
    return { accounts: accounts.map(listed), next }
  }

  /**
   * Keeps an account out: durable first, then its sessions end.
   * @throws {SealwireError} `not_found`; those of the store.
   */
  async ban(name: string): Promise<OperatorResult<'account.ban'>> {
    const { store, clock, log, endBanned } = this.#parts
    const key = this.#key(name)
    const account = found(await store.run('account.ban', { key, at: BigInt(clock.now()) }))
    endBanned(key, new SealwireError('session_ended', 'the operator has banned this account'))
    log.info('account banned', { account: account.name })
    return { name: account.name }
  }

  /** @throws {SealwireError} `not_found`; those of the store. */
  async unban(name: string): Promise<OperatorResult<'account.unban'>> {
    const { store, log } = this.#parts
    const account = found(await store.run('account.unban', { key: this.#key(name) }))
    log.info('account unbanned', { account: account.name })
    return { name: account.name }
  }

  /**
   * Gives an account a password that nobody knows but who reads the answer; its tokens and its sessions end.
   * @throws {SealwireError} `not_found`; `busy` when too many hashes wait; those of the store.
   */
  async resetPassword(name: string): Promise<OperatorResult<'account.resetPassword'>> {
    const { store, log, hasher, endSessions } = this.#parts
    const account = found(await store.run('account.find', { key: this.#key(name) }))
    const password = newPassword(this.#options.limits.passwordCharactersMin)
    const passwordHash = await hasher.hash(password)
    if (!(await store.run('account.setPassword', { id: account.id, passwordHash }))) throw notFound()
    endSessions(account.key, new SealwireError('session_ended', 'the operator has reset the password of this account'))
    log.info('password reset', { account: account.name })
    const { length } = await store.run('device.list', { accountId: account.id })
    return { name: account.name, password, devices: length }
  }

  #key(name: string): string {
    return keyOfNamed(name, this.#options.limits)
  }
}

/** The key of an account that an operator names. @throws {SealwireError} `not_found`: what cannot be a name is nobody's. */
export function keyOfNamed(name: string, limits: Limits): string {
  try {
    return parseName(name, limits).key
  } catch (cause) {
    throw SealwireError.from(cause).code === 'name_invalid' ? notFound() : cause
  }
}

/**
 * A password for people to copy: groups of four of 32 letters and digits that are hard to mix up, 5 bits each. Five groups
 * at least, 100 bits, and as many more as `charactersMin` asks for.
 */
export function newPassword(charactersMin: number): string {
  const groups = Math.max(5, Math.ceil((charactersMin + 1) / 5))
  return Array.from({ length: groups }, () => Array.from({ length: 4 }, letter).join('')).join('-')
}

function letter(): string {
  return alphabet.charAt(randomInt(alphabet.length))
}

function listed({ name, createdAt, bannedAt, visibility, hasPassword }: AccountSummary) {
  const banned = bannedAt === undefined ? {} : { bannedAt: Number(bannedAt) }
  return { name, createdAt: Number(createdAt), ...banned, visibility, hasPassword }
}

/** The account that an operator names. @throws {SealwireError} `not_found`. */
export function found(account: Account | undefined): Account {
  if (account === undefined) throw notFound()
  return account
}

function notFound(): SealwireError {
  return new SealwireError('not_found', 'there is no account with this name')
}

async function noCertificate(): Promise<never> {
  throw new SealwireError('unavailable', 'this server does not look after its certificate itself')
}

const noCertificates: CertificateRoutes = {
  'certificate.show': noCertificate,
  'certificate.renew': noCertificate,
  'certificate.rotate': noCertificate,
  'certificate.rotateSealed': noCertificate,
  'certificate.import': noCertificate,
  'certificate.remove': noCertificate,
}

async function noLedger(): Promise<never> {
  throw new SealwireError('unavailable', 'this server keeps no ledger')
}

const noLedgers: LedgerRoutes = {
  'unit.create': noLedger,
  'unit.list': noLedger,
  'ledger.mint': noLedger,
  'ledger.burn': noLedger,
  'ledger.limits': noLedger,
  'account.freeze': noLedger,
  'account.unfreeze': noLedger,
  'ledger.export': noLedger,
  'ledger.verify': noLedger,
}

/** Without 0, 1, l and o. */
const alphabet = '23456789abcdefghijkmnpqrstuvwxyz'
