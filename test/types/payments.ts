// Compiled by `npm run types`, never run: money is decimal text or whole minor units, and never a number.

import type { Amount, PaymentChange, Sealwire } from '../../src/client/index.ts'

export async function uses({ payments }: Sealwire, change: PaymentChange): Promise<void> {
  const { amount, minor, balanceMinor } = await payments.pay('bob', '12.50', { memo: 'lunch' })
  const sums: readonly [string, bigint, bigint | undefined] = [amount, minor, balanceMinor]
  const same: Amount = minor
  await payments.pay('bob', same)

  // @ts-expect-error No number is an amount.
  await payments.pay('bob', 12.5)

  // @ts-expect-error Nor here.
  await payments.request('bob', 5)

  // @ts-expect-error Nor in a split.
  await payments.split([{ name: 'bob', amount: 1 }])

  // @ts-expect-error What is told is text, or a bigint.
  const wrong: number = (await payments.balance()).minor

  // @ts-expect-error A hold pays no request.
  await payments.hold('bob', '5', { request: '01936b1e-7a7c-7c4e-8a51-0f3c2d1e4b5a' })

  // It is one of both.
  const from: string = change.request === undefined ? change.transfer.id : change.request.from
  void [sums, wrong, from]
}
