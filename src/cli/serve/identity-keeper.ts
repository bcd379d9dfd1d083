// What a server shows to its clients, kept good while it runs. Own certificates are renewed when they are due; those of the
// operator are read again when their files change, and on SIGHUP. What is read is checked as a whole before it takes the
// place of anything: what does not hold is a line in the log, and the certificate before stays. Connections are asked for
// their identity at each accept, so that a change reaches the next one and disturbs none that are open.
//
//   files change ─▶ unchanged for one look ─▶ checked ─┬▶ sound: shown from now on
//   SIGHUP, due, operator ────────────────▶ checked ─┴▶ not:   the log says why, nothing else happens

import type { Clock, Timer } from '../../domain/clock.ts'
import type { TlsIdentity } from '../../link/index.ts'
import { IdentityFolder } from '../../pki/identity-folder.ts'
import { loadServerIdentity } from '../../pki/index.ts'
import { type OwnFiles, readImported, readOwnCertificate } from '../../pki/own-certificate.ts'
import type { Limits } from '../../protocol/limits.ts'
import { SealwireError } from '../../protocol/errors.ts'
import type { Log } from '../../server/log.ts'
import { ExpiryReminder } from './expiry-reminder.ts'
import { FileWatch } from './file-watch.ts'
import { type LiveIdentity, liveIdentity } from './live-identity.ts'

/** Whose certificate it is. */
export interface IdentitySource {
  /** The data folder, whose lock the caller holds. */
  readonly folder: string
  /** For the certificate of the server's own authority. */
  readonly hosts: readonly string[]
  /** The operator's own certificate; default: an imported one, else that of the server's own authority. */
  readonly files?: OwnFiles | undefined
}

export interface KeeperParts {
  readonly clock: Clock
  readonly log: Log
  readonly limits: Pick<Limits, 'certificateWatchMs' | 'certificateRetryMs'>
}

/** Holds the identity of a server. */
export class IdentityKeeper implements AsyncDisposable {
  readonly #source: IdentitySource
  readonly #parts: KeeperParts
  readonly #watch: FileWatch
  readonly #expiry: ExpiryReminder
  #current: LiveIdentity
  #problem: SealwireError | undefined
  #retryAt = 0
  #timer: Timer | undefined
  /** What is under way: one thing at a time changes the folder. */
  #work: Promise<unknown> = Promise.resolve()

  private constructor(source: IdentitySource, parts: KeeperParts, current: LiveIdentity, watch: FileWatch) {
    this.#source = source
    this.#parts = parts
    this.#current = current
    this.#watch = watch
    this.#expiry = new ExpiryReminder(parts.log)
  }

  /**
   * Loads the identity, and makes it if there is none.
   * @throws {SealwireError} what `loadServerIdentity` and `readOwnCertificate` throw.
   */
  static async open(source: IdentitySource, parts: KeeperParts): Promise<IdentityKeeper> {
    const watch = new FileWatch(watchedFiles(source))
    return new IdentityKeeper(source, parts, await load(source, parts, false), watch)
  }

  get current(): LiveIdentity {
    return this.#current
  }

  /** What listeners ask at each accept: the same object until the identity is another one. */
  get tls(): TlsIdentity {
    return this.#current.tls
  }

  /** Why a newer certificate is not in use. */
  get problem(): SealwireError | undefined {
    return this.#problem
  }

  /** Looks after the identity from now on, until it is disposed. */
  start(): void {
    this.#expiry.look(this.#current, this.#parts.clock.now())
    this.#timer = this.#parts.clock.every(this.#parts.limits.certificateWatchMs, () => this.#look())
  }

  /** Reads everything again; never rejects. The log says what came of it. */
  async reload(why: string): Promise<void> {
    this.#watch.settle()
    await this.#attempt(why)
  }

  /**
   * Reads everything again, and renews what the server's own authority has issued.
   * @throws {SealwireError} as {@link IdentityKeeper.open}; what was shown before is then still shown.
   */
  async renew(): Promise<void> {
    this.#watch.settle()
    await this.change(() => {}, true)
  }

  /**
   * Lets `action` change the data folder, and shows what came of it.
   * @throws {SealwireError} what `action` throws, and as {@link IdentityKeeper.open}.
   */
  async change(action: (folder: IdentityFolder) => void | Promise<void>, renew = false): Promise<void> {
    await this.#alone(async () => {
      await action(new IdentityFolder(this.#source.folder))
      this.#watch.settle()
      this.#show(await load(this.#source, this.#parts, renew), 'operator')
    })
  }

  /** Resolves when nothing is under way. */
  get idle(): Promise<unknown> {
    return this.#work
  }

  /** Waits for what is under way: nothing is written to the folder when its lock is given back. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer?.cancel()
    await this.#work
  }

  #look(): void {
    const now = this.#parts.clock.now()
    const isDue = now >= this.#retryAt && (now >= this.#current.dueAt || this.#problem !== undefined)
    if (this.#watch.hasSettled()) return void this.#attempt('files changed')
    if (isDue) return void this.#attempt('due')
    this.#expiry.look(this.#current, now)
  }

  /** What failed, or is due again at once, is not tried again before `certificateRetryMs`, unless somebody asks for it. */
  async #attempt(why: string): Promise<void> {
    const { clock, limits } = this.#parts
    this.#retryAt = clock.now() + limits.certificateRetryMs
    try {
      await this.#alone(async () => this.#show(await load(this.#source, this.#parts, false), why))
      if (this.#current.dueAt > clock.now()) this.#retryAt = 0
    } catch (reason) {
      this.#problem = SealwireError.from(reason)
      const { code, sentence, hint } = this.#problem
      this.#parts.log.warning('certificate not reloaded, the one before stays', { code, why: sentence, hint })
      if (code === 'internal') this.#parts.log.error('certificate not reloaded', {}, reason)
    }
  }

  async #alone(action: () => Promise<void>): Promise<void> {
    const done = this.#work.then(action)
    this.#work = done.catch(() => {})
    await done
  }

  #show(next: LiveIdentity, why: string): void {
    const before = this.#current
    this.#problem = undefined
    // The same certificate keeps its object: listeners make nothing anew, and nobody is told of a change.
    const isSame = next.tls.certificateChain === before.tls.certificateChain && next.tls.key === before.tls.key
    const isAlike = isSame && next.own.deviceAuthoritiesPem === before.own.deviceAuthoritiesPem
    this.#current = isAlike ? { ...next, tls: before.tls } : next
    const { log } = this.#parts
    const until = new Date(next.certificate.validToDate).toISOString()
    log.info(isSame ? 'certificate unchanged' : 'certificate reloaded', { why, until })
    if (next.own.fingerprint !== before.own.fingerprint) log.info('authority replaced', { fingerprint: next.own.fingerprint })
    if (next.fingerprint === before.fingerprint) return
    if (next.own.overlap?.fingerprint === before.fingerprint) return
    log.warning('clients that know the fingerprint of before refuse this server', { before: before.fingerprint, now: next.fingerprint })
  }
}

/** Those of the operator: where there are none of `serve --cert`, what was imported, or may yet be. */
function watchedFiles({ folder, files }: IdentitySource): readonly string[] {
  return files === undefined ? [new IdentityFolder(folder).pathOf('imported.pem')] : [files.certificate, files.key]
}

async function load({ folder, hosts, files }: IdentitySource, { clock, log }: KeeperParts, renew: boolean): Promise<LiveIdentity> {
  const own = await loadServerIdentity({ folder, hosts, renew }, { clock })
  for (const file of own.written) log.info('file written', { file })
  const now = clock.now()
  if (files !== undefined) return liveIdentity('files', own, readOwnCertificate(files, now))
  const imported = readImported(new IdentityFolder(folder), now)
  return imported === undefined ? liveIdentity('authority', own) : liveIdentity('imported', own, imported)
}
