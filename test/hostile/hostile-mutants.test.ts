// The hostile peer finds what it is for: servers with something wrong, each in another way. The short form has three of them.

import { describe, expect, test } from 'bun:test'
import { isLong } from '../faults/form.ts'
import { Mutant, type Mutation } from '../faults/mutant.ts'
import { isMissing, pythonWith, startPython } from '../support/python.ts'
import { placesOf, startHostileServers } from './hostile-servers.ts'

interface Seeded {
  readonly what: string
  readonly mutation: Mutation
  /** The rows that are played, and the server that they are for. */
  readonly only: string
  readonly server?: 'web'
  readonly rounds?: number
  /** What the hostile peer says of it. */
  readonly says: RegExp
}

const sessionEnds = 'this.#server.forget(this)'
const short: readonly Seeded[] = [
  {
    what: 'a frame is read whatever its checksum is',
    mutation: {
      file: 'protocol/frame-decoder.ts',
      from: 'if (this.#checksum(bytes, start, end) !== readTrailer(bytes, end)) {',
      to: 'if (this.#checksum(bytes, start, end) === -1) {',
    },
    only: 'crc-swapped',
    says: /^FAILED {2}frames crc-swapped.*[^]*must be 'ended bad_checksum'/m,
  },
  {
    what: 'a NUL in a name ends the process',
    mutation: {
      file: 'domain/name.ts',
      from: `  if (text === '') throw`,
      to: `  if (text.includes('\\0')) process.exit(1)\n  if (text === '') throw`,
    },
    only: 'name-nul',
    says: /^FAILED {2}classic name-nul.*[^]*a server is gone/m,
  },
  {
    what: 'a session that ends leaves a descriptor',
    mutation: {
      file: 'server/session.ts',
      from: sessionEnds,
      to: `process.getBuiltinModule('node:fs').openSync('/dev/null', 'r'); ${sessionEnds}`,
    },
    only: 'frames magic-short,frames magic-http,frames magic-json',
    says: /descriptors are open/,
  },
]
const further: readonly Seeded[] = [
  {
    what: 'who calls can accept the call',
    mutation: {
      file: 'server/classic/chats.ts',
      from: `    if (callee.seat.name !== 'called') return false\n    const caller = callee.seat.peer`,
      to: `    if (callee.seat.name !== 'called' && callee.seat.name !== 'calling') return false\n    const caller = callee.seat.peer`,
    },
    only: 'own-ack',
    says: /^FAILED {2}classic own-ack/m,
  },
  {
    what: 'a browser need not mask',
    mutation: { file: 'link/websocket/frame.ts', from: 'isMasked !== this.#options.masked || ', to: '' },
    only: 'web unmasked',
    server: 'web',
    says: /^FAILED {2}web unmasked/m,
  },
  {
    what: 'a session that ends leaves memory',
    mutation: {
      file: 'server/session.ts',
      from: sessionEnds,
      to: `Object.assign(globalThis, { ['kept' + this.id]: Buffer.alloc(200_000, 1) }); ${sessionEnds}`,
    },
    only: 'endings',
    rounds: 2,
    says: /^FAILED {2}memory of main grows/m,
  },
]

describe.skipIf(isMissing('python3-cryptography', '/proc'))('hostile peers find that', () => {
  for (const { what, mutation, only, server = 'main', rounds = 1, says } of isLong ? [...short, ...further] : short) {
    test(what, async () => {
      using mutant = new Mutant([mutation])
      await using servers = await startHostileServers([server], { program: mutant.program })
      const flags = ['--only', only, '--settle', '1', '--rounds', `${rounds}`]
      await using peer = startPython('../hostile/hostile_peer.py', flags, placesOf(servers), pythonWith('cryptography'))
      const { code, output } = await peer.finished
      expect(output).toMatch(says)
      expect(code).not.toBe(0)
    }, 120_000)
  }
})
