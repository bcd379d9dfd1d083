// Bugs that somebody could make, each of which the simulation finds. What stands in a file of src takes the place of something else.

import type { Mutation } from '../faults/mutant.ts'

export interface Bug {
  readonly name: string
  /** The first seed whose world shows it; those before it were tried. */
  readonly seed: number
  /** What breaks: the word with which the failure begins most of the time (docs/simulation.md). */
  readonly breaks: string
  readonly mutations: readonly Mutation[]
}

function bug(name: string, seed: number, breaks: string, file: string, from: string, to: string): Bug {
  return { name, seed, breaks, mutations: [{ file, from, to }] }
}

export const bugs: readonly Bug[] = [
  {
    name: 'an answer before the commit',
    seed: 1,
    breaks: 'lost',
    mutations: [
      {
        file: 'store/sqlite/engine.ts',
        from: "      database.control('commit')\n",
        to: "      if (kind === 'read') database.control('commit')\n",
      },
      {
        file: 'store/sqlite/engine.ts',
        from: '    const outcomes = this.#uncommitted(',
        to: "    if (database.inTransaction) database.control('commit')\n    const outcomes = this.#uncommitted(",
      },
    ],
  },
  {
    name: 'a repetition that is taken for something new',
    seed: 3,
    breaks: 'lost',
    mutations: [
      { file: 'store/sqlite/delivery-schema.ts', from: 'create unique index entry_id', to: 'create index entry_id' },
      { file: 'store/sqlite/migrations.ts', from: 'create unique index entry_by_id', to: 'create index entry_by_id' },
      { file: 'store/sqlite/entry-order-schema.ts', from: 'create unique index entry_by_id', to: 'create index entry_by_id' },
      { file: 'store/sqlite/operations/post.ts', from: 'on conflict (id, author_id) do nothing', to: '' },
      { file: 'store/sqlite/operations/post.ts', from: 'return row && repetitionOf(row)', to: 'return row && undefined' },
    ],
  },
  {
    name: 'a push that does not look whether it is next',
    seed: 2,
    breaks: 'lost',
    mutations: [
      {
        file: 'server/messages/inbox-session.ts',
        from: "if (this.#state !== 'live' || seq <= this.#pushedSeq) return false",
        to: "if (this.#state === 'closed') return false\n    if (this.#state !== 'opening') return true",
      },
      // A client that asks for what is missing gets it.
      { file: 'client/inbox.ts', from: '    if (seq > this.received + 1 && seq !== this.#gap) return this.#askBefore(seq)\n', to: '' },
    ],
  },
  bug(
    'an outbox that forgets a message when it is sent',
    1,
    'lost',
    'client/outbox.ts',
    'waiting.isUnderWay = true',
    'waiting.isUnderWay = true\n        this.#remove(waiting.id)',
  ),
  bug(
    'a message that a lost connection refuses',
    1,
    'lost',
    'client/outbox.ts',
    'if (!isPassing(error) || (',
    "if (!isPassing(error) || error.code === 'connection_lost' || (",
  ),
  bug(
    'an outbox that sends the next message before this one is stored',
    9,
    'order',
    'client/outbox.ts',
    'await this.#deliver(first)\n      // It stays where it is when everything ends.\n      if (lane.first === first) return',
    'void this.#deliver(first)\n      lane.remove(first)',
  ),
  bug(
    'an outbox in which comes first what is kept first',
    1,
    'order',
    'client/outbox/lane.ts',
    'const next = this.#messages[this.#begun]',
    'const next = this.#messages.slice(this.#begun).find(({ isKept }) => isKept)\n    if (next) this.#messages.splice(this.#begun, 0, ...this.#messages.splice(this.#messages.indexOf(next), 1))',
  ),
  bug(
    'an outbox in which still waits what was refused',
    3,
    'end',
    'client/outbox.ts',
    'this.#done(waiting)\n      for (const sender of waiting.senders) sender.reject(reason)\n      return',
    'this.#remove(waiting.id)\n      for (const sender of waiting.senders) sender.reject(reason)\n      return',
  ),
  bug(
    'an item that is acknowledged before the program has it',
    6,
    'lost',
    'client/inbox.ts',
    'const current = { position, said:',
    'if (position !== undefined) this.#acknowledge(position)\n    const current = { position, said:',
  ),
  bug(
    'an inbox that lets go of what one of the devices has',
    1,
    'lost',
    'store/sqlite/operations/inboxes.ts',
    'select min(acked_seq) as seq from inbox_device',
    'select max(acked_seq) as seq from inbox_device',
  ),
  bug(
    'an inbox that begins one too late after a reconnection',
    1,
    'lost',
    'server/contract/inbox-methods.ts',
    'inbox.begin(ackedSeq, lastSeq)',
    'inbox.begin(ackedSeq + 1n, lastSeq)',
  ),
  bug(
    'a page of the inbox in the order of conversations',
    1,
    'lost',
    'store/sqlite/operations/inboxes.ts',
    'entry.key = inbox_entry.key order by inbox_entry.seq',
    'entry.key = inbox_entry.key order by inbox_entry.key',
  ),
  bug('nobody looks for what a failed commit may have stored', 34, 'end', 'server/services.ts', '    inboxes.doubt()\n', ''),
  bug(
    'a commit of which nothing is known answered as done',
    1,
    'server',
    'store/sqlite/sqlite-store.ts',
    "if ('error' in outcome) reject(outcome.error)",
    "if ('error' in outcome && outcome.error.code !== 'unknown_outcome') reject(outcome.error)\n        else if ('error' in outcome) resolve(undefined as Output<N>)",
  ),
  bug(
    'an order without an answer told as refused',
    3,
    'refused',
    'client/payments/outcome.ts',
    'const error = SealwireError.from(reason)',
    "const error = isSent && leavesDoubt(SealwireError.from(reason)) ? new SealwireError('expired', 'no answer came') : SealwireError.from(reason)",
  ),
  bug(
    'an order that comes again and is refused',
    1,
    'refused',
    'store/sqlite/operations/ledger-transfer.ts',
    "if (Buffer.compare(blob(row, 'digest'), digest) !== 0) {",
    "if (Buffer.compare(blob(row, 'digest'), digest) === 0) {",
  ),
  bug(
    'a payment that takes from one and gives nobody',
    1,
    'balances',
    'store/sqlite/operations/ledger-post.ts',
    'posting.legs.map((leg) => move(database, memo, leg, seq))',
    "(posting.kind === 'pay' ? posting.legs.slice(0, 1) : posting.legs).map((leg) => move(database, memo, leg, seq))",
  ),
  bug('a balance under its floor', 2, 'server', 'store/sqlite/operations/ledger-post.ts', ':balance >= floor)', ':before >= floor)'),
  bug(
    'an expired hold that goes to the payee',
    3,
    'balances',
    'store/sqlite/operations/ledger-holds.ts',
    'legOn(openBook(database, signerId, unit), amount)]',
    'legOn(openBook(database, hold.payee?.id ?? signerId, unit), amount)]',
  ),
  bug(
    'more paid back than was paid',
    17,
    'server',
    'store/sqlite/operations/ledger-refund.ts',
    "and refunded + :amount <= iif(kind = 'hold', captured, amount)",
    '',
  ),
  bug(
    'a session that is not forgotten',
    1,
    'leak',
    'server/server.ts',
    'forget: (session) => this.#sessions.delete(session)',
    'forget: () => {}',
  ),
  bug(
    'somebody who has left and is still present',
    1,
    'leak',
    'server/contract/participant.ts',
    '    this.#server.presence.leave(this)\n',
    '',
  ),
  bug('an inbox that stays open', 1, 'leak', 'server/contract/participant.ts', '    this.#server.inboxes.leave(this.#inbox)\n', ''),
  bug('a place that is not given back', 1, 'leak', 'server/admission.ts', 'authenticated()\n      this.#connections--', 'authenticated()'),
  bug('a gate that is not forgotten', 1, 'leak', 'server/devices/gates.ts', '    this.#passed()\n', ''),
  bug(
    'a revoked device whose sessions live on',
    5,
    'revoked',
    'server/server.ts',
    'if (isIts && session !== except?.speaker) session.fail(error)',
    '',
  ),
  bug('a block that holds nothing back', 2, 'blocked', 'store/sqlite/operations/stretch.ts', 'peerId === blockerId ? []', 'false ? []'),
  bug(
    'a deletion that leaves the words',
    1,
    'deleted',
    'store/sqlite/operations/erase.ts',
    'set type = null, body = null, data',
    'set type = null, data',
  ),
  bug('a session that reads no more after it has waited', 1, 'end', 'server/session.ts', 'if (!this.#waiting) this.link.resume()', ''),
]
