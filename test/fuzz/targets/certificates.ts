// The DER that devices bring: certificate requests, certificates of peers, and what is read of an extension.

import { pathLength } from '../../../src/pki/basic-constraints.ts'
import { readCertificateRequest } from '../../../src/pki/certificate-request.ts'
import { der, DerReader } from '../../../src/pki/der.ts'
import { verifyPeer } from '../../../src/pki/peer-certificate.ts'
import type { Chance } from '../chance.ts'
import { joined } from '../mutator.ts'
import { type Behaviour, type FuzzTarget, must, refusedAs } from '../target.ts'

/** Inputs are a byte that says what is read, and DER. */
export function certificatesTarget(): FuzzTarget {
  return {
    name: 'certificates',
    words: [
      ...[0x02, 0x03, 0x06, 0x30, 0xa0].map((tag) => Uint8Array.of(tag)),
      Uint8Array.of(0x81, 0x80),
      Uint8Array.of(0x82, 1, 0),
      Uint8Array.of(0x84),
      constraints,
    ],
    bytesMax: 4_096,
    generate: (chance) => {
      const kind = chance.below(readers.length)
      return joined(Uint8Array.of(kind), kind === 0 ? request : kind === 1 ? certificate : elementsOf(chance, 3))
    },
    run: (input) => (readers[(input[0] ?? 0) % readers.length] ?? readElements)(input.slice(1)),
  }
}

function readRequest(csr: Uint8Array): Behaviour {
  try {
    const spki = readCertificateRequest(csr)
    must(spki.length === 91, 'a key is that of P-256')
    must(Buffer.compare(spki, requestKey) === 0, 'no other key is proved by this signature')
    return '+request'
  } catch (reason) {
    return `-request: ${refusedAs(reason, new Set(['enrolment_invalid'])).sentence}`
  }
}

/** Nobody is expected, so nobody is let in; a certificate that says it is an authority's least of all. */
function readCertificate(bytes: Uint8Array): Behaviour {
  try {
    verifyPeer(bytes, { authorities: [], devices: new Set(), now: 1_800_000_000_000 })
  } catch (reason) {
    return `-certificate: ${refusedAs(reason, new Set(['untrusted'])).sentence}`
  }
  must(false, 'nobody is a peer here')
}

function readElements(bytes: Uint8Array): Behaviour {
  const reader = new DerReader(bytes)
  const read: Uint8Array[] = []
  try {
    for (let at = 0; at < bytes.length; at += read.at(-1)?.length ?? 0) {
      const { tag, content, whole } = reader.next(bytes[at] ?? 0)
      must(Buffer.compare(der(tag, content), whole) === 0, 'an element has one form')
      read.push(whole)
    }
    reader.end()
  } catch (reason) {
    return `-elements: ${refusedAs(reason, new Set(['malformed'])).sentence} behind ${Math.min(read.length, 4)}`
  }
  must(Buffer.compare(joined(...read), bytes) === 0, 'nothing is left between elements')
  return `+elements: ${Math.min(read.length, 4)}`
}

/** Whatever the bytes are, there is a number or there is none. */
function readConstraint(bytes: Uint8Array): Behaviour {
  const length = pathLength({ raw: Buffer.from(bytes) })
  must(length === undefined || (length >= 0 && !Number.isNaN(length)), 'a path has a length, or none is told')
  if (length === undefined) return '-constraint: none'
  return `+constraint: ${length === Infinity ? 'huge' : Math.min(length, 3)}`
}

function elementsOf(chance: Chance, depth: number): Uint8Array {
  const elements = Array.from({ length: chance.between(1, 3) }, () => {
    const isInner = depth > 0 && chance.oneIn(2)
    return der(
      isInner ? 0x30 : chance.pick([1, 2, 3, 4, 6] as const),
      isInner ? elementsOf(chance, depth - 1) : chance.bytes(chance.length(300)),
    )
  })
  const constraint = der(
    0x30,
    constraints,
    ...(chance.oneIn(2) ? [der(1, Uint8Array.of(0xff))] : []),
    der(4, der(0x30, der(2, chance.bytes(chance.between(0, 8))))),
  )
  return joined(...elements, ...(chance.oneIn(2) ? [constraint] : []))
}

const readers = [readRequest, readCertificate, readElements, readConstraint] as const
/** 2.5.29.19. */
const constraints = Uint8Array.of(0x06, 0x03, 0x55, 0x1d, 0x13)
/** A request as a device makes it, and a certificate for clients. Their keys are nobody's. */
const request = fromHex(
  '3081ba306202010030003059301306072a8648ce3d020106082a8648ce3d03010703420004f5a459e84a065d511cd271d0206ce596df2eb571a40f2491a6c1f42f159dafa67abe36ff107ce09f0c8859f43e6c05fd85333e3afbc43949d76c4a5bbfd350b4a000300a06082a8648ce3d0403020348003045022036a249e1fbd45852403db8dcb10809d809768c3864637cfb74b53fd527f761f8022100d467222e5f05b86bd6a2392c0b4cd9346b3166e6b8ce5c2b3d269e46abdaa233',
)
const certificate = fromHex(
  '3082018d30820132a003020102021407b56c0f98c842b9f204898ae2cea292105d81ac300a06082a8648ce3d0403023011310f300d06035504030c06646576696365301e170d3236313132323035303530305a170d3336313131393035303530305a3011310f300d06035504030c066465766963653059301306072a8648ce3d020106082a8648ce3d03010703420004f5a459e84a065d511cd271d0206ce596df2eb571a40f2491a6c1f42f159dafa67abe36ff107ce09f0c8859f43e6c05fd85333e3afbc43949d76c4a5bbfd350b4a3683066301d0603551d0e0416041480d60c012ef148d19404ea596b43c7b9940c6d1d301f0603551d2304183016801480d60c012ef148d19404ea596b43c7b9940c6d1d300f0603551d130101ff040530030101ff30130603551d25040c300a06082b06010505070302300a06082a8648ce3d0403020349003046022100c88baae8710204381738be8100a8759bfeada68ab53219d991107a3e02f74605022100ae97053efebd51592a5f246946c088bc432c91774bdf885957b9873446995731',
)
const requestKey = readCertificateRequest(request)

function fromHex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'))
}
