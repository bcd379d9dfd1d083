// What the other device is told of an error.

import { contractCommands, encodeFault } from '../../protocol/contract/index.ts'
import { codes, SealwireError } from '../../protocol/index.ts'
import type { Connection } from '../connection.ts'

/** Body of the Fault about a request, or, without an id, about the link. What never travels is `unavailable`. */
export function peerFault(id: number | null, error: SealwireError): Uint8Array {
  const { wire } = codes[error.code]
  const { code, sentence } = wire >= operatorWireFirst && error.code !== 'internal' ? unavailable() : error
  return encodeFault({ id, code, sentence })
}

/** The refusal of a request after which the link lives: what ended something else, such as the connection to the server, does not end it. */
export function peerRefusal(id: number, error: SealwireError): Uint8Array {
  return peerFault(id, error.fatal ? unavailable() : error)
}

/** Ends a link, and says why. What it returns is the reason. */
export function endWith(connection: Connection, reason: unknown, id: number | null = null): SealwireError {
  const error = SealwireError.from(reason)
  if (!connection.open) return error
  connection.send(contractCommands.fault, peerFault(id, error))
  connection.close(error)
  return error
}

function unavailable(): SealwireError {
  return new SealwireError('unavailable', 'the other device cannot do that now')
}

const operatorWireFirst = 0x40
