// What a server is to its clients: an authority of its own, and a certificate from it. The first start makes both in
// the data folder, every later start checks them, and renews the certificate when it is time.
//
//   ca.key      the authority's key; the pin is the hash of its public half      made once; a rotation replaces it
//   ca.crt      its certificate, 10 years                                        made again from the key if missing
//   server.key  the server's key                                                 made once
//   server.crt  its certificate, 90 days, and the authority's                    renewed at two thirds, or for new hosts
//   ca-old.crt  what is left of the authorities before (former-authorities.ts)   made by a rotation

import type { KeyObject, X509Certificate } from 'node:crypto'
import type { Clock } from '../domain/clock.ts'
import { type Authority, openAuthority } from './authority.ts'
import { certificateHosts } from './certificate-host.ts'
import { type FormerAuthorities, readFormerAuthorities } from './former-authorities.ts'
import { type IdentityFile, IdentityFolder } from './identity-folder.ts'
import { spkiPin } from './pin.ts'
import { finishRotation } from './rotation.ts'
import { openServerCertificate, renewalTime, type ServerCertificate } from './server-certificate.ts'

/** Which identity is wanted. */
export interface ServerIdentityOptions {
  /** The data folder. It is made, for its owner only, if it does not exist. Its lock is held by the caller. */
  readonly folder: string
  /** Names and addresses under which clients dial, beside localhost, 127.0.0.1 and ::1. Default: none. */
  readonly hosts?: readonly string[]
  /** Renew the server's certificate, though it may not be due. Default: false. */
  readonly renew?: boolean
}

/**
 * The identity in a data folder, made there if this is the first start. Call it again to renew: links that are open
 * keep what they have.
 * @throws {SealwireError} `config_invalid` for an impossible host; `key_missing` when a certificate is there without
 * its key; `key_unsafe` when a key is open to other users or belongs to one; `key_malformed` when it is no P-256 key;
 * `certificate_invalid` when a certificate is unreadable, does not belong to its key or its authority, is not valid
 * yet, or when the authority's has expired; `storage_full` or `data_unusable` when the folder cannot be used.
 */
export async function loadServerIdentity(
  { folder: path, hosts: asked = [], renew = false }: ServerIdentityOptions,
  { clock }: { readonly clock: Clock },
): Promise<ServerIdentity> {
  const hosts = certificateHosts(asked)
  const folder = new IdentityFolder(path)
  const now = clock.now()
  finishRotation(folder)
  const authority = await openAuthority(folder, now)
  const former = readFormerAuthorities(folder, authority, now)
  const server = await openServerCertificate(folder, authority, hosts, now, { former, renew })
  return new ServerIdentity(server, { authority, former, written: folder.written })
}

/** For whom a server whose authority was replaced is still found: those who know the key before. */
export interface Overlap {
  /** The pin of the authority before: `SHA256:…`. */
  readonly fingerprint: string
  /** When it is over: milliseconds since 1970. */
  readonly until: number
}

/** A server's certificate, its key, and what follows from them. Times are milliseconds since 1970. */
export class ServerIdentity {
  /** The pin of the authority's key, `SHA256:…`: what clients compare and remember. */
  readonly fingerprint: string
  /** The server's certificate and the authorities', in PEM: what a TLS server is given. */
  readonly certificateChainPem: string
  /** The authority's certificate in PEM: the only root a client needs. */
  readonly authorityPem: string
  /** The authorities that a device may have a certificate from, in PEM: that of today and those before. */
  readonly deviceAuthoritiesPem: string
  /** When the server's certificate expires. */
  readonly notAfter: number
  /** From when on {@link loadServerIdentity} renews it. */
  readonly renewAt: number
  /** When the authority expires. */
  readonly authorityNotAfter: number
  /** After a rotation, until it is over. */
  readonly overlap: Overlap | undefined
  /** The files that loading has made or renewed. */
  readonly written: readonly IdentityFile[]
  readonly #key: KeyObject
  readonly #authority: Authority

  constructor({ chain, key }: ServerCertificate, { authority, former, written }: ServerIdentityParts) {
    this.fingerprint = spkiPin(authority.certificate)
    this.certificateChainPem = pem(chain)
    this.authorityPem = authority.certificate.toString()
    this.deviceAuthoritiesPem = pem([authority.certificate, ...former.certificates])
    this.notAfter = chain[0].validToDate.getTime()
    this.renewAt = renewalTime(chain[0])
    this.authorityNotAfter = authority.certificate.validToDate.getTime()
    this.overlap = overlapOf(former)
    this.written = written
    this.#key = key
    this.#authority = authority
    Object.freeze(this)
  }

  /** The server's private key (PKCS #8 PEM). Exported when asked for, so that it stands in no print of this object. */
  get keyPem(): string {
    return this.#key.export({ type: 'pkcs8', format: 'pem' }).toString()
  }

  /** What signs the certificates of devices. */
  get authority(): Authority {
    return this.#authority
  }
}

interface ServerIdentityParts {
  readonly authority: Authority
  readonly former: FormerAuthorities
  readonly written: readonly IdentityFile[]
}

function overlapOf({ bridge }: FormerAuthorities): Overlap | undefined {
  if (bridge === undefined) return undefined
  return { fingerprint: spkiPin(bridge.root), until: bridge.certificate.validToDate.getTime() }
}

function pem(certificates: readonly X509Certificate[]): string {
  return certificates.map((certificate) => certificate.toString()).join('')
}
