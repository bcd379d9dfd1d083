// What answers at a port, seen without a TLS library: one greeting is sent, and the first thing that comes back is looked at.
// A library says only that it is no TLS as it wants it; the first bytes say what it is instead. The greeting is the
// ClientHello of TLS 1.2 (RFC 5246), whose answer is in the clear, or that of TLS 1.1, or a request of HTTP.

import { randomBytes } from 'node:crypto'
import { connect, isIP } from 'node:net'
import type { Clock } from '../../domain/clock.ts'
import type { Endpoint } from '../options/endpoint.ts'

export type RawGreeting = 'tls-1.2' | 'tls-1.1' | 'http'

export type RawReply =
  | { readonly kind: 'hello'; readonly version: number; readonly asksForCertificate: boolean }
  | { readonly kind: 'alert'; readonly number: number }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'closed' }
  | { readonly kind: 'silent' }

export interface RawOptions {
  readonly timeoutMs: number
  readonly bytesMax: number
  readonly clock: Clock
}

/** Never rejects: who cannot be reached any more counts as `closed`. */
export async function firstReply(server: Endpoint, greeting: RawGreeting, { timeoutMs, bytesMax, clock }: RawOptions): Promise<RawReply> {
  const { promise, resolve } = Promise.withResolvers<RawReply>()
  let read = Buffer.alloc(0)
  const socket = connect({ host: server.host, port: server.port })
  const end = (): void => resolve(read.length === 0 ? { kind: 'closed' } : replyOf(read))
  const deadline = clock.after(timeoutMs, () => resolve(read.length === 0 ? { kind: 'silent' } : replyOf(read)))
  socket.once('connect', () => socket.write(greetingBytes(greeting, server.host)))
  socket.on('data', (bytes: Buffer) => {
    read = Buffer.concat([read, bytes])
    if (isDecided(read) || read.length > bytesMax) resolve(replyOf(read))
  })
  socket.once('end', end).once('close', end).on('error', end)
  try {
    return await promise
  } finally {
    deadline.cancel()
    socket.destroy()
  }
}

/** Text is decided by its first line, TLS by an alert or by the end of the server's first flight. */
function isDecided(read: Buffer): boolean {
  if (read[0] === alertRecord) return read.length >= recordHeaderBytes + 2
  if (read[0] === handshakeRecord) return handshakeTypes(read).includes(helloDone)
  return read.includes('\n')
}

function replyOf(read: Buffer): RawReply {
  if (read[0] === alertRecord && read[1] === 3) return { kind: 'alert', number: read[recordHeaderBytes + 1] ?? 0 }
  if (read[0] === handshakeRecord && read[1] === 3 && read.length > versionAt + 1) {
    return { kind: 'hello', version: read.readUInt16BE(versionAt), asksForCertificate: handshakeTypes(read).includes(certificateRequest) }
  }
  return { kind: 'text', text: read.subarray(0, textBytesMax).toString('latin1').split(/\r?\n/, 1)[0] ?? '' }
}

/** The types of the handshake messages that have arrived whole; an alert behind them ends the flight too. */
function handshakeTypes(read: Buffer): readonly number[] {
  const messages = handshakeBytes(read)
  const types: number[] = []
  for (let at = 0; at + messageHeaderBytes <= messages.length; ) {
    types.push(messages[at] ?? 0)
    at += messageHeaderBytes + messages.readUIntBE(at + 1, 3)
  }
  return types
}

function handshakeBytes(read: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at + recordHeaderBytes <= read.length && read[at] === handshakeRecord; ) {
    const end = at + recordHeaderBytes + read.readUInt16BE(at + 3)
    parts.push(read.subarray(at + recordHeaderBytes, end))
    at = end
  }
  return Buffer.concat(parts)
}

function greetingBytes(greeting: RawGreeting, host: string): Buffer {
  if (greeting === 'http') return Buffer.from('GET / HTTP/1.0\r\n\r\n', 'latin1')
  const version = greeting === 'tls-1.2' ? 0x0303 : 0x0302
  const suites = greeting === 'tls-1.2' ? [...modernSuites, ...oldSuites] : oldSuites
  const body = Buffer.concat([
    u16(version),
    randomBytes(32),
    Buffer.of(0), // No session to go on with.
    counted(...suites.map(u16)),
    Buffer.of(1, 0), // No compression.
    counted(
      ...(isIP(host) === 0 ? [extension(0, counted(Buffer.of(0), counted(Buffer.from(host, 'latin1'))))] : []),
      extension(10, counted(...groups.map(u16))),
      extension(11, Buffer.of(1, 0)),
      extension(13, counted(...signatures.map(u16))),
    ),
  ])
  const message = Buffer.concat([Buffer.of(1, 0), u16(body.length), body])
  return Buffer.concat([Buffer.of(handshakeRecord, 3, 1), u16(message.length), message])
}

function extension(type: number, body: Buffer): Buffer {
  return Buffer.concat([u16(type), u16(body.length), body])
}

/** Behind their length in two bytes. */
function counted(...parts: readonly Buffer[]): Buffer {
  const bytes = Buffer.concat(parts)
  return Buffer.concat([u16(bytes.length), bytes])
}

function u16(value: number): Buffer {
  return Buffer.of(value >> 8, value & 0xff)
}

const handshakeRecord = 22
const alertRecord = 21
const recordHeaderBytes = 5
const messageHeaderBytes = 4
/** Of a ServerHello: behind the headers of its record and of itself. */
const versionAt = recordHeaderBytes + messageHeaderBytes
const certificateRequest = 13
const helloDone = 14
const textBytesMax = 200
/** ECDHE with AES-GCM and ChaCha20, as link/tls/options.ts names them. */
const modernSuites = [0xc02c, 0xc02b, 0xcca9, 0xc030, 0xc02f, 0xcca8]
/** Only to see whether somebody still answers to them: ECDHE, DHE and RSA with AES-CBC and 3DES. */
const oldSuites = [0xc00a, 0xc009, 0xc014, 0xc013, 0x0039, 0x0033, 0x0035, 0x002f, 0x000a]
const groups = [0x001d, 0x0017, 0x0018, 0x0019]
const signatures = [0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0807, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201]
