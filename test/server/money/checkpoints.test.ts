import { expect, test } from 'bun:test'
import { Payer } from '../../support/payer.ts'
import { ServerStage } from '../../support/server-stage.ts'

test('a checkpoint is made when it is due, also where the clock goes back by less than the age of a posting', async () => {
  using stage = new ServerStage({ checkpointMs: 60_000 })
  const [alice, bob] = [await Payer.on(stage, 'alice', 100n), await Payer.on(stage, 'bob')]
  await alice.order(alice.pay(bob, 1n))
  await stage.clock.move(40_000)
  stage.clock.now = () => stage.clock.monotonic() - 30_000
  await stage.clock.move(30_000)
  expect(stage.store('ledger.checkpointFind', {})?.size).toBe(2n)
})

test('a checkpoint of more postings is never earlier than the one before, however far the clock goes back', async () => {
  using stage = new ServerStage({ checkpointMs: 60_000 })
  stage.clock.now = () => stage.clock.monotonic() + 3_600_000
  const [alice, bob] = [await Payer.on(stage, 'alice', 100n), await Payer.on(stage, 'bob')]
  await alice.order(alice.pay(bob, 1n))
  await stage.clock.move(130_000)
  const first = stage.store('ledger.checkpointFind', {})
  stage.clock.now = () => stage.clock.monotonic()
  await alice.order(alice.pay(bob, 1n))
  await stage.clock.move(130_000)
  expect(stage.store('ledger.checkpointFind', {})).toMatchObject({ size: 3n, at: first?.at })
})
