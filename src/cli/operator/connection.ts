// One request of an operator to the server that runs in a data folder, over its socket.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Clock } from '../../domain/clock.ts'
import { errorCode, unusable } from '../../pki/durable-file.ts'
import { contractCommands, parseFault, parseResult } from '../../protocol/contract/index.ts'
import { encodeFrame, FrameDecoder, type Limits, type Packet, SealwireError } from '../../protocol/index.ts'
import {
  checkOperatorResult,
  encodeOperatorRequest,
  type OperatorMethod,
  type OperatorParams,
  type OperatorResult,
} from '../../protocol/operator.ts'
import { operatorSocketPath } from '../../server/operator/socket-path.ts'

/** Why a request got no answer: `nobody` listens, the server has too many others (`busy`), or it was `lost` on the way. */
export type Unanswered = 'nobody' | 'busy' | 'lost'

export interface AskParts {
  readonly clock: Clock
  readonly limits: Pick<Limits, 'operatorAnswerMsMax'>
}

/**
 * Asks the server of a data folder. All that it does is over when this settles.
 * @throws {SealwireError} what the server refuses; `data_unusable` when its socket cannot be reached; `unreachable` when
 * it does not answer within `operatorAnswerMsMax`.
 */
export async function askServer<M extends OperatorMethod>(
  folder: string,
  method: M,
  params: OperatorParams<M>,
  { clock, limits }: AskParts,
): Promise<OperatorResult<M> | Unanswered> {
  using at = operatorSocketPath(folder)
  const socket = connect(at.path)
  const deadline = clock.after(limits.operatorAnswerMsMax, () => socket.destroy(tooSlow()))
  try {
    await once(socket, 'connect')
    socket.write(encodeFrame(contractCommands.request, encodeOperatorRequest(requestId, method, params)))
    const packet = await firstPacket(socket)
    return packet === undefined ? 'lost' : resultOf(method, packet)
  } catch (cause) {
    return unanswered(folder, cause)
  } finally {
    deadline.cancel()
    socket.destroy()
  }
}

/** The first frame that comes; `undefined` when the connection ends before. */
async function firstPacket(socket: Socket): Promise<Packet | undefined> {
  const decoder = new FrameDecoder()
  const { promise, resolve, reject } = Promise.withResolvers<Packet | undefined>()
  socket.once('error', reject)
  socket.once('close', () => resolve(undefined))
  socket.on('data', (bytes: Buffer) => {
    try {
      decoder.push(bytes)
      const packet = decoder.next()
      if (packet !== undefined) resolve(packet)
    } catch (reason) {
      reject(reason instanceof Error ? reason : new SealwireError('internal', 'internal error', { cause: reason }))
    }
  })
  return promise
}

function resultOf<M extends OperatorMethod>(method: M, { command, body }: Packet): OperatorResult<M> | Unanswered {
  if (command === contractCommands.fault) {
    const { id, code, sentence } = parseFault(body)
    if (id === null && code === 'busy') return 'busy'
    throw new SealwireError(code, sentence)
  }
  if (command !== contractCommands.result) throw new SealwireError('unexpected', 'the server answered with a frame that is no answer')
  return checkOperatorResult(method, parseResult(body).result)
}

function unanswered(folder: string, cause: unknown): Unanswered {
  if (SealwireError.is(cause)) throw cause
  const code = errorCode(cause) ?? ''
  if (noneThere.has(code)) return 'nobody'
  if (lost.has(code)) return 'lost'
  throw unusable(`cannot reach the server of ${folder}`, cause)
}

function tooSlow(): SealwireError {
  return new SealwireError('unreachable', 'the server does not answer its operator', { hint: 'look at its log, or start it again' })
}

/** A connection carries one request. */
const requestId = 1
const noneThere: ReadonlySet<string> = new Set(['ENOENT', 'ECONNREFUSED'])
/** EAGAIN: more connections than the system lets wait at the socket. */
const lost: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'EAGAIN', 'ECONNABORTED'])
