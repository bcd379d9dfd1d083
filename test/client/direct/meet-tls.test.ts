// Devices that meet over TLS on 127.0.0.1, with real certificates, and those who come in their place.

import { describe, expect, test } from 'bun:test'
import { systemClock } from '../../../src/domain/index.ts'
import type { ClientCertificate } from '../../../src/link/index.ts'
import type { EventData } from '../../../src/protocol/contract/index.ts'
import type { Limits } from '../../../src/protocol/index.ts'
import { deviceOf } from '../../support/client-certificates.ts'
import { TlsNetwork } from '../../support/direct-networks.ts'
import { randomOf } from '../../faults/random.ts'
import { type Member, Square } from '../../support/direct-square.ts'
import { Impostor, knock, wrongCertificates } from '../../support/impostors.ts'
import { someMessage } from '../../support/peer-says.ts'
import { openSockets, shownBy, untilSockets } from '../../support/peers.ts'

/** For what takes a few milliseconds, on a machine that has other things to do. */
const patient: Partial<Limits> = {
  directRaceMsMax: 20_000,
  directTokenMsMax: 60_000,
  directAnswerMsMax: 20_000,
  directHelloMsMax: 40_000,
  directPingMsMax: 20_000,
  handshakeMsMax: 25_000,
}

interface Stage extends AsyncDisposable {
  readonly square: Square
  readonly network: TlsNetwork
  readonly alice: Member
  readonly bob: Member
  readonly sockets: number
}

interface StageOptions {
  readonly limits?: Partial<Limits>
  readonly random?: () => number
  readonly linkMs?: number
  readonly host?: string | undefined
}

async function stage({ limits = {}, random = Math.random, linkMs = 0, ...options }: StageOptions = {}): Promise<Stage> {
  const sockets = openSockets()
  const wait = async (): Promise<void> => void (linkMs > 0 && (await new Promise((resolve) => setTimeout(resolve, linkMs * random()))))
  const network = new TlsNetwork(systemClock, { ...patient, ...limits }, wait)
  const square = await Square.open({ clock: systemClock, network, random, limits: { ...patient, ...limits }, delayMsMax: linkMs })
  const [alice, bob] = [await square.member('alice', options), await square.member('bob', options)]
  square.introduce('alice', 'bob')
  await until(() => alice.isListening && bob.isListening)
  const close = async (): Promise<void> => {
    await square[Symbol.asyncDispose]()
    await untilSockets(sockets)
  }
  return { square, network, alice, bob, sockets, [Symbol.asyncDispose]: close }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
}

async function linked({ alice, bob }: Stage): Promise<void> {
  await until(() => alice.open('bob').length === 1 && bob.open('alice').length === 1)
}

/** Bob has no meetings of his own: what he is offered, and whatever he answers. */
async function mute({ bob, alice }: Stage): Promise<EventData<'direct.offered'>> {
  const { promise, resolve } = Promise.withResolvers<EventData<'direct.offered'>>()
  Object.assign(bob.meetings, { event: ({ data }: { data: EventData<'direct.offered'> }) => resolve(data) })
  alice.meetings.reach('bob')
  return promise
}

function answer({ bob }: Stage, { token, device }: EventData<'direct.offered'>, ...ports: readonly number[]): Promise<{ told: number }> {
  return bob.call('direct.offer', { to: 'alice', device, token, candidates: ports.map((port) => ({ host: '127.0.0.1', port })) })
}

describe('two devices', () => {
  test('that look for each other at once have one link, the same at both ends, and no other socket', async () => {
    const random = randomOf(20_261_122)
    const sides = new Set<boolean>()
    for (let round = 0; round < 24; round++) {
      await using each = await stage({ random, linkMs: round % 2 === 0 ? 30 : 4 })
      const { alice, bob, sockets } = each
      alice.meetings.reach('bob')
      if (round % 3 !== 0) bob.meetings.reach('alice')
      await linked(each)
      await untilSocketsWithout(each, sockets + 2)
      const [ofAlice, ofBob] = [alice.open('bob')[0], bob.open('alice')[0]]
      expect([round, alice.linked.length, bob.linked.length, ofAlice?.dialled === ofBob?.dialled]).toEqual([round, 1, 1, false])
      expect(await ofAlice?.request('direct.say', someMessage('hello'))).toEqual({})
      expect(await ofBob?.request('direct.say', someMessage('hello'))).toEqual({})
      sides.add(ofAlice?.dialled === alice.spki < bob.spki)
    }
    expect(sides.has(true)).toBe(true)
  }, 120_000)

  test('find each other at the addresses of the machine', async () => {
    await using each = await stage({ host: undefined })
    each.alice.meetings.reach('bob')
    each.bob.meetings.reach('alice')
    await linked(each)
    expect([each.alice.ways.at(-1), each.bob.ways.at(-1)]).toEqual(['bob direct', 'alice direct'])
  }, 60_000)

  test('go on without the server, and meet again when the link was cut', async () => {
    await using each = await stage({ limits: { directRetryMs: 50 } })
    const { alice, bob } = each
    alice.meetings.reach('bob')
    await linked(each)
    for (const member of [alice, bob]) member.offline()
    const [link] = alice.open('bob')
    expect(await link?.request('direct.say', someMessage('still here'))).toEqual({})
    expect([alice.meetings.wayTo('bob').way, bob.meetings.wayTo('alice').way]).toEqual(['direct', 'direct'])
    for (const member of [alice, bob]) member.online()
    bob.open('alice')[0]?.close()
    await until(() => alice.linked.length === 2 && bob.linked.length === 2)
    await linked(each)
    expect(link?.open).toBe(false)
  }, 60_000)

  test('have none from the moment on in which one is revoked, or blocks the other', async () => {
    for (const end of ['revoked', 'blocked'] as const) {
      await using each = await stage()
      const { alice, bob, square } = each
      alice.meetings.reach('bob')
      await linked(each)
      const links = [...alice.open('bob'), ...bob.open('alice')]
      if (end === 'revoked') square.revoke(bob)
      else square.block('bob', 'alice')
      await Promise.all(links.map(({ closed }) => closed))
      expect([end, alice.open('bob').length, bob.open('alice').length]).toEqual([end, 0, 0])
      await until(() => ['bob not_listening', 'bob not_contact'].includes(alice.ways.at(-1) ?? ''))
    }
  }, 60_000)
})

describe('who dials in the place of a device', () => {
  test('hears nothing, whatever certificate it shows', async () => {
    await using each = await stage()
    const { alice, network, square } = each
    const { candidates, token } = await mute(each)
    const port = candidates[0]?.port ?? 0
    const revoked = await square.member('bob')
    square.revoke(revoked)
    const bob = each.bob.signer
    const wrong = await wrongCertificates({ authority: square.authority, alice: bob, bob: alice.signer })
    const rows: readonly (readonly [string, Partial<ClientCertificate>])[] = [
      ...wrong.map(({ title, shown }) => [title, shown] as const),
      ['of nobody', {}],
      ['of a revoked device', shownBy(revoked.signer)],
      ['of a device of another account', shownBy(await deviceOf(square.authority))],
    ]
    for (const [title, shown] of rows) expect([title, (await knock(port, shown)).received]).toEqual([title, 0])
    expect([alice.linked.length, network.opened.length, network.refused.length]).toEqual([0, 0, rows.length])
    expect(token.length).toBe(16)
  }, 60_000)
})

describe('who stands where a device should be', () => {
  test('hears nothing, and is called untrusted', async () => {
    const template = await stage()
    const wrong = await wrongCertificates({
      authority: template.square.authority,
      alice: template.bob.signer,
      bob: template.alice.signer,
    })
    await template[Symbol.asyncDispose]()
    await using each = await stage({ limits: { directTokenMsMax: 3_000, directRetryMs: 60_000 } })
    const { alice, bob, square } = each
    const second = await square.member('bob')
    square.revoke(second)
    const shown = [...wrong.slice(0, 2).map((row) => row.shown), shownBy(await deviceOf(square.authority)), shownBy(second.signer)]
    const impostors = await Promise.all(shown.map((certificate) => Impostor.ofTls(certificate)))
    try {
      await answer(each, await mute(each), ...impostors.map(({ port }) => port))
      await until(() => alice.meetings.wayTo('bob').way === 'relayed' && alice.ways.at(-1) === 'bob untrusted')
      expect(impostors.map(({ received, shaken }) => [received, shaken])).toEqual(impostors.map(() => [0, 0]))
      expect([alice.linked.length, bob.linked.length]).toEqual([0, 0])
    } finally {
      for (const impostor of impostors) impostor[Symbol.dispose]()
    }
  }, 60_000)

  test('is not dialled any more when the device was revoked between the offer and the dial', async () => {
    await using each = await stage()
    const { alice, bob, square } = each
    using impostor = await Impostor.ofTls(shownBy(bob.signer))
    const offered = await mute(each)
    square.revoke(bob)
    await until(() => !alice.meetings.isListening)
    await answer(each, offered, impostor.port)
    await alice.call('conversation.find', { name: 'bob' })
    expect([impostor.shaken, impostor.raw.length, alice.linked.length]).toEqual([0, 0, 0])
  }, 60_000)

  test('is cut when the device is revoked in the middle of its handshake', async () => {
    await using each = await stage()
    const { alice, square, bob } = each
    // It takes the connection, and says nothing.
    using silent = await Impostor.ofTcp(() => {})
    await answer(each, await mute(each), silent.port)
    await until(() => silent.raw.length > 0)
    square.revoke(bob)
    await until(() => !alice.meetings.isListening)
    await until(() => alice.ways.some((way) => way === 'bob not_listening' || way === 'bob lost'))
    expect(alice.linked.length).toBe(0)
  }, 60_000)
})

describe('close', () => {
  test('leaves no socket, whatever is under way', async () => {
    for (let round = 0; round < 12; round++) {
      const each = await stage({ linkMs: 20, random: randomOf(round) })
      each.alice.meetings.reach('bob')
      each.bob.meetings.reach('alice')
      await new Promise((resolve) => setTimeout(resolve, round * 10))
      await each[Symbol.asyncDispose]()
      // What something before it has left may close meanwhile.
      expect([round, Math.max(0, openSockets() - each.sockets)]).toEqual([round, 0])
    }
  }, 60_000)
})

/** Doors that are open for a while yet are not counted. */
async function untilSocketsWithout({ alice, bob }: Stage, count: number): Promise<void> {
  await until(() => openSockets() <= count + [alice, bob].filter(({ meetings }) => meetings.isListening).length)
}
