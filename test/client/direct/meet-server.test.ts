// Devices that meet through a real server, whatever becomes of it and of them.

import { afterAll, describe, expect, test } from 'bun:test'
import { X509Certificate } from 'node:crypto'
import type { Client } from '../../../src/client/client.ts'
import { Meetings } from '../../../src/client/direct/meetings.ts'
import type { PeerLink } from '../../../src/client/direct/peer-link.ts'
import { systemClock } from '../../../src/domain/index.ts'
import { dialPeer, Flusher, listenPeer } from '../../../src/link/index.ts'
import { deviceKeysPem } from '../../../src/pki/index.ts'
import { resolveLimits } from '../../../src/protocol/index.ts'
import { runCli } from '../../cli/cli-process.ts'
import { keyHash } from '../../support/client-certificates.ts'
import { deviceClient, type EnrolledDevice, enrolDevice, messageId } from '../../support/device-client.ts'
import { wayText } from '../../support/direct-square.ts'
import { someAnswers, someMessage } from '../../support/peer-says.ts'
import { liftedRates, ServerProcess } from '../../support/server-process.ts'

const server = await ServerProcess.start({ registration: 'open', limits: { ...liftedRates, directOffersBurstMax: 1_000 } })
const everybody: Person[] = []
let people = 0
afterAll(async () => {
  await Promise.all(everybody.map((each) => each.close()))
  await server[Symbol.asyncDispose]()
})

const limits = resolveLimits({ directRetryMs: 100, directPingMsMax: 20_000, directRaceMsMax: 20_000, directTokenMsMax: 60_000 })
const context = { limits, flusher: new Flusher(limits, systemClock) }

/** Somebody with a device, and a connection that comes and goes as the test says. */
class Person {
  readonly name: string
  readonly meetings: Meetings
  readonly linked: PeerLink[] = []
  readonly ways: string[] = []
  #device: EnrolledDevice
  #client: Client | undefined

  private constructor(name: string, device: EnrolledDevice) {
    this.name = name
    this.#device = device
    const certificate = { chain: device.certificate, key: deviceKeysPem(device.keys).p256 }
    this.meetings = new Meetings({
      call: (method, params) => this.client.request(method, params),
      identity: () => ({ certificate, spki: keyHash(new X509Certificate(device.certificate)) }),
      authorities: () => [],
      answers: someAnswers,
      clock: systemClock,
      limits,
      fill: (bytes) => crypto.getRandomValues(bytes),
      random: Math.random,
      listen: (options, handlers) => listenPeer(options, handlers, context),
      dial: (options) => dialPeer(options, context),
      linked: (link) => void this.linked.push(link),
      changed: (other, way) => void this.ways.push(`${other} ${wayText(way)}`),
    })
  }

  static async join(name = `person${++people}`, isNew = true): Promise<Person> {
    const person = new Person(name, await enrolDevice(server, name, isNew))
    everybody.push(person)
    await person.connect()
    return person
  }

  get client(): Client {
    if (this.#client === undefined) throw new Error('it is not connected')
    return this.#client
  }

  async connect(): Promise<void> {
    const client = await deviceClient(server, this.#device)
    this.#client = client
    this.meetings.online(this)
    void this.#pump(client)
  }

  /** The connection to the server is lost. */
  disconnect(): void {
    this.client.close()
    this.meetings.offline()
  }

  async close(): Promise<void> {
    await this.meetings.close()
    this.client.close()
  }

  async #pump(client: Client): Promise<void> {
    try {
      for await (const event of client.events()) if (client === this.#client) this.meetings.event(event)
    } catch {
      // The server has ended it.
    }
  }
}

async function contacts(): Promise<readonly [Person, Person]> {
  const [one, other] = await Promise.all([Person.join(), Person.join()])
  await one.client.request('contact.request', { name: other.name, id: messageId() })
  await other.client.request('contact.accept', { name: one.name })
  return [one, other]
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10))
}

async function linked(one: Person, other: Person): Promise<PeerLink> {
  await until(() => one.meetings.links(other.name).length === 1 && other.meetings.links(one.name).length === 1)
  const [link] = one.meetings.links(other.name)
  if (link === undefined) throw new Error('there is no link')
  return link
}

describe('two devices at a real server', () => {
  test('have a link as soon as both wish for one, and talk while the server is away', async () => {
    const [alice, bob] = await contacts()
    alice.meetings.reach(bob.name.toUpperCase())
    bob.meetings.reach(alice.name)
    const link = await linked(alice, bob)
    expect([link.peer.name, alice.ways.at(-1), bob.ways.at(-1)]).toEqual([bob.name, `${bob.name} direct`, `${alice.name} direct`])
    alice.disconnect()
    bob.disconnect()
    expect(await link.request('direct.say', someMessage('without a server'))).toEqual({})
    await Promise.all([alice.connect(), bob.connect()])
    expect([link.open, alice.linked.length, bob.linked.length]).toEqual([true, 1, 1])
  }, 60_000)

  test('have none when they do not talk, when nobody takes offers, and when one blocks the other in the middle', async () => {
    const [alice, stranger] = await Promise.all([Person.join(), Person.join()])
    alice.meetings.reach(stranger.name)
    await until(() => alice.ways.at(-1) === `${stranger.name} not_contact`)
    const [bob, carol] = await contacts()
    await carol.client.request('direct.listen', { on: false })
    bob.meetings.reach(carol.name)
    await until(() => bob.ways.at(-1) === `${carol.name} not_listening`)
    await carol.client.request('direct.listen', { on: true })
    const link = await linked(bob, carol)
    await carol.client.request('directory.block', { name: bob.name })
    await link.closed
    await until(() => bob.ways.at(-1) === `${carol.name} not_contact` && carol.meetings.links(bob.name).length === 0)
    expect([stranger.ways, bob.linked.length, carol.linked.length]).toEqual([[], 1, 1])
  }, 60_000)

  test('have none from the moment on in which one is revoked', async () => {
    const [alice, bob] = await contacts()
    alice.meetings.reach(bob.name)
    const link = await linked(alice, bob)
    expect((await runCli(['cert', 'revoke', link.peer.device, '--data', server.data])).exitCode).toBe(0)
    expect((await link.closed)?.code).toBe('untrusted')
    await until(() => alice.ways.at(-1) === `${bob.name} not_listening`)
  }, 60_000)

  test('have none any more when one was revoked while the other was away', async () => {
    const [alice, bob] = await contacts()
    alice.meetings.reach(bob.name)
    const link = await linked(alice, bob)
    alice.disconnect()
    expect((await runCli(['cert', 'revoke', link.peer.device, '--data', server.data])).exitCode).toBe(0)
    expect([link.open, alice.meetings.wayTo(bob.name).way]).toEqual([true, 'direct'])
    await alice.connect()
    expect((await link.closed)?.code).toBe('untrusted')
  }, 60_000)

  test('and a third: each device of an account has its own link', async () => {
    const [alice, bob] = await contacts()
    const second = await Person.join(bob.name, false)
    for (const each of [bob, second]) each.meetings.reach(alice.name)
    await until(() => alice.meetings.links(bob.name).length === 2 && bob.linked.length > 0 && second.linked.length > 0)
    const way = alice.meetings.wayTo(bob.name)
    expect([way.way, way.way === 'direct' ? way.devices.length : 0, bob.linked.length, second.linked.length]).toEqual(['direct', 2, 1, 1])
  }, 60_000)
})
