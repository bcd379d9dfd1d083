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

  // @ts-expect-error An account may have no password.
  const passwordHash: string | undefined = found?.passwordHash.slice(1)

  const account = { name: 'a', key: 'a', skeleton: 'a', passwordHash, createdAt: 1n }
  const hash = new Uint8Array(32)
  await store.run('account.create', { ...account, invitation: { hash, at: 1n }, token: { hash, at: 1n } })

  // @ts-expect-error That an account has no password is said, not forgotten.
  await store.run('account.create', { name: 'a', key: 'a', skeleton: 'a', createdAt: 1n })

  // @ts-expect-error The store is given the hash of a secret, never the secret.
  await store.run('token.use', { hash: 'secret', at: 1n, idleMsMax: 1n })

  // @ts-expect-error There are three kinds of visibility.
  await store.run('account.setVisibility', { id: 1n, visibility: 'friends' })

  // @ts-expect-error The secrets of accounts are not listed.
  const listed = (await store.run('account.list', { after: '', max: 1n }))[0]?.passwordHash

  await store.run('throttle.clear', { keys: [String([at, rounded, surely, listed])] })
}
