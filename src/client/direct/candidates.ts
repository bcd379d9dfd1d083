// Addresses at which another device may reach this one. They are told to accepted contacts that ask, for one attempt, and what
// they tell is dialled: so all that a peer can name is a literal address of one machine, never a name to look up or a crowd.
//
// Addresses that only mean something together with an interface (fe80::/10) are left out: which interface of theirs it would
// be, the others cannot know.

import { isIP } from 'node:net'
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'
import { SealwireError } from '../../protocol/errors.ts'
import { limitTable } from '../../protocol/limits.ts'
import { isDialable, isIpv4, isLinkLocal, plainAddress } from '../../protocol/literal-address.ts'

/** An address and a port at which a device may be. */
export interface Candidate {
  /** IPv4, or IPv6 in its shortest form, without brackets. */
  readonly host: string
  readonly port: number
}

/** Where this device listens, and what is known of its addresses. */
export interface OwnAddresses {
  /** Where it listens: `::` and `0.0.0.0` are all addresses, any other one is itself. */
  readonly host: string
  readonly port: number
  /** The address that the server sees of this device. It helps where that is its own, or a router passes the port on. */
  readonly seen?: string | undefined
  /** Default: those of this machine. */
  readonly interfaces?: NodeJS.Dict<readonly Pick<NetworkInterfaceInfo, 'address' | 'internal'>[]>
}

/**
 * The candidates of this device, at most 8 (limit `directCandidatesMax`) and each once: its own addresses, then the one that the
 * server sees, then loopback, for another program on this machine. Of too many, the last of its own are left out.
 */
export function ownCandidates({ host, port, seen, interfaces = networkInterfaces() }: OwnAddresses): readonly Candidate[] {
  const infos = Object.values(interfaces).flatMap((each) => each ?? [])
  const addresses = (internal: boolean): string[] => infos.filter((each) => each.internal === internal).map(({ address }) => address)
  const [own, loopback] = anyHosts.includes(host) ? [addresses(false), addresses(true)] : [[host], []]
  const others = usable([...(seen === undefined ? [] : [seen]), ...loopback], host)
  const all = [...usable(own, host).slice(0, Math.max(0, candidatesMax - others.length)), ...others]
  return [...new Set(all)].slice(0, candidatesMax).map((each) => ({ host: each, port }))
}

/**
 * What another device has told of itself.
 * @throws {SealwireError} `malformed` when its address is no literal one of a single machine (a name, unspecified, multicast,
 * broadcast, link-local IPv6), or its port none to dial.
 */
export function parseCandidate({ host, port }: { readonly host: string; readonly port: number }): Candidate {
  const address = addressOf(host)
  if (address === undefined) throw new SealwireError('malformed', 'a candidate is the literal address of one machine')
  if (Number.isInteger(port) && port >= 1 && port <= lastPort) return { host: address, port }
  throw new SealwireError('malformed', `a candidate has a port from 1 to ${lastPort}`)
}

/** Those that can be told to others, of a family that the listener is there for. */
function usable(hosts: readonly string[], listening: string): readonly string[] {
  const own = hosts.map(addressOf).filter((each) => each !== undefined)
  return listening === anyHosts[0] ? own : own.filter((each) => isIP(each) === isIP(listening))
}

/** In the one form that stands for it, IPv4 inside IPv6 as IPv4; `undefined` for what is not the address of one machine. */
function addressOf(host: string): string | undefined {
  const plain = plainAddress(host)
  if (plain === undefined || !isDialable(plain) || isLinkLocal(plain)) return undefined
  return isIpv4(plain) ? plain : new URL(`http://[${plain}]`).hostname.slice(1, -1)
}

/** The first one is of both families. */
const anyHosts: readonly string[] = ['::', '0.0.0.0']
const lastPort = 65_535
const candidatesMax = limitTable.directCandidatesMax.value
