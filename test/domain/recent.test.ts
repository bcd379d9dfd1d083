import { expect, test } from 'bun:test'
import { Recent } from '../../src/domain/recent.ts'

test('forgets what was added first when there is no room', () => {
  const recent = new Recent<string, number>(2)
  recent.add('a', 1)
  recent.add('b', 2)
  recent.add('a', 3)
  recent.add('c', 4)
  expect([recent.find('a'), recent.find('b'), recent.find('c')]).toEqual([3, undefined, 4])
})
