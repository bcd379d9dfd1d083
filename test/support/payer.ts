// Somebody with money on a stage: an account with a device whose keys sign orders.

import { createHash, randomBytes } from 'node:crypto'
import { type DeviceKeys, makeKeyStatement, newDeviceKeys } from '../../src/pki/index.ts'
import { signCose } from '../../src/pki/cose-sign1.ts'
import { encodeOrder, type Order, orderPurposes, type Params, type PayOrder, type Result } from '../../src/protocol/contract/index.ts'
import type { ContractPeer } from './contract-peer.ts'
import { type ServerStage, stageServerId } from './server-stage.ts'

export const noMemo: Uint8Array = memoHashOf('')

export function memoHashOf(memo: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(memo).digest())
}

/** 16 bytes that nobody had before: a UUID of version 7, but for the time in it. */
export function newId(): Uint8Array {
  const id = new Uint8Array(randomBytes(16))
  id[6] = ((id[6] ?? 0) & 0x0f) | 0x70
  id[8] = ((id[8] ?? 0) & 0x3f) | 0x80
  return id
}

/** What a device signs; `purpose` where it is another than that of the kind. */
export function signedOrder(order: Order, { ed25519 }: Pick<DeviceKeys, 'ed25519'>, purpose = orderPurposes[order.kind]): Uint8Array {
  return signCose(encodeOrder(order), purpose, ed25519)
}

export class Payer {
  readonly name: string
  readonly id: bigint
  readonly peer: ContractPeer
  readonly keys: DeviceKeys
  readonly #stage: ServerStage

  private constructor(name: string, id: bigint, peer: ContractPeer, keys: DeviceKeys, stage: ServerStage) {
    this.name = name
    this.id = id
    this.peer = peer
    this.keys = keys
    this.#stage = stage
  }

  /** An account with a device and some of the standard unit, in minor units. */
  static async on(stage: ServerStage, name: string, minor = 0n): Promise<Payer> {
    const keys = newDeviceKeys()
    const peer = await stage.member(name)
    await peer.ask('device.enrolKey', { statement: makeKeyStatement(keys, stageServerId) })
    const { account } = await peer.ask('payment.units', {})
    const id = BigInt(account)
    if (minor > 0n)
      stage.store('ledger.mint', { id: newId(), accountId: id, unit: 'credits', amount: minor, at: BigInt(stage.clock.now()) })
    return new Payer(name, id, peer, keys, stage)
  }

  /** What pays somebody. */
  pay(payee: Pick<Payer, 'id'>, amount: bigint, more: Partial<PayOrder> = {}): PayOrder {
    const expiresAt = BigInt(this.#stage.clock.now() + 60_000)
    const common = { server: stageServerId, payer: this.id, payee: payee.id, unit: 'credits', id: newId(), memoHash: noMemo }
    return { kind: 'pay', ...common, amount, expiresAt, ...more }
  }

  /** Orders it. */
  order(order: Order, more: Partial<Params<'payment.order'>> = {}): Promise<Result<'payment.order'>> {
    return this.peer.ask('payment.order', { kind: order.kind, order: signedOrder(order, this.keys), ...more })
  }

  /** The code with which it is refused. */
  refusal(order: Order, more: Partial<Params<'payment.order'>> = {}): Promise<string | undefined> {
    return this.peer.refusal('payment.order', { kind: order.kind, order: signedOrder(order, this.keys), ...more })
  }

  /** What it has, in the standard unit. */
  async balance(): Promise<string | undefined> {
    const { balances } = await this.peer.ask('payment.balance', {})
    return balances[0]?.balance
  }
}
