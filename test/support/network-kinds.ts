// Networks of real machines for tests of direct links: a server, and hosts whose ways to it and to each other can be cut.
//
//   namespaces   each host is a network namespace of its own behind a bridge, and nftables drop what is cut
//   loopback     each host is an address of 127.0.0.0/8, and whatever passes goes through forwarders, which stop when it is cut
//
// The first is the real thing, but not every machine lets a test have it. `SEALWIRE_NETWORK=loopback` (or `namespaces`) takes one;
// otherwise it is the first that there can be, and under CI=true both.

import type { DirectOptions } from '../../src/client/direct/direct.ts'
import { LoopbackNetwork } from './network-loopback.ts'
import { isMissing, NamespaceNetwork, whyNoNamespaces } from './network-namespaces.ts'
import type { Processes } from './network-processes.ts'
import type { ServerProcess, ServerProcessOptions } from './server-process.ts'

/** A machine. */
export interface NetworkHost {
  readonly name: string
  /** What makes a command line one of this host: it goes before it. */
  readonly prefix: readonly string[]
  /** Where the server is for this host. */
  readonly server: { readonly host: string; readonly port: number }
  /** How its clients take direct links. */
  readonly direct: true | DirectOptions
  /** Its own, as far as others reach it there: what its offers name. */
  readonly addresses: readonly string[]
}

/** A server and hosts. Everything is gone at the end of its scope, the programs on its hosts too. */
export interface Network extends AsyncDisposable {
  readonly server: ServerProcess
  readonly processes: Processes
  host(name: string): NetworkHost
  /** Nothing passes between the two any more, and nobody is told; `server` is the server. Resolves when it is so. */
  cut(one: string, other: string): Promise<void>
  /** Everything passes again, also what was on its way. */
  restore(one: string, other: string): Promise<void>
}

/** One of the two kinds. */
export interface NetworkKind {
  readonly kind: 'namespaces' | 'loopback'
  start(hosts: readonly string[], options?: ServerProcessOptions): Promise<Network>
}

/** The kinds on which tests run here. Says which, and loudly when the real one cannot be had. */
export function networkKinds(): readonly NetworkKind[] {
  const { SEALWIRE_NETWORK: wish, CI: ci } = process.env
  if (wish !== undefined && wish !== 'namespaces' && wish !== 'loopback')
    throw new Error(`SEALWIRE_NETWORK=${wish}: there is no such network`)
  const why = wish === 'loopback' ? 'SEALWIRE_NETWORK=loopback' : whyNoNamespaces()
  if (why !== undefined && wish !== 'loopback') missing(why, wish === 'namespaces')
  const kinds = why !== undefined ? [loopback] : ci === 'true' && wish === undefined ? [namespaces, loopback] : [namespaces]
  console.log(`NETWORK: ${kinds.map(({ kind }) => kind).join(' and ')}${why === undefined ? '' : ` (${why})`}`)
  return kinds
}

/** Under CI=true all programs are there, as everywhere in these tests. What the kernel does not allow, nobody can install. */
function missing(why: string, isWished: boolean): void {
  if (isWished || (process.env['CI'] === 'true' && why.endsWith(isMissing))) throw new Error(`no network namespaces: ${why}`)
  console.warn(`SKIPPED: no network namespaces: ${why}`)
}

const namespaces: NetworkKind = { kind: 'namespaces', start: (...what) => NamespaceNetwork.start(...what) }
const loopback: NetworkKind = { kind: 'loopback', start: (...what) => LoopbackNetwork.start(...what) }
