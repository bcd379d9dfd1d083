import { describe, expect, test } from 'bun:test'
import { ledgerRoutes } from '../../../src/server/operator/ledger.ts'
import { SealwireError } from '../../../src/protocol/index.ts'
import { Signatures } from '../../../src/server/money/signatures.ts'
import { newId } from '../../support/payer.ts'
import { ServerStage, stageLedger, stageServerId } from '../../support/server-stage.ts'
import { talker } from '../../support/talkers.ts'

function routesOf(stage: ServerStage): ReturnType<typeof ledgerRoutes> {
  const { store, clock, limits, log } = stage.context
  return ledgerRoutes({
    ...{ store, clock, limits, log, serverId: stageServerId, publicKey: stageLedger.publicKey },
    signatures: new Signatures(limits),
  })
}

describe('ledger.limits', () => {
  test('tells the bound that applies to an account: its own, else that of the unit', async () => {
    using stage = new ServerStage()
    talker(stage, 'alice')
    const routes = routesOf(stage)
    await routes['ledger.limits']({ dayMax: '9', deviceDayMax: '8' })
    const own = await routes['ledger.limits']({ name: 'alice', dayMax: '5', credit: '1' })
    expect(own).toEqual({ unit: 'credits', dayMax: '5.00', deviceDayMax: '8.00', credit: '1.00' })
    expect(await routes['ledger.limits']({ name: 'alice', dayMax: 'none' })).toMatchObject({ dayMax: '9.00', deviceDayMax: '8.00' })
  })

  test('grants credit to an account alone', async () => {
    using stage = new ServerStage()
    const granted = routesOf(stage)['ledger.limits']({ credit: '5' })
    expect(SealwireError.from(await granted.catch((reason: unknown) => reason)).code).toBe('usage')
  })
})

describe('ledger.export', () => {
  test.each([
    [1_024, 1],
    [49_152, 20],
  ])('gives as much at once as %i bytes hold, and says when that is not all', async (ledgerExportBytes, least) => {
    using stage = new ServerStage({ ledgerExportBytes })
    const { id: accountId } = talker(stage, 'alice')
    const mint = () => stage.store('ledger.mint', { id: newId(), accountId, unit: 'credits', amount: 1n, at: 1n })
    for (let posting = 1; posting <= 120; posting++) mint()
    const routes = routesOf(stage)
    const pages: number[][] = []
    for (let after = 0, isMore = true; isMore; after = pages.at(-1)?.at(-1) ?? 0) {
      const { postings, more } = await routes['ledger.export']({ after })
      pages.push(postings.map(({ posting }) => posting))
      isMore = more
    }
    expect(pages.flat()).toEqual(Array.from({ length: 120 }, (_, index) => index + 1))
    const [longest] = pages.map(({ length }) => length).toSorted((a, b) => b - a)
    expect(longest).toBeGreaterThanOrEqual(least)
    expect((longest ?? 0) * 512).toBeLessThanOrEqual(ledgerExportBytes)
    expect(await routes['ledger.export']({ after: 120 })).toEqual({ postings: [], more: false })
  })
})
