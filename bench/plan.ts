// Plans for bench/native/contract_load.cpp: what each connection sends to log in, and what it asks then.

import { contractCommands, encodeHello } from '../src/protocol/contract/index.ts'
import { encodeFrame, frameHeaderBytes, frameTrailerBytes } from '../src/protocol/index.ts'
import { requestFrame } from './load-client.ts'

/** What one connection does. */
export interface PlannedConnection {
  /** Of the installation that it logs in as. */
  readonly token: Uint8Array
  /** Default: false. */
  readonly opensInbox?: boolean
  /** Index of the connection whose messages arrive here. */
  readonly from?: number
  /** Whole frames. */
  readonly requests?: readonly Uint8Array[]
  /** Where the id of a message is in the only request, which is sent again and again; without it each is sent once. */
  readonly idAt?: number
}

/** Behind the ids of everything else. */
export const ackRequestId = 1_000_000

/** The bytes of a plan, as the head of contract_load.cpp describes them. */
export function encodePlan(connections: readonly PlannedConnection[]): Buffer {
  const parts = [number(connections.length), withLength(ackHead()), ...connections.flatMap(encodeConnection)]
  return Buffer.concat(parts)
}

function encodeConnection({ token, opensInbox = false, from = -1, requests = [], idAt = -1 }: PlannedConnection): Uint8Array[] {
  const logIn = [
    encodeFrame(contractCommands.hello, encodeHello({ versions: [1], client: 'load' })),
    requestFrame(0, 'account.resume', { token }),
    ...(opensInbox ? [requestFrame(0, 'inbox.open', {})] : []),
  ]
  return [number(from), ...list(logIn), ...list(requests), number(idAt)]
}

/** An inbox.ack without its number, which comes last. */
function ackHead(): Uint8Array {
  const frame = requestFrame(ackRequestId, 'inbox.ack', { seq: 0 })
  return frame.subarray(frameHeaderBytes, -frameTrailerBytes - 1)
}

function list(frames: readonly Uint8Array[]): Uint8Array[] {
  return [number(frames.length), ...frames.map(withLength)]
}

function withLength(bytes: Uint8Array): Buffer {
  return Buffer.concat([number(bytes.length), bytes])
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(value)
  return bytes
}
