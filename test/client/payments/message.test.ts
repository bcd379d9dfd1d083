import { describe, expect, test } from 'bun:test'
import { type PaymentSaid, readPayment } from '../../../src/client/payments/message.ts'
import { type CborValue, encodeCbor, paymentType } from '../../../src/protocol/contract/index.ts'

const id = '01936b1e-7a7c-7c4e-8a51-0f3c2d1e4b5a'
const idBytes = Uint8Array.from(Buffer.from(id.replaceAll('-', ''), 'hex'))
const good = ['pay', 'alice', 'bob', 'credits', '5.00', 'lunch', 7, idBytes, 'posted'] as const

function read(fields: CborValue, more: object = {}): PaymentSaid | undefined {
  return readPayment({ kind: 'message', type: paymentType, body: encodeCbor(fields), ...more })
}

function changed(at: number, value: CborValue): CborValue {
  return good.map((field, index) => (index === at ? value : field))
}

describe('readPayment', () => {
  test('reads what the server says of money', () => {
    expect(read(good)).toEqual({
      ...{ kind: 'pay', from: 'alice', to: 'bob', unit: 'credits', amount: '5.00', memo: 'lunch', id, status: 'posted' },
    })
    expect(read(changed(5, ''))).not.toHaveProperty('memo')
    expect(read(changed(0, 'request'))).toMatchObject({ kind: 'request' })
  })

  test('takes nothing else for it', () => {
    for (const more of [{ type: 'text/plain' }, { type: undefined }, { kind: 'edit' }, { deleted: true }, { body: undefined }])
      expect(read(good, more)).toBeUndefined()
    for (const fields of [
      ...[{}, 'pay', good.slice(1), [...good, 1]],
      ...[changed(0, 'steal'), changed(0, 1), changed(1, ''), changed(2, 5), changed(3, null), changed(4, '-5'), changed(4, '1e3')],
      ...[changed(4, ''), changed(5, null), changed(5, 'x'.repeat(2_000)), changed(6, 'seven'), changed(7, 'id')],
      ...[changed(7, idBytes.subarray(1)), changed(8, '')],
    ])
      expect(read(fields)).toBeUndefined()
    for (const body of [new Uint8Array(), Uint8Array.of(0xff), encodeCbor(good).subarray(1)]) expect(read(good, { body })).toBeUndefined()
  })
})
