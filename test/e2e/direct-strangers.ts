// Those who should not have a direct link, or learn where somebody is.

import { randomBytes } from 'node:crypto'
import { isIPv4 } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import type { Attempt } from '../support/direct-attempt.ts'
import type { PeerProcess } from '../support/direct-peer-process.ts'
import type { AttemptDeed } from '../support/direct-stranger.ts'
import { StrangerProcess } from '../support/direct-stranger-process.ts'
import type { DirectWorld } from './direct-world.ts'

/** An attempt, by an account with its name that is a contact and has offered a link as a device of its own. */
export interface Tried extends Attempt {
  readonly title: string
}

interface Row extends Pick<AttemptDeed, 'shows' | 'revokedBy' | 'only'> {
  readonly title: string
}

/** What each shows; `TITLE again` is another device of the same account. */
const rows: readonly Row[] = [
  { title: 'foreign', shows: 'foreign' },
  { title: 'nobody', shows: 'none' },
  { title: 'stranger', shows: 'no contact' },
  { title: 'other', shows: 'contact' },
  { title: 'revoked', shows: 'revoked again' },
  { title: 'late', shows: 'late', revokedBy: 'late again' },
]
/** What each of them would get with its own. */
const right: readonly Row[] = [
  { title: 'dials', shows: 'dials', only: 'dials' },
  { title: 'accepts', shows: 'accepts', only: 'accepts' },
]

/** The first two show what they should. Each tries it, half of them with Alice and the others with Bob: an account answers a few offers a minute. */
export async function attempts(world: DirectWorld, ...victims: readonly PeerProcess[]): Promise<readonly Tried[]> {
  const mallory = StrangerProcess.start(world.network, 'mallory')
  await mallory.ask({ do: 'enrol', as: 'no contact', name: 'unknown' })
  await mallory.ask({ do: 'enrol', as: 'contact', name: 'contact' })
  for (const victim of victims) await befriend(mallory, 'contact', victim)
  return Promise.all([...right, ...rows].map((row, index) => tried(world, mallory, row, victims[index % victims.length] as PeerProcess)))
}

async function tried(world: DirectWorld, mallory: StrangerProcess, { title, ...row }: Row, victim: PeerProcess): Promise<Tried> {
  await mallory.ask({ do: 'enrol', as: title, name: title })
  const again = await mallory.ask<string>({ do: 'enrol', as: `${title} again`, name: title, known: true })
  await befriend(mallory, title, victim)
  await mallory.ask({ do: 'call', as: title, method: 'direct.listen', params: { on: true } })
  if (row.shows === `${title} again`) {
    await mallory.ask({ do: 'call', as: title, method: 'device.revoke', params: { device: again } })
    await wait(agoMs)
  }
  const { direct, addresses } = world.network.host('mallory')
  const host = (direct === true ? addresses[0] : direct.host) ?? ''
  return { title, ...(await mallory.ask<Attempt>({ do: 'attempt', as: title, to: victim.name, host, ...row })) }
}

/** An account of a stranger, whose first device has its name, becomes a contact of somebody. */
export async function befriend(stranger: StrangerProcess, name: string, other: PeerProcess): Promise<void> {
  const params = { name: other.name, id: await freshId(other) }
  await stranger.ask({ do: 'call', as: name, method: 'contact.request', params })
  await other.ask({ do: 'accept', name })
}

/** An id that nothing else has, as parameters have it. */
export async function freshId(peer: PeerProcess): Promise<{ readonly hex: string }> {
  return { hex: (await peer.ask<string>({ do: 'newId' })).replaceAll('-', '') }
}

/** An account of a stranger that takes offers, and keeps all that the server sends to it. */
export class Listener {
  readonly name: string
  /** Its own, as the server sees it. */
  readonly address: string
  readonly #stranger: StrangerProcess

  private constructor(stranger: StrangerProcess, name: string, address: string) {
    this.#stranger = stranger
    this.name = name
    this.address = address
  }

  static async enter(stranger: StrangerProcess, name: string): Promise<Listener> {
    await stranger.ask({ do: 'enrol', as: name, name })
    const { address } = await stranger.ask<{ address: string }>({ do: 'call', as: name, method: 'direct.listen', params: { on: true } })
    return new Listener(stranger, name, address)
  }

  /** How many sessions of somebody are told of an offer of its own. */
  async offer(to: string): Promise<number> {
    const token = { hex: randomBytes(16).toString('hex') }
    const params = { to, token, candidates: [{ host: '192.0.2.1', port: 9 }] }
    return (await this.#stranger.ask<{ told: number }>({ do: 'call', as: this.name, method: 'direct.offer', params })).told
  }

  /** All that the server has sent to it, in hexadecimal digits. */
  carried(): Promise<string> {
    return this.#stranger.ask<string>({ do: 'carried', as: this.name })
  }

  /** Waits for something among it. */
  async until(condition: (carried: string) => boolean): Promise<void> {
    for (let waited = 0; waited < patienceMs; waited += pollMs) {
      if (condition(await this.carried())) return
      await wait(pollMs)
    }
    throw new Error(`${this.name} was not sent what it should have been`)
  }
}

/** All forms in which an address could be in a frame, in hexadecimal digits. */
export function addressForms(address: string): readonly string[] {
  const text = (form: string): string => Buffer.from(form).toString('hex')
  if (isIPv4(address)) return [text(address), Buffer.from(address.split('.').map(Number)).toString('hex')]
  const [front = '', back = ''] = address.split('::').map((part) =>
    part
      .split(':')
      .map((group) => group.padStart(4, '0'))
      .join(''),
  )
  const binary = `${front}${back.padStart(32 - front.length, '0')}`
  return [text(address), text(binary.replace(/(....)(?!$)/g, '$1:')), binary]
}

/** Revoked "a second ago" is a row of the matrix. */
const agoMs = 1_000
/** For what takes a moment, on a machine that has other things to do. */
const patienceMs = 60_000
const pollMs = 100
