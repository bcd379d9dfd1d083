import { expect, test } from 'bun:test'
import { generateKeyPairSync } from 'node:crypto'
import { handedEarlier } from '../../../src/client/home/handed-earlier.ts'
import { OrderFiles } from '../../../src/client/home/held-order-files.ts'
import { signCose } from '../../../src/pki/cose-sign1.ts'
import { encodeOrder, orderPurposes } from '../../../src/protocol/contract/index.ts'
import { resolveLimits, SealwireError } from '../../../src/protocol/index.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { temporaryHome } from '../../cli/home-support.ts'

test('handedEarlier brings what another program of this home and account was handed, and says what became of it', async () => {
  using stage = temporaryHome()
  const clock = new ManualClock()
  for (const [name, byte] of [
    ['ann', 1],
    ['ben', 2],
  ] as const)
    await new OrderFiles(stage.home, { name, limits: resolveLimits(), clock }).add(`7-${hex(byte)}`, { from: 'carol', signed: order(byte) })
  const brought: unknown[] = []
  const again = async (method: string, params: object): Promise<never> => {
    brought.push([method, 'payer' in params && params.payer])
    throw new SealwireError('expired', 'too late')
  }
  let isOnline = false
  const handed = handedEarlier(stage.home, 'Ann')({ calls: { again }, clock, session: () => (isOnline ? {} : undefined) })
  handed.online()
  const told = handed.held()
  expect((await told.next()).value).toMatchObject({ from: 'carol', minor: 5n, state: 'unsettled' })
  expect(brought).toEqual([])
  isOnline = true
  handed.online()
  expect((await told.next()).value).toMatchObject({ state: 'refused', reason: 'too late' })
  handed.close(undefined)
  expect([brought, (await told.next()).done]).toEqual([[['payment.bring', 'carol']], true])
})

const { privateKey } = generateKeyPairSync('ed25519')

function order(byte: number): Uint8Array {
  const ends = { expiresAt: 1n, memoHash: new Uint8Array(32) }
  const payment = { payer: 7n, payee: 8n, id: Buffer.from(hex(byte), 'hex'), amount: 5n, unit: 'credits', server: new Uint8Array(16) }
  return signCose(encodeOrder({ kind: 'pay', ...payment, ...ends }), orderPurposes.pay, privateKey)
}

function hex(byte: number): string {
  return `00000000000070008000${byte.toString(16).padStart(12, '0')}`
}
