// What a server counts while it works, for its metrics: whole numbers that go up and nothing else, because some of them do so
// a hundred thousand times a second. Everything that can be read from what is there anyway is read when somebody asks
// (readings.ts), and is not here.

import { type LinkEnd, Traffic } from '../../link/index.ts'
import { type Method, methods } from '../../protocol/contract/index.ts'
import type { Code, LimitName } from '../../protocol/index.ts'
import { Histogram } from './histogram.ts'
import { Tallies } from './tallies.ts'

/** What became of the requests of one method. */
export class RequestCounts {
  answered = 0
  readonly refused = new Tallies<Code>()
  /** Of those that were measured. */
  readonly seconds = new Histogram(requestSeconds)
}

/** Where a connection came in. */
export type Door = 'listen' | 'join' | 'sealed' | 'web' | 'inlet'

export class Counts {
  framesReceived = 0
  bytesReceived = 0
  logins = 0
  requestsUnderWay = 0
  requestsDelayed = 0
  entriesPushed = 0
  fileBytesReceived = 0
  fileBytesSent = 0
  /** Whether requests that wait for something are measured: two looks at the clock for each. */
  measures = false
  readonly sent = new Traffic()
  readonly requests: Readonly<Record<Method, RequestCounts>>
  /** Requests for methods that there are not. */
  readonly unknown = new RequestCounts()
  /** By their number on the wire. */
  readonly classicCommands: number[] = Array.from({ length: classicCommandPlaces }, () => 0)
  readonly classicRefusals = new Tallies<Code>()
  readonly opened = new Tallies<Door>()
  readonly closed = new Tallies<LinkEnd>()
  /** Sessions that we ended, by the last word. */
  readonly failed = new Tallies<Code>()
  readonly limits = new Tallies<LimitName>()

  constructor() {
    const rows = Object.keys(methods).map((method) => [method, new RequestCounts()])
    this.requests = Object.fromEntries(rows) as Record<Method, RequestCounts>
  }

  /** A command of the classic dialect. */
  classic(command: number): void {
    const at = command < classicCommandPlaces ? command : 0
    this.classicCommands[at] = (this.classicCommands[at] ?? 0) + 1
  }
}

/** One more than the highest number of a classic command; 0 stands for all others. */
const classicCommandPlaces = 11
const requestSeconds = Object.freeze([0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3])
