// Load of an echo service over TLS. `echo`: CONNECTIONS, each of which keeps DEPTH messages of BYTES on their way. `handshake`: so
// many at once, each of which shakes hands, has one byte echoed, and begins again. Counted as `accepted` is what came back.
//
//   node bin/bun.mjs bench/echo-load.ts PORT SERVER_PID echo|handshake CONNECTIONS BYTES DEPTH SECONDS

import { systemClock } from '../src/domain/index.ts'
import { type DialledLink, dialTls, Flusher } from '../src/link/index.ts'
import { resolveLimits } from '../src/protocol/index.ts'
import { Counts, fail, measure } from './load.ts'

const [port = 0, serverPid = 0, , connections = 0, bytes = 0, depth = 0, seconds = 0] = process.argv.slice(2).map(Number)
if (!(seconds > 0)) fail('usage: echo-load.ts PORT SERVER_PID echo|handshake CONNECTIONS BYTES DEPTH SECONDS')

const counts = new Counts()
const warmUpMs = 1_500
const limits = resolveLimits()
const context = { limits, flusher: new Flusher(limits, systemClock) }
const payload = Buffer.alloc(bytes, 0x78)

function dial(): Promise<DialledLink> {
  return dialTls({ host: '127.0.0.1', port, timeoutMs: 60_000, dangerouslySkipVerification: true }, context)
}

async function talk(): Promise<void> {
  const link = await dial()
  const sentAt: number[] = []
  let unread = 0
  const say = (): void => {
    sentAt.push(performance.now())
    link.send(payload)
  }
  link.attach({
    received(read) {
      for (unread += read.length; unread >= bytes; unread -= bytes) {
        note(sentAt.shift())
        say()
      }
    },
    drained() {},
    closed: (end) => fail(`a connection is over: ${end}`),
  })
  for (let open = 0; open < depth; open++) say()
}

async function shakeHands(): Promise<never> {
  for (;;) {
    const startedAt = performance.now()
    const link = await dial()
    await new Promise<void>((resolve) => {
      link.attach({ received: () => resolve(), drained() {}, closed: (end) => fail(`a connection is over: ${end}`) })
      link.send(payload)
    })
    link.attach({ received() {}, drained() {}, closed() {} })
    link.terminate()
    note(startedAt)
  }
}

function note(sentAt: number | undefined): void {
  counts.accepted++
  counts.acceptMs.push(performance.now() - (sentAt ?? fail('an answer too many')))
}

for (let index = 0; index < connections; index++) {
  if (process.argv[4] === 'echo') await talk()
  else void shakeHands()
}
await measure(counts, serverPid, seconds, warmUpMs)
