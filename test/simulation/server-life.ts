// The server of a world, from its start to the moment at which it is killed, again and again on the same disk.

import { verifyEd25519 } from '../../src/pki/ed25519.ts'
import { coseToBeSigned } from '../../src/protocol/contract/cose.ts'
import { SealwireError } from '../../src/protocol/index.ts'
import { type Log, type Server, type ServerParts, silentLog, startServer } from '../../src/server/index.ts'
import type { VerifySignature } from '../../src/server/money/signatures.ts'
import type { Chance } from './chance.ts'
import { MachineClock, type WallClock } from './machine-clock.ts'
import type { Network } from './network.ts'
import { people, simulatedLimits } from './people.ts'
import type { Schedule } from './schedule.ts'
import { type ServerDisk, SimStore, type StoreFaults } from './sim-store.ts'

export interface ServerLifeParts {
  readonly schedule: Schedule
  readonly chance: Chance
  readonly network: Network
  readonly disk: ServerDisk
  readonly wall: WallClock
  readonly faults: StoreFaults
  readonly committed: () => void
  /** Told what a server that is sound never logs. */
  readonly failed: (what: string) => void
}

interface Run {
  readonly clock: MachineClock
  readonly store: SimStore
  server: Server | undefined
}

export class ServerLife {
  readonly #parts: ServerLifeParts
  #run: Run | undefined

  constructor(parts: ServerLifeParts) {
    this.#parts = parts
  }

  /** Undefined while it starts, and while there is none. */
  get server(): Server | undefined {
    return this.#run?.server
  }

  get isUp(): boolean {
    return this.#run !== undefined
  }

  /** Timers of the server that wait. */
  get timers(): number {
    return this.#run?.clock.timers ?? 0
  }

  start(): void {
    const { schedule, chance, disk, wall, faults, committed } = this.#parts
    const clock = new MachineClock(schedule, wall, 'server')
    const store = new SimStore(simulatedLimits, { schedule, chance, disk, faults, committed })
    const run: Run = { clock, store, server: undefined }
    this.#run = run
    startServer(options, this.#serverParts(run)).then(
      (server) => (run.server = server),
      (reason: unknown) => this.#notStarted(run, SealwireError.from(reason)),
    )
  }

  /** Everything in its memory is lost, and what it had not committed. */
  kill(): void {
    if (this.#run === undefined) return
    this.#run.clock.stop()
    this.#run.store.kill()
    this.#run = undefined
    this.#parts.network.killServer()
    this.#parts.disk.reopen()
  }

  /** Somebody starts it again. */
  #notStarted(run: Run, { code, sentence }: SealwireError): void {
    if (this.#run !== run) return
    if (code !== 'unavailable' && code !== 'unknown_outcome') this.#parts.failed(`server: it did not start: ${sentence}`)
    this.kill()
    this.start()
  }

  #serverParts({ clock, store }: Run): ServerParts {
    const { chance, network } = this.#parts
    const log: Log = { ...silentLog, error: (event, fields, cause) => this.#logged(event, fields, cause) }
    return {
      ...{ store, clock, log, inlets: [network.listen], fill: chance.fill, verify, ledger: people().ledger },
      machine: { descriptorsMax: () => undefined, residentBytes: () => 0, random: chance.number },
      identity: () => {
        throw new TypeError('nobody asks for certificates here')
      },
    }
  }

  #logged(event: string, fields: unknown, cause: unknown): void {
    this.#parts.failed(`server: it logged ${event} ${JSON.stringify(fields)} ${cause instanceof Error ? cause.stack : String(cause)}`)
  }
}

const options = { listen: [], echo: [], registration: 'closed', classic: false, limits: simulatedLimits } as const

/** In this thread: how long another one takes is chance that no seed decides. */
const verify: VerifySignature = async ({ header, signer, payload, signature }, purpose) => {
  if (verifyEd25519(signer, coseToBeSigned(header, purpose, payload), signature)) return
  throw new SealwireError('enrolment_invalid', 'the signature of the statement is wrong')
}
