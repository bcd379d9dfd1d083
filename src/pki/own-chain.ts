// What clients look at in a chain that other tools have made. The way from the server's certificate is followed to a root, in
// whatever order the file has it; a public root that the file leaves out, as they usually do, is added, because the pin is
// the root's: it outlives renewals, and the certificates between it and the server do not.

import { type KeyObject, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { rootCertificates } from 'node:tls'
import { pathLength } from './basic-constraints.ts'
import { isSignedBy } from './former-authorities.ts'
import { certificateInvalid } from './identity-folder.ts'
import { weakness } from './own-key.ts'

/**
 * The chain from `leaf` to a root that has signed itself. Certificates that are no part of it are left out.
 * @throws {SealwireError} `certificate_invalid` when no root can be reached, or when one on the way is weak or not valid now.
 */
export function pathToRoot(
  file: string,
  leaf: X509Certificate,
  others: readonly X509Certificate[],
  now: number,
): readonly [X509Certificate, ...X509Certificate[]] {
  const path: [X509Certificate, ...X509Certificate[]] = [leaf]
  for (let last = leaf; !isSignedBy(last, last); path.push(last)) {
    last = issuerOf(last, others, now) ?? publicRootOf(last, now) ?? missing(file, last)
    if (path.includes(last)) throw certificateInvalid(`${file} leads in a circle`, 'give the chain as the issuer has sent it')
    checkSigner(file, last, now)
  }
  checkLengths(file, path)
  return path
}

/**
 * What a server's own certificate needs.
 * @throws {SealwireError} `certificate_invalid`.
 */
export function checkLeaf(file: string, leaf: X509Certificate, now: number): void {
  checkDates(file, leaf, now, '')
  checkStrength(file, leaf)
  checkUse(file, leaf, '')
  if (!/(^|, )(DNS|IP Address):/.test(leaf.subjectAltName ?? '')) throw nameless(file, leaf)
  if (isSignedBy(leaf, leaf) && !leaf.ca) {
    throw certificateInvalid(
      `${file} has signed itself and is no authority, so that nothing can be trusted in its place`,
      'make it with openssl req -x509, which says CA:TRUE, or leave it to sealwire to make one',
    )
  }
}

/** What `openssl req` makes of a common name alone. Old libraries took it for a name; RFC 9525 says no. */
function nameless(file: string, leaf: X509Certificate): Error {
  const name = /^CN=(.*)$/m.exec(leaf.subject)?.[1]
  const unused = name === undefined ? '' : `, and its common name ${JSON.stringify(name)} does not count`
  const example = name === undefined || /[^\w.:-]/.test(name) ? 'DNS:chat.example' : `${isIP(name) === 0 ? 'DNS' : 'IP'}:${name}`
  return certificateInvalid(
    `${file} has no subject alternative name: clients look at nothing else${unused}`,
    `make it again with one: openssl req -x509 … -addext subjectAltName=${example}`,
  )
}

/** Those that are valid now come first: a chain may have an issuer twice, the old one and the new. */
function issuerOf(certificate: X509Certificate, others: readonly X509Certificate[], now: number): X509Certificate | undefined {
  const issuers = others.filter((other) => other.ca && isSignedBy(certificate, other))
  return issuers.find((issuer) => isValid(issuer, now)) ?? issuers[0]
}

function publicRootOf(certificate: X509Certificate, now: number): X509Certificate | undefined {
  for (const pem of rootCertificates) {
    const root = new X509Certificate(pem)
    if (isValid(root, now) && isSignedBy(certificate, root)) return root
  }
  return undefined
}

function missing(file: string, last: X509Certificate): never {
  const who = last.issuer.replaceAll('\n', ', ')
  throw certificateInvalid(
    `${file} is incomplete: the certificate of ${JSON.stringify(who)} is not in it`,
    'append the certificates of its issuers, its root the last one, and name that file',
  )
}

function checkSigner(file: string, certificate: X509Certificate, now: number): void {
  const which = `, its issuer ${JSON.stringify(certificate.subject.replaceAll('\n', ', '))}`
  checkDates(file, certificate, now, which)
  checkStrength(file, certificate)
  checkUse(file, certificate, which)
}

/**
 * An authority may say how many others come between it and a server, at most (RFC 5280, pathLenConstraint); those that have
 * signed themselves under another key do not count.
 */
function checkLengths(file: string, path: readonly X509Certificate[]): void {
  let between = 0
  for (const authority of path.slice(1)) {
    const max = pathLength(authority)
    if (max !== undefined && between > max) {
      const allowed = max === 0 ? 'no other authority' : `no more than ${max} other authorities`
      throw certificateInvalid(
        `${file}, its issuer ${JSON.stringify(authority.subject.replaceAll('\n', ', '))} allows ${allowed} between itself and a server (pathlen:${max}), and there are ${between}`,
        'have the certificate issued by an authority closer to the root, or the authorities made anew with a larger pathlen',
      )
    }
    if (authority.subject !== authority.issuer) between++
  }
}

/** An issuer that says what for is one for that and nothing else, too. Node calls the purposes of a certificate its key usage. */
function checkUse(file: string, { keyUsage }: X509Certificate, which: string): void {
  if (keyUsage === undefined || keyUsage.length === 0 || keyUsage.some((use) => serverUses.has(use))) return
  throw certificateInvalid(`${file}${which} is not for servers`, 'ask for one with the extended key usage serverAuth')
}

function checkDates(file: string, certificate: X509Certificate, now: number, which: string): void {
  const { validFromDate: from, validToDate: to } = certificate
  if (now < from.getTime()) {
    throw certificateInvalid(`${file}${which} is not valid before ${from.toISOString()}`, 'check the clock of this machine')
  }
  if (now > to.getTime()) throw certificateInvalid(`${file}${which} expired on ${to.toISOString()}`, 'have it renewed')
}

function checkStrength(file: string, certificate: X509Certificate): void {
  const weak = weakness(publicKeyOf(file, certificate))
  if (weak !== undefined) throw certificateInvalid(`${file} has ${weak}`, 'have it made anew, with P-256 or RSA 2048')
  // A root is trusted for what it is, not for how it has signed itself.
  if (isSignedBy(certificate, certificate) || !weakSignatures.some((oid) => certificate.raw.includes(oid))) return
  throw certificateInvalid(`${file} was signed with SHA-1 or MD5, which can be forged`, 'have it made anew, with SHA-256')
}

function publicKeyOf(file: string, certificate: X509Certificate): KeyObject {
  try {
    return certificate.publicKey
  } catch (cause) {
    throw certificateInvalid(`${file} has a key of a kind that is not known`, 'have it made anew, with P-256 or RSA 2048', cause)
  }
}

function isValid({ validFromDate, validToDate }: X509Certificate, now: number): boolean {
  return validFromDate.getTime() <= now && now <= validToDate.getTime()
}

/** serverAuth, and any. */
const serverUses: ReadonlySet<string> = new Set(['1.3.6.1.5.5.7.3.1', '2.5.29.37.0'])
/** md5WithRSA, sha1WithRSA, ecdsa-with-SHA1: they stand in a certificate as the algorithm of its signature and nowhere else. */
const weakSignatures = ['06092a864886f70d010104', '06092a864886f70d010105', '06072a8648ce3d0401'].map((hex) => Buffer.from(hex, 'hex'))
