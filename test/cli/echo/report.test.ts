import { describe, expect, test } from 'bun:test'
import { EchoLines } from '../../../src/cli/echo/lines.ts'
import { EchoReport } from '../../../src/cli/echo/report.ts'
import { Flusher, linkPair } from '../../../src/link/index.ts'
import { resolveLimits } from '../../../src/protocol/index.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { RecordedOutput } from './support.ts'

const limits = resolveLimits({ echoLinesPerSecondMax: 3, echoLineBytesMax: 16 })
const remote = { address: '192.0.2.7', port: 40_001 }

describe('EchoReport', () => {
  test('tells of a connection in three lines', () => {
    const { report, link, connections } = open()
    report.opened(link)
    report.received(link, Buffer.from('two\nlines\n'))
    report.closed()
    expect(connections.lines).toEqual(['Accepted SSL connection from memory:0', 'Received: two\\nlines', 'Client disconnected.'])
  })

  test('counts all three together, and shows no more of a payload than is allowed', () => {
    const { report, link, connections, lines } = open()
    report.opened(link)
    for (let read = 0; read < 5; read++) report.received(link, Buffer.alloc(100, 'x'))
    report.closed()
    lines.forEach((each) => each[Symbol.dispose]())
    const shown = `Received: ${'x'.repeat(13)}…`
    expect(connections.lines).toEqual(['Accepted SSL connection from memory:0', shown, shown, '(4 lines left out)'])
  })

  test('tells apart why a connection never came to be, and paces that by itself', () => {
    const { report, connections, failures } = open()
    report.failed(remote, 'handshake')
    report.failed({ address: '::1', port: 40_002 }, 'timeout')
    report.refused('192.0.2.7', 'echo')
    report.refused('192.0.2.7', 'echo')
    expect(connections.text).toBe('')
    expect(failures.lines).toEqual([
      'Handshake error: 192.0.2.7:40001 gave up: it does not trust the certificate, or does not speak TLS',
      'Handshake error: [::1]:40002 took too long',
      'Connection refused: 192.0.2.7, because of echoConnectionsMax',
    ])
  })
})

function open() {
  const clock = new ManualClock()
  const [connections, failures] = [new RecordedOutput(), new RecordedOutput()]
  const lines = [new EchoLines(connections, limits, clock), new EchoLines(failures, limits, clock)] as const
  const [link] = linkPair({ limits, flusher: new Flusher(limits, clock) })
  return { report: new EchoReport(...lines, limits), link, lines, connections, failures }
}
