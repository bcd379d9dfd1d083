import { expect, test } from 'bun:test'
import { heardEarlier } from '../../../src/client/home/heard-earlier.ts'
import { FileHeard } from '../../../src/client/home/heard-files.ts'
import { systemClock } from '../../../src/domain/clock.ts'
import { resolveLimits } from '../../../src/protocol/index.ts'
import { temporaryHome } from '../../cli/home-support.ts'

test('heardEarlier knows what a program of this home and account was told directly, where one ever was', async () => {
  using stage = temporaryHome()
  const key = '01234567-89ab-7def-8123-456789abcdef'
  expect(heardEarlier(stage.home, 'ann')).toBeUndefined()
  await using files = new FileHeard(stage.home, { name: 'ann', clock: systemClock, limits: resolveLimits() })
  await files.add({ key, conversation: 7, device: 'd1', hash: 'c3'.repeat(32) })
  await using heard = heardEarlier(stage.home, 'Ann')
  expect([heard?.isHanded(key), heardEarlier(stage.home, 'ben')]).toEqual([true, undefined])
})
