// What is wrong with the certificates that a server shows. The TLS library stops at the first fault and names it alone, and
// some of them by the name of another; here each is looked for by itself. Nothing is trusted because of what this finds: the
// verified dial that follows has the last word.

import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { spkiPin } from '../../pki/pin.ts'
import { type Finding, fault, spanText, timeText } from './finding.ts'

/** By what a server is known. */
export type Trust =
  | { readonly by: 'pin'; readonly pin: string; readonly source: string }
  | { readonly by: 'roots'; readonly roots: readonly X509Certificate[]; readonly source: string }
  | { readonly by: 'nothing' }

export interface Shown {
  /** The server's own certificate first. */
  readonly chain: readonly X509Certificate[]
  /** The host that is dialled. */
  readonly host: string
  readonly trust: Trust
  /** Milliseconds since 1970. */
  readonly now: number
  /** When this machine has certainly been; a `now` before that is wrong. */
  readonly notBefore: number
}

/** The faults of what is shown; none when all of it holds. */
export function certificateFaults(shown: Shown): readonly Finding[] {
  const [leaf] = shown.chain
  if (leaf === undefined) return []
  const path = issuersOf(leaf, candidates(shown))
  return [
    ...issuerFaults(leaf, path, shown),
    ...path.flatMap((one) => timeFaults(one, leaf, shown)),
    ...nameFaults(leaf, shown),
    ...usageFaults(leaf),
  ]
}

/** The one that all others of the chain lead to, and that alone is trusted in the verified dial. */
export function anchorOf({ chain, trust }: Pick<Shown, 'chain' | 'trust'>): X509Certificate | undefined {
  if (trust.by === 'pin') return chain.find((one) => isSelfSigned(one) && spkiPin(one) === trust.pin)
  const [leaf] = chain
  return leaf === undefined ? undefined : issuersOf(leaf, candidates({ chain, trust })).find(isSelfSigned)
}

function candidates({ chain, trust }: Pick<Shown, 'chain' | 'trust'>): readonly X509Certificate[] {
  return trust.by === 'roots' ? [...trust.roots, ...chain] : chain
}

/** From a certificate over its issuers to the last that can be found. */
function issuersOf(leaf: X509Certificate, others: readonly X509Certificate[]): readonly X509Certificate[] {
  const path = [leaf]
  for (let last = leaf; !isSelfSigned(last) && path.length <= others.length + 1; ) {
    const next = others.find((one) => one.fingerprint256 !== last.fingerprint256 && isSignedBy(last, one))
    if (next === undefined) break
    path.push(next)
    last = next
  }
  return path
}

function issuerFaults(leaf: X509Certificate, path: readonly X509Certificate[], { chain, trust }: Shown): readonly Finding[] {
  const last = path.at(-1) ?? leaf
  const isKnown =
    trust.by === 'pin' ? anchorOf({ chain, trust }) !== undefined : trust.by === 'roots' && trust.roots.some((one) => same(one, last))
  if (isKnown) return []
  // `openssl req -x509` makes authorities; to somebody who has a list of authorities such a one is still signed by itself alone.
  if (isSelfSigned(leaf) && (!leaf.ca || trust.by === 'roots'))
    return [selfSigned(), ...(trust.by === 'pin' ? [otherKey(last, trust)] : [])]
  if (!isSelfSigned(last)) return [incomplete(last, trust)]
  if (trust.by === 'pin') return [otherKey(last, trust)]
  return trust.by === 'roots' ? [unknownIssuer(last, trust.source)] : []
}

function timeFaults(one: X509Certificate, leaf: X509Certificate, { now, notBefore }: Shown): readonly Finding[] {
  const whose = one === leaf ? 'the certificate' : `the certificate of its issuer ${commonName(one.subject)}`
  const [from, until] = [one.validFromDate.getTime(), one.validToDate.getTime()]
  const clock = `the clock of this machine says ${timeText(now)}`
  if (now > until) {
    const why = `it was good until ${timeText(until)}, ${spanText(now - until)} ago; ${clock}`
    return [fault('certificate_expired', `${whose} has expired`, why, `if that clock is right, ${renew(one === leaf)}`)]
  }
  if (now >= from) return []
  const why = `it is good from ${timeText(from)} on, in ${spanText(from - now)}; ${clock}`
  if (now < notBefore) {
    const proof = `, but its files were written at ${timeText(notBefore)}, so it is behind`
    return [
      fault(
        'certificate_not_yet_valid',
        `${whose} is not valid yet: this clock is behind`,
        why + proof,
        'set the clock of this machine right',
      ),
    ]
  }
  return [
    fault(
      'certificate_not_yet_valid',
      `${whose} is not valid yet`,
      why,
      'compare the clocks of both machines with the real time: one of them is wrong',
    ),
  ]
}

function nameFaults(leaf: X509Certificate, { host }: Shown): readonly Finding[] {
  const isNamed = isIP(host) === 0 ? leaf.checkHost(host, { subject: 'never' }) : leaf.checkIP(host)
  if (isNamed !== undefined) return []
  const { subjectAltName: names } = leaf
  if (names === undefined || names === '') {
    const why = `it has only the common name ${commonName(leaf.subject)}, which no client looks at any more (RFC 9525)`
    return [
      fault(
        'certificate_without_names',
        'the certificate has no names',
        why,
        `make one with subjectAltName=${isIP(host) === 0 ? 'DNS' : 'IP'}:${host}`,
      ),
    ]
  }
  const next = `dial one of its names, or give the server this one: serve --host ${host}`
  return [fault('certificate_wrong_name', 'the certificate is for another name', `${host} was dialled, and it has ${names}`, next)]
}

function usageFaults(leaf: X509Certificate): readonly Finding[] {
  // Node calls the extended usages so; a certificate without them may be used for anything.
  const usages: readonly string[] | undefined = leaf.keyUsage
  if (usages === undefined || usages.includes(serverAuth) || usages.includes(anyUsage)) return []
  const why = `its extended key usage is ${usages.map((each) => usageNames.get(each) ?? each).join(', ')}, and not serverAuth`
  return [fault('certificate_wrong_usage', 'the certificate is not one for servers', why, 'make one with extendedKeyUsage=serverAuth')]
}

function selfSigned(): Finding {
  const why = 'it was signed with its own key and by no authority, so nothing can be said of who made it'
  return fault(
    'certificate_self_signed',
    'the certificate is self-signed',
    why,
    'let sealwire serve make its own, or sign it with an authority',
  )
}

function incomplete(last: X509Certificate, trust: Trust): Finding {
  const orElse = trust.by === 'roots' ? `; if it is an authority, it is missing in ${trust.source}` : ''
  const why = `the server does not send the certificate of ${commonName(last.issuer)}, which signed ${commonName(last.subject)}`
  return fault(
    'certificate_chain_incomplete',
    'the chain of certificates is incomplete',
    why,
    `append it, and those above it, to the certificate file of the server${orElse}`,
  )
}

function unknownIssuer(last: X509Certificate, source: string): Finding {
  const why = `it leads to the authority ${commonName(last.subject)} (${spkiPin(last)}), which is not in ${source}`
  return fault(
    'certificate_unknown_issuer',
    'the certificate is of an unknown issuer',
    why,
    'ask the operator for the certificate of that authority',
  )
}

function otherKey(last: X509Certificate, { pin, source }: Trust & { by: 'pin' }): Finding {
  const why = `expected ${pin} (${source}), seen ${spkiPin(last)}`
  const next = 'somebody may be in the middle: ask the operator for the fingerprint, and send nothing until it is right'
  return fault('pin_mismatch', 'the server has another key', why, next)
}

function renew(isOwn: boolean): string {
  return isOwn ? 'renew it: restart the server, or bring it a new one' : 'the operator has to make a new authority'
}

function isSignedBy(one: X509Certificate, issuer: X509Certificate): boolean {
  try {
    // Whether the issuer may sign is for the verified dial to say.
    return one.issuer === issuer.subject && one.verify(issuer.publicKey)
  } catch {
    // A kind of key that the runtime does not know.
    return false
  }
}

function isSelfSigned(one: X509Certificate): boolean {
  return isSignedBy(one, one)
}

function same(one: X509Certificate, other: X509Certificate): boolean {
  return one.fingerprint256 === other.fingerprint256
}

/** `CN=…` of a subject, else all of it on one line. */
function commonName(subject: string | undefined): string {
  return /^CN=(.*)$/m.exec(subject ?? '')?.[1] ?? (subject ?? '').replaceAll('\n', ', ')
}

const serverAuth = '1.3.6.1.5.5.7.3.1'
const anyUsage = '2.5.29.37.0'
const usageNames: ReadonlyMap<string, string> = new Map([
  ['1.3.6.1.5.5.7.3.2', 'clientAuth'],
  ['1.3.6.1.5.5.7.3.3', 'codeSigning'],
  ['1.3.6.1.5.5.7.3.4', 'emailProtection'],
  ['1.3.6.1.5.5.7.3.8', 'timeStamping'],
  ['1.3.6.1.5.5.7.3.9', 'OCSPSigning'],
])
