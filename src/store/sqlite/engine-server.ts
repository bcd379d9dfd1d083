// What a store's worker does. It owns the engine from its first to its last moment: it opens the database, carries out one
// group after another, closes the database itself and then ends.

import { inspect } from 'node:util'
import { type MessagePort, parentPort } from 'node:worker_threads'
import { assert, SealwireError } from '../../protocol/errors.ts'
import type { Engine } from './engine.ts'
import { type FromWorker, receiveGroup, sendAnswers, sendError, type ToWorker, troublesOf } from './messages.ts'

/** Serves the engine that `open` makes to the thread that started this one. */
export function serveEngine(open: () => Engine): void {
  assert(parentPort, 'the store worker runs in the main thread')
  try {
    serve(open(), parentPort)
  } catch (reason) {
    const error = SealwireError.from(reason)
    say(parentPort, { name: 'refused', error: sendError(error), detail: inspect(error.cause) })
  }
}

function serve(engine: Engine, port: MessagePort): void {
  port.on('message', (message: ToWorker) => {
    if (message.name === 'execute') {
      const group = receiveGroup(message.group)
      const outcomes = engine.execute(group)
      say(port, { name: 'executed', ...sendAnswers(group, outcomes), troubles: troublesOf(outcomes) })
      return
    }
    engine.close()
    port.close()
  })
  say(port, { name: 'ready' })
}

function say(port: MessagePort, message: FromWorker): void {
  port.postMessage(message)
}
