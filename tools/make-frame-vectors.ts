// Makes vectors/frames/{good,bad}.json from fixed inputs. Run once, reviewed, then frozen: a change of these files is a
// change of the wire. The independent check is test/vectors/check_frames.py.

import { mkdirSync, writeFileSync } from 'node:fs'
import { classicCommands, encodeFrame } from '../src/protocol/index.ts'

const folder = new URL('../vectors/frames/', import.meta.url)
const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const filled = (count: number): Uint8Array => Uint8Array.from({ length: count }, (_, at) => (at * 31 + 7) & 0xff)

const bodies: readonly [string, number, Uint8Array][] = [
  ['message hello', classicCommands.message, text('hello')],
  ['register', classicCommands.register, text('alice:correct-horse-battery')],
  ['login with colons in the password', classicCommands.login, text('alice:a:b:c:correct-horse')],
  ['ack without a body', classicCommands.ack, text('')],
  ['error USER!', classicCommands.error, text('USER!')],
  ['find peer, name in Cyrillic', classicCommands.findPeer, text('Алиса')],
  ['message with NUL and line breaks', classicCommands.message, text('a\0b\r\nc')],
  ['message of emoji', classicCommands.message, text('👋🏽')],
  ['message of bytes that are no text', classicCommands.message, Uint8Array.of(0xff, 0xfe, 0x80, 0x00)],
  ['message that holds a whole frame', classicCommands.message, encodeFrame(classicCommands.message, text('hello'))],
  ['command 00', 0x00, text('x')],
  ['command ff', 0xff, text('x')],
  ['body of 1 byte', classicCommands.message, filled(1)],
  ['body of 255 bytes', classicCommands.message, filled(255)],
  ['body of 256 bytes', classicCommands.message, filled(256)],
  ['body of 65535 bytes', classicCommands.message, filled(65_535)],
]

const good = bodies.map(([name, command, body]) => ({ name, command, body: hex(body), frame: hex(encodeFrame(command, body)) }))

const hello = encodeFrame(classicCommands.message, text('hello'))
const changed = (at: number, value: number): string => hex(hello.map((byte, index) => (index === at ? value : byte)))
const last = hello.length - 1
const reversedChecksum = hex(hello.slice(0, -4)) + hex(hello.slice(-4).reverse())

const bad = [
  { name: 'first byte wrong', stream: changed(0, 0x6d), error: 'bad_magic' },
  { name: 'second byte wrong', stream: changed(1, 0x00), error: 'bad_magic' },
  { name: 'third byte wrong', stream: changed(2, 0x67), error: 'bad_magic' },
  { name: 'fourth byte wrong', stream: changed(3, 0x44), error: 'bad_magic' },
  { name: 'first byte wrong and nothing more', stream: '00', error: 'bad_magic' },
  { name: 'an HTTP request', stream: hex(text('GET / HTTP/1.1\r\n\r\n')), error: 'bad_magic' },
  { name: 'another command under the same checksum', stream: changed(4, 0x04), error: 'bad_checksum' },
  { name: 'one bit of the body flipped', stream: changed(7, 0x69), error: 'bad_checksum' },
  { name: 'checksum wrong in its last byte', stream: changed(last, 0x8f), error: 'bad_checksum' },
  { name: 'checksum wrong in its first byte', stream: changed(last - 3, 0x76), error: 'bad_checksum' },
  { name: 'checksum in the other byte order', stream: reversedChecksum, error: 'bad_checksum' },
  { name: 'length one too short', stream: changed(6, 4), error: 'bad_checksum' },
  { name: 'length one too long, another frame behind', stream: changed(6, 6) + hex(hello), error: 'bad_checksum' },
  { name: 'a good frame, then a wrong one', stream: hex(hello) + changed(0, 0), error: 'bad_magic', framesBefore: 1 },
  { name: 'a good frame, then rubbish', stream: hex(hello) + '00'.repeat(16), error: 'bad_magic', framesBefore: 1 },
  { name: 'body over a limit of 4 bytes', stream: hex(hello), bodyBytesMax: 4, error: 'frame_too_large' },
  { name: 'only the header of a body over the limit', stream: '4d41474303ffff', bodyBytesMax: 65_534, error: 'frame_too_large' },
]

mkdirSync(folder, { recursive: true })
writeFileSync(new URL('good.json', folder), `${JSON.stringify(good, undefined, 2)}\n`)
writeFileSync(new URL('bad.json', folder), `${JSON.stringify(bad, undefined, 2)}\n`)
