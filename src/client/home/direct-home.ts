// Direct links from a home: its device shows its certificate, listens and dials; what came directly is kept in its files.

import { X509Certificate } from 'node:crypto'
import { systemClock } from '../../domain/clock.ts'
import { dialPeer, Flusher, listenPeer } from '../../link/index.ts'
import { peerKeyHash } from '../../pki/index.ts'
import { SealwireError } from '../../protocol/errors.ts'
import type { DirectOptions } from '../direct/direct.ts'
import { DirectLinks } from '../direct/direct-links.ts'
import type { DirectCore, DirectPart } from '../direct/part.ts'
import { checksum } from '../node.ts'
import { clientCertificateOf, readDevice } from './device-files.ts'
import { disk } from './disk.ts'
import { HandedFiles } from './handed-order-files.ts'
import { FileHeard } from './heard-files.ts'
import { OrderFiles } from './held-order-files.ts'
import type { Home } from './home.ts'
import { knownLedgerKey } from './ledger-key.ts'

/** Direct links of the account `name` of a home. Where it is no device there are none: the server refuses its offers. */
export function directFrom(home: Home, name: string, options: DirectOptions): (core: DirectCore) => DirectPart {
  return (core) => {
    const { limits } = core
    const context = { limits, flusher: new Flusher(limits, systemClock) }
    const files = { name, limits, clock: systemClock }
    const place = {
      ...{ checksum, disk },
      identity: () => identityOf(home),
      authorities: () => authorityOf(home),
      listen: (...what: Head<typeof listenPeer>) => listenPeer(...what, context),
      dial: (...what: Head<typeof dialPeer>) => dialPeer(...what, context),
      ledgerKey: () => knownLedgerKey(home),
      heard: new FileHeard(home, files),
      orders: new OrderFiles(home, files),
      handed: new HandedFiles(home, files),
    }
    return new DirectLinks(options, place, core)
  }
}

/** What a function is given but for its context. */
type Head<F extends (...all: never[]) => unknown> = Parameters<F> extends [...infer H, unknown] ? H : never

/** @throws {SealwireError} `device_required`; what the files of the home are refused with. */
function identityOf(home: Home) {
  const certificate = clientCertificateOf(readDevice(home))
  if (certificate === undefined) throw new SealwireError('device_required', 'direct links are for devices, and this home is none')
  return { certificate, spki: peerKeyHash(new X509Certificate(certificate.chain).raw) }
}

/** That which has signed for this device; the server names the others. */
function authorityOf(home: Home): readonly X509Certificate[] {
  const issued = readDevice(home)?.issued
  return issued === undefined ? [] : [new X509Certificate(issued.authority)]
}
