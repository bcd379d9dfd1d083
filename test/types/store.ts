// Compiled by `npm run types`, never run: an operation of the store fixes its input and its output.

import type { Account, Store } from '../../src/store/store.ts'

export async function uses(store: Store): Promise<void> {
  const found: Account | undefined = await store.run('account.find', { key: 'alice' })
  const at: bigint | undefined = found?.createdAt

  // @ts-expect-error Integers of the store are bigint.
  const rounded: number | undefined = found?.createdAt

  // @ts-expect-error Whether an account exists has to be asked.
  const surely: Account = await store.run('account.find', { key: 'alice' })

  // @ts-expect-error There is no such operation.
  await store.run('account.drop', { key: 'alice' })

  // @ts-expect-error The input belongs to the operation.
  await store.run('account.find', { id: 1n })

  await store.run('throttle.clear', { keys: [String([at, rounded, surely])] })
}
