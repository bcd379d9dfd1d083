// The operator's certificate and key in two files, which are replaced again and again by pairs of one authority.

import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { authorityExtensions, type CertificateFiles, type OpensslFolder } from './openssl.ts'

export class CertificatePairs {
  /** Where the server looks for them. */
  readonly certificate: string
  readonly key: string
  /** Path of what clients trust. */
  readonly authority: string
  readonly #made: OpensslFolder
  readonly #root: CertificateFiles
  made = 0

  constructor(made: OpensslFolder) {
    this.#made = made
    this.#root = made.make({ subject: 'Operator CA', extensions: authorityExtensions, until: daysMax * 24 })
    this.certificate = made.file('chain.pem')
    this.key = made.file('key.pem')
    this.authority = this.#root.certificate
  }

  /** Another pair in their place, the certificate first: for a moment the two do not belong together. Its serial number. */
  put(): string {
    this.made += 1
    const extensions = [
      'subjectAltName=DNS:localhost,IP:127.0.0.1',
      'extendedKeyUsage=serverAuth',
      'authorityKeyIdentifier=keyid',
      'subjectKeyIdentifier=hash',
    ]
    const { certificate, key } = this.#made.make({ subject: 'server', issuer: this.#root, extensions, until: daysMax * 24 })
    const chain = readFileSync(certificate, 'utf8') + readFileSync(this.authority, 'utf8')
    for (const [path, text] of [
      [this.certificate, chain],
      [this.key, readFileSync(key, 'utf8')],
    ] as const) {
      writeFileSync(`${path}.new`, text, { mode: 0o600 })
      renameSync(`${path}.new`, path)
    }
    return this.#made.run('x509', '-noout', '-serial', '-in', certificate)
  }

  /** The serial number of the certificate that a client of openssl sees. */
  shown(port: number): string {
    const seen = this.#made.run('s_client', '-connect', `127.0.0.1:${port}`, '-servername', 'localhost')
    const pem = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/.exec(seen)?.[0] ?? ''
    writeFileSync(this.#made.file('shown.pem'), pem)
    return this.#made.run('x509', '-noout', '-serial', '-in', this.#made.file('shown.pem'))
  }
}

/** Longer than a server warns of. */
const daysMax = 80
