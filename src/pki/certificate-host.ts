// The names under which a server may be dialled, as they stand in its certificate. Only subject alternative names
// count (RFC 9525): the common name is never looked at, and no name is a pattern.

import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { SealwireError } from '../protocol/errors.ts'

/** A name in its canonical form: DNS names in lower case, IPv6 addresses compressed. */
export interface CertificateHost {
  readonly type: 'dns' | 'ip'
  readonly value: string
}

/**
 * The names a server certificate carries: localhost, 127.0.0.1, ::1, and then `asked`, each once.
 * @throws {SealwireError} `config_invalid` for a wildcard and for what is neither a DNS name nor an IP address.
 */
export function certificateHosts(asked: readonly string[]): readonly CertificateHost[] {
  const hosts = new Map<string, CertificateHost>()
  for (const text of [...loopbackHosts, ...asked]) {
    const host = certificateHost(text)
    hosts.set(host.value, host)
  }
  return [...hosts.values()]
}

/** Whether a client that dials `host` and checks names properly accepts `certificate`. */
export function coversHost(certificate: X509Certificate, host: CertificateHost): boolean {
  if (host.type === 'ip') return certificate.checkIP(host.value) !== undefined
  return certificate.checkHost(host.value, { subject: 'never', wildcards: false }) !== undefined
}

/** The names and addresses in a certificate, in their canonical form; what has none, such as a wildcard, as it stands there. */
export function hostsOf(certificate: X509Certificate): readonly string[] {
  const entries = [...(certificate.subjectAltName ?? '').matchAll(/(?:^|, )(?:DNS|IP Address):([^,]*)/g)]
  return entries.map(([, text = '']) => canonical(text))
}

function canonical(text: string): string {
  try {
    return certificateHost(text).value
  } catch {
    return text
  }
}

/**
 * Reads one name.
 * @throws {SealwireError} `config_invalid` for a wildcard and for what is neither a DNS name nor an IP address.
 */
export function certificateHost(text: string): CertificateHost {
  const family = isIP(text)
  if (family === 4) return { type: 'ip', value: text }
  // A zone (fe80::1%eth0) means something on one machine only and has no place in a certificate.
  if (family === 6 && !text.includes('%')) return { type: 'ip', value: compressed(text) }
  if (text.includes('*')) {
    throw new SealwireError('config_invalid', `the host ${JSON.stringify(text)} is a wildcard`, {
      hint: 'name each host by itself: the option may be repeated',
    })
  }
  const name = text.toLowerCase()
  if (isDnsName(name)) return { type: 'dns', value: name }
  throw new SealwireError('config_invalid', `the host ${JSON.stringify(text)} is neither a DNS name nor an IP address`, {
    hint: 'write it without port and brackets, such as chat.example or 192.0.2.1; an international name in its xn-- form',
  })
}

/** An IPv6 address as RFC 5952 writes it, but with an IPv4 tail in hexadecimal, which not every parser of URLs takes. */
function compressed(address: string): string {
  const [head, tail] = [address.slice(0, address.lastIndexOf(':') + 1), address.slice(address.lastIndexOf(':') + 1)]
  return new URL(`http://[${head}${tail.includes('.') ? groups(tail) : tail}]/`).hostname.slice(1, -1)
}

function groups(ipv4: string): string {
  const hex = Buffer.from(ipv4.split('.').map(Number)).toString('hex')
  return `${hex.slice(0, 4)}:${hex.slice(4)}`
}

/** RFC 1123 §2.1: labels of letters, digits and inner hyphens; a last label of digits would be a mistyped address. */
function isDnsName(name: string): boolean {
  const labels = name.split('.')
  return name.length <= 253 && labels.every((label) => dnsLabel.test(label)) && !/^\d+$/.test(labels.at(-1) ?? '')
}

const dnsLabel = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/
const loopbackHosts = ['localhost', '127.0.0.1', '::1']
