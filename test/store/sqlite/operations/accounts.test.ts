import { describe, expect, test } from 'bun:test'
import { resolveLimits } from '../../../../src/protocol/index.ts'
import { inMemory, type NewAccount } from '../../../../src/store/index.ts'
import { Engine } from '../../../../src/store/sqlite/engine.ts'

describe('account.create', () => {
  test('takes nothing but what the contract names', () => {
    using engine = new Engine(inMemory, resolveLimits())
    const input = { name: 'a', key: 'a', skeleton: 'a', passwordHash: 'x', createdAt: 1n, role: 'admin', visibility: 'everyone' }
    const [outcome] = engine.execute([{ name: 'account.create', input: input satisfies NewAccount & { role: string } }])
    const account = { id: 1n, name: 'a', key: 'a', passwordHash: 'x', createdAt: 1n, bannedAt: undefined, visibility: 'contacts' }
    expect(outcome).toStrictEqual({ value: account })
  })
})

describe('account.list', () => {
  test('goes on where it ended, in the order of the code points', () => {
    using engine = new Engine(inMemory, resolveLimits())
    const keys = ['a', 'aa', 'b', 'é', '\u{ff5e}', '\u{1f600}']
    for (const key of keys.toReversed()) {
      const input = { name: key, key, skeleton: key, passwordHash: undefined, createdAt: 1n }
      engine.execute([{ name: 'account.create', input }])
    }
    const listed: string[] = []
    for (let after = ''; listed.length < keys.length; after = listed.at(-1) ?? '') {
      const [outcome] = engine.execute([{ name: 'account.list', input: { after, max: 2n } }])
      expect(outcome).toMatchObject({ value: [{ hasPassword: false }, { hasPassword: false }] })
      listed.push(...(outcome as { value: readonly { key: string }[] }).value.map(({ key }) => key))
    }
    expect(listed).toEqual(keys)
  })
})
