import { describe, expect, test } from 'bun:test'
import { type Limits, resolveLimits } from '../../src/protocol/index.ts'
import { Admission, type ConnectionTicket, type Machine } from '../../src/server/admission.ts'
import { ManualClock } from '../support/manual-clock.ts'

describe('Admission', () => {
  test('admits until an address has its share of connections without a login', () => {
    const { admission, refusals } = make({ connectionsUnauthenticatedPerAddressMax: 2, connectionsBurstPerAddressMax: 100 })
    const [first, second] = [enter(admission, '192.0.2.1'), enter(admission, '192.0.2.1')]
    expect([first, second, enter(admission, '192.0.2.1')]).toEqual([expect.anything(), expect.anything(), undefined])
    expect(enter(admission, '192.0.2.2')).toBeDefined()
    first?.authenticated()
    expect(enter(admission, '192.0.2.1')).toBeDefined()
    expect(refusals).toEqual(['address'])
    second?.release()
    expect([admission.connections, admission.unauthenticated]).toEqual([3, 2])
  })

  test('takes an IPv6 /64 for one address', () => {
    const { admission } = make({ connectionsUnauthenticatedPerAddressMax: 1 })
    expect(enter(admission, '2001:db8:0:1::1')).toBeDefined()
    expect(enter(admission, '2001:db8:0:1:ffff::2')).toBeUndefined()
    expect(enter(admission, '2001:db8:0:2::1')).toBeDefined()
  })

  test('bounds the rate of an address, with a burst, and lets it recover', async () => {
    const { admission, clock, refusals } = make({ connectionsPerSecondPerAddressMax: 10, connectionsBurstPerAddressMax: 3 })
    expect(admitMany(admission, '192.0.2.1', 5)).toBe(3)
    await clock.move(100)
    expect(admitMany(admission, '192.0.2.1', 5)).toBe(1)
    expect(new Set(refusals)).toEqual(new Set(['address_rate']))
  })

  test('bounds the handshakes of the whole process', async () => {
    const { admission, clock, refusals } = make({ handshakesPerSecondMax: 10 })
    expect(admitFromMany(admission, 15)).toBe(10)
    await clock.move(1000)
    expect(admitFromMany(admission, 15)).toBe(10)
    expect(new Set(refusals)).toEqual(new Set(['handshake_rate']))
  })

  test('drops early and at random from 60 % on, and everybody at 100 %', () => {
    let random = 0.6
    const { admission, refusals } = make({ connectionsUnauthenticatedMax: 10 }, { random: () => random })
    // With 7, 8 and 9 connections the chance to be dropped is 25, 50 and 75 %: a draw of 0.6 falls under the last.
    expect(admitFromMany(admission, 20)).toBe(9)
    random = 0.999
    expect(admitFromMany(admission, 20)).toBe(1)
    expect([admission.unauthenticated, new Set(refusals)]).toEqual([10, new Set(['unauthenticated'])])
  })

  test('never uses the descriptors that are reserved', () => {
    const { admission, refusals } = make({ descriptorsReserved: 216 }, { descriptorsMax: () => 256 })
    expect([admission.connectionsMax, admitFromMany(admission, 60)]).toEqual([40, 40])
    expect(new Set(refusals)).toEqual(new Set(['connections']))
  })

  test('refuses to begin with so few descriptors that it would serve next to nobody', () => {
    const few = (): unknown => make({ descriptorsReserved: 256 }, { descriptorsMax: () => 256 })
    expect(few).toThrow('[config_invalid] this process may open 256 files, of which 256 are reserved')
  })

  test('takes nothing from the handshakes of all when it refuses for another reason', () => {
    const { admission, refusals } = make({ handshakesPerSecondMax: 5, connectionsUnauthenticatedPerAddressMax: 1 })
    expect(admitMany(admission, '192.0.2.1', 20)).toBe(1)
    expect(admitFromMany(admission, 4)).toBe(4)
    expect(new Set(refusals)).toEqual(new Set(['address']))
  })

  test('sheds new connections when memory is short and takes them again', async () => {
    let residentBytes = 0
    const { admission, clock, refusals } = make({ residentBytesMax: 200 * 1024 * 1024 }, { residentBytes: () => residentBytes })
    expect(enter(admission, '192.0.2.1')).toBeDefined()
    residentBytes = 161 * 1024 * 1024
    await clock.move(1000)
    expect(enter(admission, '192.0.2.1')).toBeUndefined()
    residentBytes = 0
    await clock.move(1000)
    expect([enter(admission, '192.0.2.1'), refusals]).toEqual([expect.anything(), ['memory']])
  })

  test('gives a place back once, however often the ticket is released', () => {
    const { admission } = make()
    const ticket = enter(admission, '192.0.2.1')
    ticket?.release()
    ticket?.release()
    ticket?.authenticated()
    expect([admission.connections, admission.unauthenticated]).toEqual([0, 0])
  })

  test('counts echo connections for themselves', () => {
    const { admission, refusals } = make({ echoConnectionsMax: 2, connectionsUnauthenticatedPerAddressMax: 1 })
    const tickets = [1, 2, 3].map(() => admission.admitEcho('192.0.2.1'))
    expect(tickets.map((ticket) => ticket !== undefined)).toEqual([true, true, false])
    expect([admission.connections, admission.unauthenticated, refusals]).toEqual([2, 0, ['echo']])
    tickets[0]?.release()
    expect(admission.admitEcho('192.0.2.1')).toBeDefined()
  })

  test('makes room by evicting the oldest handshake, of the address or of all', () => {
    const { admission, refusals } = make(
      { connectionsUnauthenticatedPerAddressMax: 2, connectionsUnauthenticatedMax: 3 },
      { random: () => 0 },
    )
    const evicted: string[] = []
    const begin = (address: string, name: string): ConnectionTicket | undefined => {
      const ticket = admission.admit(address, () => {
        evicted.push(name)
        ticket?.release()
      })
      return ticket
    }
    begin('192.0.2.1', 'a')
    begin('192.0.2.1', 'b')
    begin('192.0.2.1', 'c') // The address has its two places.
    begin('192.0.2.2', 'd') // From here on the draw says that there is no room at all.
    begin('192.0.2.3', 'e')?.established()
    expect([evicted, admission.unauthenticated]).toEqual([['a', 'b', 'c'], 2])
    begin('192.0.2.4', 'f')?.established()
    expect([evicted.at(-1), begin('192.0.2.5', 'g'), refusals]).toEqual(['d', undefined, ['unauthenticated']])
  })

  test('evicts nobody for a connection that is refused for its rate', () => {
    const { admission } = make({
      connectionsUnauthenticatedPerAddressMax: 2,
      connectionsBurstPerAddressMax: 2,
      connectionsPerSecondPerAddressMax: 1,
    })
    let evictions = 0
    for (let i = 0; i < 5; i++) admission.admit('192.0.2.1', () => void evictions++)
    expect([evictions, admission.unauthenticated]).toEqual([0, 2])
  })

  test('remembers no more addresses than it may, and those with connections longest', () => {
    const { admission } = make({ addressesTrackedMax: 1000, connectionsUnauthenticatedPerAddressMax: 1 })
    enter(admission, '192.0.2.1')
    for (let i = 0; i < 5000; i++) enter(admission, `10.0.${i >> 8}.${i & 255}`)?.release()
    expect(enter(admission, '192.0.2.1')).toBeUndefined()
    expect(admission.addresses).toBeLessThanOrEqual(1000)
  })
})

interface Made {
  readonly admission: Admission
  readonly clock: ManualClock
  readonly refusals: string[]
}

/** An admission whose bounds are lifted, but for those that a test is about. */
function make(overrides: Partial<Limits> = {}, machine: Partial<Machine> = {}): Made {
  const lifted = { connectionsPerSecondPerAddressMax: 10_000, connectionsBurstPerAddressMax: 10_000, handshakesPerSecondMax: 100_000 }
  const clock = new ManualClock()
  const refusals: string[] = []
  const roomy: Machine = { descriptorsMax: () => undefined, residentBytes: () => 0, random: () => 1, ...machine }
  const admission = new Admission(resolveLimits({ ...lifted, ...overrides }), clock, roomy, (why) => refusals.push(why))
  return { admission, clock, refusals }
}

/** A connection that has finished its handshake at once; what is in its handshake is in the tests of eviction. */
function enter(admission: Admission, address: string): ConnectionTicket | undefined {
  const ticket = admission.admit(address, () => ticket?.release())
  ticket?.established()
  return ticket
}

function admitMany(admission: Admission, address: string, count: number): number {
  return Array.from({ length: count }, () => enter(admission, address)).filter((ticket?: ConnectionTicket) => ticket !== undefined).length
}

function admitFromMany(admission: Admission, count: number): number {
  return Array.from({ length: count }, (_, at) => enter(admission, `198.51.100.${at}`)).filter((ticket) => ticket !== undefined).length
}
