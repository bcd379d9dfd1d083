// Bugs of the kind that a careful person writes or leaves in on a bad day, each with the test that catches it. Those of
// delivery, ledger and sessions that the simulation finds are in test/simulation/bugs.ts.

import type { Mutation } from '../faults/mutant.ts'
import type { NamedTest } from './suite-run.ts'

export interface Bug {
  /** What the program does wrong. */
  readonly name: string
  readonly changes: readonly Mutation[]
  /** It passes without the bug, and fails with it. */
  readonly caughtBy: NamedTest
}

export const bugs: readonly Bug[] = [
  {
    name: 'a handshake that takes too long is reported, and its socket stays',
    changes: [{ file: 'link/tls/bun.ts', from: '    const socket = this.#socket ?? this.#plain\n    socket.terminate()\n', to: '' }],
    caughtBy: { file: 'test/link/tls/bun.test.ts', test: 'cuts handshakes that are silent, half done, or dripping, with its own timer' },
  },
  {
    name: 'what waits for a peer that does not read has no bound',
    changes: [
      { file: 'link/output.ts', from: 'if (queued > this.#limits.outputBytesMax) {', to: 'if (queued > Number.MAX_SAFE_INTEGER) {' },
    ],
    caughtBy: { file: 'test/link/output.test.ts', test: 'tells of an overflow at the flush, never inside reserve' },
  },
  {
    name: 'a client whose certificate is asked for gets a ticket, with which it comes back unseen',
    changes: [
      { file: 'link/tls/client-certificate.ts', from: 'return { secureOptions: noTickets, ca:', to: 'return { secureOptions: 0, ca:' },
    ],
    caughtBy: { file: 'test/link/tls/bun.test.ts', test: 'resumes no session where certificates are asked for' },
  },
  {
    name: 'a frame is taken whatever its checksum says',
    changes: [
      {
        file: 'protocol/frame-decoder.ts',
        from: 'if (this.#checksum(bytes, start, end) !== readTrailer(bytes, end)) {',
        to: 'if (readTrailer(bytes, end) < 0) {',
      },
    ],
    caughtBy: { file: 'test/fuzz/fuzz.test.ts', test: 'feeds frames, and finds nothing' },
  },
  {
    name: 'a length is looked at when everything has come',
    changes: [
      {
        file: 'protocol/frame-decoder.ts',
        from: '    if (bodyBytes > this.#bodyBytesMax) {',
        to: '    if (bodyBytes > this.#bodyBytesMax && available >= frameOverheadBytes + bodyBytes) {',
      },
    ],
    caughtBy: { file: 'test/fuzz/fuzz.test.ts', test: 'feeds frames, and finds nothing' },
  },
  {
    name: 'both directions of the sealed channel have one key',
    changes: [
      {
        file: 'channel/symmetric-state.ts',
        from: 'return [new CipherState(first), new CipherState(second)]',
        to: 'return [new CipherState(first), new CipherState(second.fill(0) && first.slice())]',
      },
    ],
    caughtBy: { file: 'test/channel/noise-handshake.test.ts', test: 'of cacophony: every XX, IK and NK of this suite, to the byte' },
  },
  {
    name: 'a record of the sealed channel says itself which number it has',
    changes: [
      { file: 'channel/record-reader.ts', from: '!isInRange || !this.#isNext() ||', to: '!isInRange ||' },
      {
        file: 'channel/cipher-state.ts',
        from: '    const plaintext = open(this.#parameters(associated), sealed)\n    this.#count++\n',
        to: '    const own = associated.length === 16 ? associated.slice(4) : this.nonce\n    const plaintext = open({ ...this.#parameters(associated), nonce: own }, sealed)\n    this.#count++\n',
      },
    ],
    caughtBy: { file: 'test/fuzz/fuzz.test.ts', test: 'feeds channel, and finds nothing' },
  },
  {
    name: 'a commit does not wait for the disk',
    changes: [{ file: 'store/sqlite/database.ts', from: 'pragma synchronous = full;', to: 'pragma synchronous = normal;' }],
    caughtBy: {
      file: 'test/store/sqlite/synchronized.test.ts',
      test: 'has its name on the disk before it answers anything, and what it answers before it does',
    },
  },
  {
    name: 'a power cut can take the name of a file away that was written',
    changes: [
      {
        file: 'pki/durable-file.ts',
        from: 'renameSync(temporary, path)\n    syncFolder(dirname(path))',
        to: 'renameSync(temporary, path)',
      },
    ],
    caughtBy: { file: 'test/pki/durable-file.test.ts', test: 'what is done is on the disk, bytes before names' },
  },
  {
    name: 'anybody can spend what they do not have',
    changes: [{ file: 'store/sqlite/operations/ledger-post.ts', from: 'or :balance >= floor)', to: 'or :balance is not null)' }],
    caughtBy: { file: 'test/faults/full-balance.test.ts', test: 'of 500 spends of all there is exactly one succeeds, 50 times' },
  },
  {
    name: 'the database takes two transfers of one payer and one id',
    changes: [
      { file: 'store/sqlite/transfer-schema.ts', from: '    unique (id, signer_id),\n', to: '' },
      {
        file: 'store/sqlite/transfer-schema.ts',
        from: 'primary key (signer_id, id, place),\n    foreign key (signer_id, id) references transfer_new (signer_id, id)',
        to: 'primary key (signer_id, id, place)',
      },
    ],
    caughtBy: {
      file: 'test/store/sqlite/operations/ledger-damage.test.ts',
      test: 'stands there once: the database takes no second transfer of the same signer under the same id',
    },
  },
  {
    name: 'an amount is read as a number with a point',
    changes: [
      {
        file: 'domain/money.ts',
        from: 'BigInt(whole + places) * 10n ** (decimals - BigInt(places.length))',
        to: 'BigInt(Math.trunc(Number(text) * 10 ** Number(decimals)))',
      },
    ],
    caughtBy: { file: 'test/fuzz/fuzz.test.ts', test: 'feeds payments, and finds nothing' },
  },
  {
    name: 'an order is carried out after its time',
    changes: [{ file: 'store/sqlite/operations/ledger-pay.ts', from: 'if (at >= expiresAt)', to: 'if (at < 0n)' }],
    caughtBy: {
      file: 'test/server/money/payments.test.ts',
      test: 'answers the same a year later and from another device, and takes nothing that has expired',
    },
  },
  {
    name: 'nobody looks at the signature of an order',
    changes: [
      {
        file: 'server/money/signatures.ts',
        from: 'await this.#verify(signed, purpose, this.#keyOf(signed.signer))',
        to: 'this.#keyOf(signed.signer)',
      },
    ],
    caughtBy: { file: 'test/server/money/payments.test.ts', test: 'refuses every changed bit of a signed order' },
  },
  {
    name: 'a receipt does not have to be below the root of its checkpoint',
    changes: [
      {
        file: 'pki/receipt.ts',
        from: 'if (seq < 1n || !verifyInclusion(sha256, { leaf, index: seq - 1n, size: claim.size, path, root: claim.root })) {',
        to: 'if (seq < 1n || leaf.length === 0) {',
      },
    ],
    caughtBy: { file: 'test/pki/receipt.test.ts', test: 'fails for every posting that was moved in the log' },
  },
  {
    name: 'keys of small order are keys',
    changes: [{ file: 'pki/ed25519.ts', from: "  if (smallOrderY.has(y)) throw refused('the Ed25519 key is of small order')\n", to: '' }],
    caughtBy: { file: 'test/server/money/payments.test.ts', test: 'looks at no signature under a key of small order' },
  },
  {
    name: 'a device is known by the name in its certificate',
    changes: [
      {
        file: 'pki/device-certificate.ts',
        from: 'return spkiHash(spkiOf(new X509Certificate(certificate).publicKey))',
        to: 'return spkiHash(Buffer.from(new X509Certificate(certificate).subject))',
      },
    ],
    caughtBy: {
      file: 'test/server/devices/gates.test.ts',
      test: 'is never looked up by a name: who has the same one in a certificate with another key is another device',
    },
  },
  {
    name: 'the proof of a device is good on every connection',
    changes: [{ file: 'pki/login-proof.ts', from: ' && isSame(signed, nonce)', to: ' && signed instanceof Uint8Array' }],
    caughtBy: { file: 'test/pki/login-proof.test.ts', test: 'refuses one of another nonce, always with the same words' },
  },
  {
    name: 'a revoked device still gets in',
    changes: [{ file: 'server/devices.ts', from: "  if (owner.device.revokedAt !== undefined) return 'revoked'\n", to: '' }],
    caughtBy: { file: 'test/server/devices.test.ts', test: 'neither when it was revoked nor when its account is banned' },
  },
  {
    name: 'any number of passwords wait to be hashed',
    changes: [
      {
        file: 'server/accounts/password-hasher.ts',
        from: 'waitingMax: limits.passwordHashQueueMax }',
        to: 'waitingMax: limits.passwordHashQueueMax * 1e9 }',
      },
    ],
    caughtBy: {
      file: 'test/server/accounts/password-hasher.test.ts',
      test: 'lets two compute and as many wait as the limit says, then is busy',
    },
  },
  {
    name: 'who calls can accept the call',
    changes: [
      {
        file: 'server/classic/chats.ts',
        from: "    if (callee.seat.name !== 'called') return false\n    const caller = callee.seat.peer\n",
        to: "    if (callee.seat.name !== 'called' && callee.seat.name !== 'calling') return false\n    const caller = callee.seat.peer\n",
      },
    ],
    caughtBy: { file: 'test/server/classic.test.ts', test: 'starts nothing when the caller acknowledges its own request' },
  },
  {
    name: 'who is blocked sees when the other one comes and types',
    changes: [{ file: 'server/people.ts', from: 'other.id !== me.id && !cutOff(other, me) &&', to: 'other.id !== me.id &&' }],
    caughtBy: {
      file: 'test/server/privacy.test.ts',
      test: 'is silent: every byte that the blocked one gets is as if the other one had gone',
    },
  },
  {
    name: 'a file is whole whatever came',
    changes: [
      {
        file: 'server/files.ts',
        from: 'if (Buffer.compare(await content.finish(), sha256) === 0) return',
        to: 'if ((await content.finish()).length === sha256.length) return',
      },
    ],
    caughtBy: { file: 'test/server/files.test.ts', test: 'of other bytes than were announced begins at 0 again' },
  },
  {
    name: 'a file lands where its sender likes',
    changes: [{ file: 'cli/chat/files.ts', from: "basename(name).replace(/[^\\p{L}\\p{N}._ -]/gu, '_')", to: 'name' }],
    caughtBy: { file: 'test/cli/chat/files.test.ts', test: 'leads nowhere, whatever it is' },
  },
  {
    name: 'what is deleted can still be read in the index of words',
    changes: [{ file: 'store/sqlite/operations/erase.ts', from: '  unindex(database, key)\n', to: '' }],
    caughtBy: {
      file: 'test/store/sqlite/operations/erase.test.ts',
      test: 'by a deletion, an edit, and retention, among many conversations that grow at the same time',
    },
  },
  {
    name: 'a name writes lines into the log',
    changes: [{ file: 'cli/log/format.ts', from: 'plain.test(text) ? text : quote(text)', to: 'plain.test(text) ? text : `"${text}"`' }],
    caughtBy: { file: 'test/cli/log/format.test.ts', test: 'quotes a value that could pass for something else' },
  },
]
