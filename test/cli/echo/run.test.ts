import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { TcpRelay } from '../../support/tcp-relay.ts'
import { testIdentity } from '../../support/tls-identity.ts'
import { TestListener } from '../../support/tls-pair.ts'
import { RecordedOutput, RunningEcho, talk } from './support.ts'

const identity = await testIdentity()
const scratch = mkdtempSync(join(tmpdir(), 'sealwire-echo-'))
const authority = join(scratch, 'ca.crt')
writeFileSync(authority, identity.roots)
const files = { kind: 'files', certificate: join(scratch, 'c.crt'), key: join(scratch, 'c.key'), named: true } as const
writeFileSync(files.certificate, identity.identity.certificateChain)
writeFileSync(files.key, identity.identity.key, { mode: 0o600 })
const open: Disposable[] = []
afterAll(() => {
  for (const each of open) each[Symbol.dispose]()
  rmSync(scratch, { recursive: true })
})

describe('the greeting', () => {
  test('prints what the first seed printed', async () => {
    await using server = await RunningEcho.start(files)
    const { port } = server
    const told = await talk({ host: 'localhost', port, authority })
    expect(told).toMatchObject({ refusal: undefined, errors: '' })
    expect(told.text).toBe(
      [
        `Connected to localhost:${port}`,
        'SSL Handshake successful.',
        'Sending: Hello from SSL client!',
        'Echo: Hello from SSL client!',
        'Connection closed.',
        '',
      ].join('\n'),
    )
    await server.output.printed(/Received: Hello from SSL client!\nClient disconnected\.\n/)
  })

  test('is sent only to a server whose certificate is trusted', async () => {
    await using server = await RunningEcho.start(files)
    const { port } = server
    expect(await talk({ port })).toMatchObject({ refusal: 'untrusted', lines: [`Connected to 127.0.0.1:${port}`] })
    await server.errors.printed(/Handshake error/)
    expect(server.output.lines).toHaveLength(1)
  })

  // macOS has no 127.0.0.2 unless it is told to.
  test.skipIf(process.platform === 'darwin')('is not sent to a server whose certificate is for another name', async () => {
    await using server = await RunningEcho.start(files, {}, '127.0.0.2')
    const { port } = server
    expect(await talk({ host: '127.0.0.2', port, authority })).toMatchObject({
      refusal: 'untrusted',
      sentence: `127.0.0.2:${port} has a certificate for another name`,
    })
  })

  test('is sent to anybody when the check is switched off, with a warning', async () => {
    await using server = await RunningEcho.start(files)
    const { port } = server
    const told = await talk({ port, skip: true })
    expect(told.refusal).toBeUndefined()
    expect(told.errors).toMatch(/^sealwire: warning: the certificate is not checked .*\n$/)
    expect(told.lines).toContain('Echo: Hello from SSL client!')
  })

  test('refuses a CA file that holds no certificate before it dials', async () => {
    writeFileSync(join(scratch, 'empty.crt'), '')
    expect(await talk({ port: 1, authority: join(scratch, 'empty.crt') })).toMatchObject({ refusal: 'certificate_invalid', text: '' })
  })

  test('tells when nobody listens', async () => {
    const { port, server } = await listen()
    server.close()
    expect(await talk({ port, authority })).toMatchObject({ refusal: 'unreachable', text: '' })
  })

  test('tells when the server goes away before it answers', async () => {
    const { port, server } = await listen()
    const told = talk({ port, authority })
    const { link, recorder } = await server.first()
    await recorder.until(() => recorder.bytesTotal > 0)
    link.close()
    expect(await told).toMatchObject({ refusal: 'connection_lost', sentence: 'the server ended the connection' })
    expect((await told).lines.slice(-2)).toEqual(['Sending: Hello from SSL client!', 'Server disconnected (EOF).'])
  })

  test('does not call a reset an end', async () => {
    const { port, server } = await listen()
    using relay = await TcpRelay.to(port)
    const told = talk({ port: relay.port, authority })
    const { recorder } = await server.first()
    await recorder.until(() => recorder.bytesTotal > 0)
    relay.reset()
    expect(await told).toMatchObject({ refusal: 'connection_lost', sentence: 'communication error: the connection was reset' })
    expect((await told).lines.at(-1)).toBe('Sending: Hello from SSL client!')
  })

  test('waits for an answer no longer than it is told to', async () => {
    const { port } = await listen()
    expect(await talk({ port, authority, timeoutMs: 1500 })).toMatchObject({
      refusal: 'connection_lost',
      sentence: 'no answer came within 1.5 s',
    })
  })

  test('gives up on an answer that has no end', async () => {
    const { port, server } = await listen()
    const told = talk({ port, authority, limits: { echoAnswerBytesMax: 1024 } })
    const { link } = await server.first()
    link.send(Buffer.alloc(100_000, 'x'))
    expect(await told).toMatchObject({ refusal: 'overrun' })
  })

  test('shows controls in an answer as escapes', async () => {
    const { port, server } = await listen()
    const told = talk({ port, authority })
    const { link } = await server.first()
    link.send(Buffer.from('\u001b[2J\u0007\r\n'))
    expect((await told).lines).toContain('Echo: \\u001b[2J\\u0007\\r')
  })
})

describe('line by line', () => {
  test('sends each line and shows what comes back', async () => {
    await using server = await RunningEcho.start(files)
    const { port } = server
    const typed = Buffer.from('one\n\nzwei ü\nbytes \xff\nlast', 'latin1')
    const told = await talk({ port, authority, typed })
    expect(told.refusal).toBeUndefined()
    expect(told.lines.slice(2)).toEqual([
      'Echo: one',
      'Echo: ',
      'Echo: zwei \ufffd',
      'Echo: bytes \ufffd',
      'Echo: last',
      'Connection closed.',
    ])
    expect(server.output.lines.filter((line) => line.startsWith('Received'))).toHaveLength(5)
  })

  test('ends at /exit, which is not sent', async () => {
    await using server = await RunningEcho.start(files)
    const { port } = server
    const told = await talk({ port, authority, typed: 'one\n/exit\ntwo\n' })
    expect(told.lines.slice(2)).toEqual(['Echo: one', 'Connection closed.'])
    await server.output.printed(/Received: one\nClient disconnected\.\n/)
  })

  test('prompts a person at a terminal, who may also end the input in the middle of a line', async () => {
    await using server = await RunningEcho.start(files)
    const { port } = server
    const told = await talk({ port, authority, typed: 'one\n', terminal: true })
    expect(told.text).toEndWith('SSL Handshake successful.\n> Echo: one\n> \nConnection closed.\n')
    const exited = await talk({ port, authority, typed: '/exit\n', terminal: true })
    expect(exited.text).toEndWith('SSL Handshake successful.\n> Connection closed.\n')
  })

  test('tells at once when the server goes away while a person thinks', async () => {
    await using server = await RunningEcho.start(files)
    const { port } = server
    const input = new PassThrough()
    const told = talk({ port, authority, input, terminal: true })
    await server.output.printed(/Accepted/)
    server.stop()
    expect(await told).toMatchObject({ refusal: 'connection_lost' })
    expect((await told).text).toEndWith('> \nServer disconnected (EOF).\n')
    expect(input.destroyed).toBe(true)
  })

  test('refuses a line that is too long', async () => {
    await using server = await RunningEcho.start(files)
    const { port } = server
    const told = await talk({ port, authority, typed: `ok\n${'x'.repeat(2000)}\n`, limits: { echoAnswerBytesMax: 1024 } })
    expect(told).toMatchObject({ refusal: 'message_too_large' })
    expect(told.lines.slice(2)).toEqual(['Echo: ok'])
  })

  test('refuses a line that has no end, and reads no more of it', async () => {
    await using server = await RunningEcho.start(files)
    const { port } = server
    const input = new PassThrough()
    const told = talk({ port, authority, input, limits: { echoAnswerBytesMax: 1024 } })
    input.write(`${'x'.repeat(1023)}\n${'x'.repeat(1025)}`)
    expect(await told).toMatchObject({ refusal: 'message_too_large' })
    expect((await told).lines.slice(2)).toEqual([`Echo: ${'x'.repeat(1023)}`])
    expect(input.destroyed).toBe(true)
  })

  test('stops when nobody reads its output any more', async () => {
    await using server = await RunningEcho.start(files)
    const { port } = server
    const input = new PassThrough()
    const output = new RecordedOutput()
    const told = talk({ port, authority, input, output })
    input.write('one\n')
    await output.printed(/Echo: one\n/)
    output.closed = true
    input.write('two\n')
    expect((await told).refusal).toBeUndefined()
  })
})

/** A server that leaves it to the test what it does. */
async function listen() {
  const server = await TestListener.start(identity)
  open.push(server)
  return { server, port: server.port }
}
