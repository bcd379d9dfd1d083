import { expect, test } from 'bun:test'
import { Stage } from './stage.ts'

test('everything is shown until an account says otherwise, and what it does not say stays', () => {
  using stage = new Stage(2)
  const all = { presence: true, typing: true, delivered: true, read: true }
  expect(stage.run('privacy.read', { accountId: 1n })).toEqual(all)
  expect(stage.run('privacy.set', { accountId: 1n })).toEqual(all)
  expect(stage.run('privacy.set', { accountId: 1n, typing: false, read: false })).toEqual({ ...all, typing: false, read: false })
  expect(stage.run('privacy.set', { accountId: 1n, read: true })).toEqual({ ...all, typing: false })
  expect(stage.run('people.relations', { accountId: 1n }).privacy).toEqual({ ...all, typing: false })
  expect(stage.run('privacy.read', { accountId: 2n })).toEqual(all)
})
