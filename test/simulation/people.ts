// Who is in every world: accounts with devices, contacts, a room and money, in a database that is made once and copied for each.

import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { deviceId, LedgerKey, spkiHash } from '../../src/pki/index.ts'
import { ed25519Spki, rawPublicKey } from '../../src/pki/ed25519.ts'
import { type Limits, resolveLimits } from '../../src/protocol/index.ts'
import type { LedgerSigner } from '../../src/server/money/ledger-signer.ts'
import { type Input, openInProcessStore, type OperationName, type Output, type SynchronousStore } from '../../src/store/index.ts'
import { Chance } from './chance.ts'
import { epochMs } from './machine-clock.ts'
import { scratchFolder } from './sim-store.ts'

/** An account. */
export interface Person {
  readonly name: string
  readonly id: bigint
}

/** A device of an account. */
export interface DeviceOf {
  readonly person: Person
  /** `alice/1`. */
  readonly name: string
  readonly id: string
  readonly x25519: Uint8Array
  readonly ed25519: KeyObject
  /** Where its inbox begins. */
  readonly position: number
}

/** What every world begins with. */
export interface People {
  readonly database: Uint8Array
  readonly persons: readonly Person[]
  readonly devices: readonly DeviceOf[]
  readonly room: number
  readonly serverId: Uint8Array
  readonly ledger: LedgerSigner
}

const names = ['alice', 'bob', 'carol', 'dave', 'erin']
/** Everything but these two have agreed to talk. */
const strangers = ['dave', 'erin']
const fundsMinor = 10_000n
const seed = 0x5ea1

/** No wait of a world needs to be as long as those of the product, and no disk is too small. */
export const simulatedLimits: Limits = resolveLimits({
  ...{ diskBytesFreeMin: 0, clientRequestMsMax: 12_000, clientRetryMsMax: 8_000, clientIdleMsMax: 15_000 },
  ...{ retentionSweepMs: 5_000, checkpointMs: 5_000, checkpointPostingsMax: 10 },
})

let made: People | undefined

/** Always the same, in whichever process. */
export function people(): People {
  return (made ??= makePeople())
}

function makePeople(): People {
  const folder = scratchFolder()
  const chance = new Chance(seed)
  const serverId = chance.fill(new Uint8Array(16))
  const ledger = ledgerOf(privateKey(chance))
  const store = openInProcessStore(folder, simulatedLimits)
  try {
    const settled = settle(store, chance, serverId)
    store.close()
    return { ...settled, serverId, ledger, database: new Uint8Array(readFileSync(join(folder, 'sealwire.db'))) }
  } finally {
    store.close()
    rmSync(folder, { recursive: true })
  }
}

function settle(store: SynchronousStore, chance: Chance, serverId: Uint8Array): Pick<People, 'persons' | 'devices' | 'room'> {
  const at = BigInt(epochMs - 3_600_000)
  const run = <N extends OperationName>(name: N, input: Input<N>): Output<N> => store.run(name, input)
  run('server.id', { fresh: serverId })
  const persons = names.map((name): Person => {
    const { id } = run('account.create', { name, key: name, skeleton: name, passwordHash: undefined, createdAt: at })
    run('ledger.mint', { id: idOf(chance), accountId: id, unit: 'credits', amount: fundsMinor, at })
    return { name, id }
  })
  for (const [index, a] of persons.entries()) {
    for (const b of persons.slice(index + 1)) {
      if (!strangers.includes(a.name) || !strangers.includes(b.name)) run('contact.add', { a: a.id, b: b.id, at })
    }
  }
  const keys = persons.flatMap((person) => [1, 2].map((number) => enrolled(store, chance, person, number, at)))
  const [owner, ...members] = persons as [Person, ...Person[]]
  const traits = { title: 'the room', topic: '', announcement: false, history: 'joined' as const }
  const { conversationId } = run('room.create', { accountId: owner.id, at, id: idOf(chance), ...traits })
  for (const { id: peerId } of members) {
    run('room.invite', { accountId: owner.id, at, conversationId, id: idOf(chance), peerId })
    run('room.join', { accountId: peerId, at, conversationId, id: idOf(chance) })
  }
  const devices = keys.map((device): DeviceOf => {
    const accountId = device.person.id
    const { lastSeq } = run('inbox.read', { accountId, after: 0n, max: 1n, bytesMax: 1n })
    run('inbox.open', { accountId, device: device.id, after: lastSeq, at })
    return { ...device, position: Number(lastSeq) }
  })
  return { persons, devices, room: Number(conversationId) }
}

function enrolled(store: SynchronousStore, chance: Chance, person: Person, number: number, at: bigint): Omit<DeviceOf, 'position'> {
  const ed25519 = privateKey(chance)
  const x25519 = chance.fill(new Uint8Array(32))
  const publicKey = rawPublicKey(ed25519)
  const hash = spkiHash(ed25519Spki(publicKey))
  const id = deviceId(hash)
  const keys = { spkiHash: hash, id, ed25519: publicKey, x25519 }
  const expiresAt = at + BigInt(simulatedLimits.deviceKeyMs)
  store.run('device.enrol', { ...keys, accountId: person.id, label: '', at, expiresAt })
  return { person, name: `${person.name}/${number}`, id, x25519, ed25519 }
}

function ledgerOf(secret: KeyObject): LedgerSigner {
  const key = new LedgerKey(secret)
  return { publicKey: key.publicKey, sign: (payload, purpose) => key.sign(payload, purpose), certificate: () => undefined }
}

/** An Ed25519 key made of the next 32 random bytes. */
function privateKey(chance: Chance): KeyObject {
  const prefix = Buffer.from('302e020100300506032b657004220420', 'hex')
  const key = createPrivateKey({ key: Buffer.concat([prefix, chance.fill(new Uint8Array(32))]), format: 'der', type: 'pkcs8' })
  createPublicKey(key)
  return key
}

function idOf(chance: Chance): Uint8Array {
  return chance.fill(new Uint8Array(16))
}
