import { describe, expect, test } from 'bun:test'
import { type Deed, type Role, mayGiveRole, mayManage, mayPost, mayRemove, mayRetain, type Standing } from '../../src/domain/permissions.ts'

const roles: readonly Role[] = ['owner', 'moderator', 'member']
const deeds: readonly Deed[] = ['message', 'edit', 'delete', 'reaction', 'pin']

describe('mayPost', () => {
  test('in a direct conversation both may everything but change what is not theirs', () => {
    const standing: Standing = { kind: 'direct', announcement: false, role: 'member' }
    expect(deeds.filter((deed) => mayPost(standing, deed, true))).toEqual([...deeds])
    expect(deeds.filter((deed) => mayPost(standing, deed, false))).toEqual(['message', 'reaction', 'pin'])
    // Not even as an owner: there is no order to be kept between two.
    expect(mayPost({ ...standing, role: 'owner' }, 'delete', false)).toBe(false)
  })

  test('in a room owner and moderators delete what others said, and pin; nobody edits it', () => {
    const allowed = (role: Role, isOwn: boolean) =>
      deeds.filter((deed) => mayPost({ kind: 'room', announcement: false, role }, deed, isOwn))
    expect(roles.map((role) => allowed(role, false))).toEqual([
      ['message', 'delete', 'reaction', 'pin'],
      ['message', 'delete', 'reaction', 'pin'],
      ['message', 'reaction'],
    ])
    expect(allowed('member', true)).toEqual(['message', 'edit', 'delete', 'reaction'])
  })

  test('in an announcement room members say nothing, but take back what they said, and react', () => {
    const allowed = (role: Role) => deeds.filter((deed) => mayPost({ kind: 'room', announcement: true, role }, deed, true))
    expect(roles.map(allowed)).toEqual([[...deeds], [...deeds], ['delete', 'reaction']])
  })
})

describe('what else may be done', () => {
  test('retention is for both in a direct conversation, and for the owner of a room', () => {
    expect(mayRetain({ kind: 'direct', role: 'member' })).toBe(true)
    expect(roles.filter((role) => mayRetain({ kind: 'room', role }))).toEqual(['owner'])
  })

  test('owner and moderators manage, and remove those who are less', () => {
    expect(roles.filter(mayManage)).toEqual(['owner', 'moderator'])
    expect(roles.map((role) => roles.filter((other) => mayRemove(role, other)))).toEqual([['moderator', 'member'], ['member'], []])
    expect(roles.filter(mayGiveRole)).toEqual(['owner'])
  })
})
