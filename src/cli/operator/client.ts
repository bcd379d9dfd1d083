// How a command of the operator gets something done: by the server of the data folder while one runs there, else by
// itself, under the lock of the folder. A server that starts or stops has the lock and no socket; that is waited for.
//
//   socket answers ─▶ done          nobody there ─▶ lock ─┬▶ got it: open the store, work here
//   busy, lost ─▶ once more                               └▶ locked: a server starts or stops, once more

import { getRandomValues } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { Clock } from '../../domain/clock.ts'
import { deviceIssuer, readLedgerPublicKey, serverIdBytes } from '../../pki/index.ts'
import { type Code, type Limits, resolveLimits, SealwireError } from '../../protocol/index.ts'
import type { DeviceRoutes, LedgerRoutes, OperatorMethod, OperatorParams, OperatorResult, OperatorRoutes } from '../../protocol/operator.ts'
import { Devices } from '../../server/devices.ts'
import { silentLog } from '../../server/log.ts'
import { Operator } from '../../server/operator.ts'
import { deviceRoutes } from '../../server/operator/devices.ts'
import { ledgerRoutes } from '../../server/operator/ledger.ts'
import { PasswordHasher } from '../../server/accounts/password-hasher.ts'
import { Signatures } from '../../server/money/signatures.ts'
import { ifFree, lockData, openInProcessStore, type Store, type SynchronousStore } from '../../store/index.ts'
import { offlineCertificateRoutes } from '../cert/routes.ts'
import { defaultEndpoint } from '../serve/config.ts'
import { checkDataFolder, checkOwner, folderFingerprint } from './data-folder.ts'
import { askServer, type Unanswered } from './connection.ts'
import { recallSealedPlace } from './sealed-place.ts'
import { recallAddress } from './server-address.ts'

export interface OperatorClientParts {
  readonly clock: Clock
  /** Default: those of the table. A server's own `--limit` is known to that server alone. */
  readonly limits?: Limits
}

/** Calls the methods of an operator. Disposing of it gives the data folder back. */
export class OperatorClient implements Disposable {
  readonly #folder: string
  readonly #clock: Clock
  readonly #limits: Limits
  readonly #opened = new DisposableStack()
  #routes: OperatorRoutes | undefined

  /** @throws {SealwireError} `data_unusable` when no server has been in this folder. */
  constructor(folder: string, { clock, limits = resolveLimits() }: OperatorClientParts) {
    checkDataFolder(folder)
    this.#folder = folder
    this.#clock = clock
    this.#limits = limits
  }

  /** Whether the calls so far were carried out here, because no server runs. */
  get isOffline(): boolean {
    return this.#routes !== undefined
  }

  /**
   * Carries out a method. Asks again what was lost on the way: every method may be repeated.
   * @throws {SealwireError} what the method throws; `data_locked`, `busy` or `connection_lost` when it could not be carried
   * out within `operatorWaitMsMax`; `data_unusable` and others when the folder cannot be used.
   */
  async call<M extends OperatorMethod>(method: M, params: OperatorParams<M>): Promise<OperatorResult<M>> {
    try {
      return await this.#carryOut(method, params)
    } catch (reason) {
      throw hinted(SealwireError.from(reason))
    }
  }

  [Symbol.dispose](): void {
    this.#opened.dispose()
  }

  async #carryOut<M extends OperatorMethod>(method: M, params: OperatorParams<M>): Promise<OperatorResult<M>> {
    const until = this.#clock.monotonic() + this.#limits.operatorWaitMsMax
    for (let isLost = false; ; ) {
      if (this.#routes !== undefined) return this.#routes[method](params)
      const answer = await askServer(this.#folder, method, params, { clock: this.#clock, limits: this.#limits })
      if (typeof answer === 'object') return answer
      // Once lost, it may have been done, whatever is in the way afterwards.
      isLost ||= answer === 'lost'
      if (answer === 'nobody') this.#routes = this.#open()
      if (this.#routes === undefined) await this.#wait(isLost ? 'lost' : answer, until)
    }
  }

  async #wait(why: Unanswered, until: number): Promise<void> {
    if (this.#clock.monotonic() >= until) throw givenUp(this.#folder, why)
    await wait(retryMs)
  }

  /** Does what a server would, as far as it can be done without one; `undefined` while somebody else has the lock. */
  #open(): OperatorRoutes | undefined {
    checkOwner(this.#folder)
    using opening = new DisposableStack()
    const lock = ifFree(() => lockData(this.#folder))
    if (lock === undefined) return undefined
    opening.use(lock)
    const folder = this.#folder
    const clock = this.#clock
    const fingerprint = folderFingerprint(this.#folder)
    const store = opening.use(openInProcessStore(this.#folder, this.#limits))
    const operator = new Operator(
      {
        ...(recallAddress(this.#folder) ?? defaultEndpoint),
        fingerprint,
        // Only who asks for it is concerned by what is wrong with its key.
        get sealed() {
          return recallSealedPlace(folder, clock.now())
        },
        registration: 'invite',
        limits: this.#limits,
        serverId: offlineServerId(store),
      },
      {
        store: { run: async (name, input) => store.run(name, input) },
        clock: this.#clock,
        log: silentLog,
        hasher: new PasswordHasher(this.#limits),
        endSessions() {},
        endBanned() {},
        devices: offlineDeviceRoutes(this.#folder, store, { clock: this.#clock, limits: this.#limits }),
        ledger: offlineLedgerRoutes(this.#folder, store, { clock: this.#clock, limits: this.#limits }),
        certificates: offlineCertificateRoutes(this.#folder, this.#clock, this.#limits),
      },
    )
    this.#opened.use(opening.move())
    return operator.routes
  }
}

/** What an operator does to devices while no server runs. */
function offlineDeviceRoutes(folder: string, opened: SynchronousStore, { clock, limits }: Required<OperatorClientParts>): DeviceRoutes {
  const store: Pick<Store, 'run'> = { run: async (name, input) => opened.run(name, input) }
  const serverId = offlineServerId(opened)
  const devices = new Devices({ store, clock, log: silentLog, limits, serverId, issue: deviceIssuer(folder, { clock }) })
  const port = (): number | undefined => recallAddress(folder, 'device-address')?.port
  return deviceRoutes({ devices, store, clock, log: silentLog, limits, endDevice() {}, port })
}

/** What an operator does to money while no server runs; the next start signs what is new. */
function offlineLedgerRoutes(folder: string, opened: SynchronousStore, { clock, limits }: Required<OperatorClientParts>): LedgerRoutes {
  const store: Pick<Store, 'run'> = { run: async (name, input) => opened.run(name, input) }
  const serverId = offlineServerId(opened)
  const publicKey = readLedgerPublicKey(folder)
  return ledgerRoutes({ store, clock, log: silentLog, limits, signatures: new Signatures(limits), serverId, publicKey })
}

function offlineServerId(store: SynchronousStore): Uint8Array {
  return store.run('server.id', { fresh: getRandomValues(new Uint8Array(serverIdBytes)) })
}

function givenUp(folder: string, why: Unanswered): SealwireError {
  const hint = 'look at the log of the server, and try again'
  if (why === 'busy') return new SealwireError('busy', 'the server is busy with other commands of its operator', { hint })
  if (why === 'lost') return new SealwireError('connection_lost', 'the server ended before it answered', { hint })
  return new SealwireError('data_locked', `the data folder ${folder} is in use, and nobody takes commands there`, { hint })
}

/** What a server refuses comes without a hint, because faults are for programs. */
function hinted(error: SealwireError): SealwireError {
  const { code, sentence, cause, hint = hints.get(code) } = error
  return hint === undefined ? error : new SealwireError(code, sentence, { cause, hint })
}

const hints: ReadonlyMap<Code, string> = new Map([
  ['not_found', 'sealwire admin list shows the names'],
  ['storage_full', 'free some space on the disk of the data folder, or move the folder to a larger one'],
  ['registration_closed', 'start it with --registration invite'],
  ['unknown_method', 'the server is older than this command: start it again'],
])
const retryMs = 50
