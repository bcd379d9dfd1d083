// What a server is to its clients: an authority of its own, and a certificate from it. The first start makes both in
// the data folder, every later start checks them, and renews the certificate when it is time.
//
//   ca.key      the authority's key; the pin is the hash of its public half      made once, never replaced
//   ca.crt      its certificate, 10 years                                        made again from the key if missing
//   server.key  the server's key                                                 made once
//   server.crt  its certificate, 90 days, and the authority's                    renewed at two thirds, or for new hosts

import type { KeyObject } from 'node:crypto'
import type { Clock } from '../domain/clock.ts'
import { openAuthority } from './authority.ts'
import { certificateHosts } from './certificate-host.ts'
import { type IdentityFile, IdentityFolder } from './identity-folder.ts'
import { spkiPin } from './pin.ts'
import { openServerCertificate, renewalTime, type ServerCertificate } from './server-certificate.ts'

/** Which identity is wanted. */
export interface ServerIdentityOptions {
  /** The data folder. It is made, for its owner only, if it does not exist. Its lock is held by the caller. */
  readonly folder: string
  /** Names and addresses under which clients dial, beside localhost, 127.0.0.1 and ::1. Default: none. */
  readonly hosts?: readonly string[]
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
  { folder: path, hosts: asked = [] }: ServerIdentityOptions,
  { clock }: { readonly clock: Clock },
): Promise<ServerIdentity> {
  const hosts = certificateHosts(asked)
  const folder = new IdentityFolder(path)
  const now = clock.now()
  const authority = await openAuthority(folder, now)
  return new ServerIdentity(await openServerCertificate(folder, authority, hosts, now), folder.written)
}

/** A server's certificate, its key, and what follows from them. Times are milliseconds since 1970. */
export class ServerIdentity {
  /** The pin of the authority's key, `SHA256:…`: what clients compare and remember. */
  readonly fingerprint: string
  /** The server's certificate and the authority's, in PEM: what a TLS server is given. */
  readonly certificateChainPem: string
  /** The authority's certificate in PEM: the only root a client needs. */
  readonly authorityPem: string
  /** When the server's certificate expires. */
  readonly notAfter: number
  /** From when on {@link loadServerIdentity} renews it. */
  readonly renewAt: number
  /** When the authority expires. */
  readonly authorityNotAfter: number
  /** The files that loading has made or renewed. */
  readonly written: readonly IdentityFile[]
  readonly #key: KeyObject

  constructor({ chain, key }: ServerCertificate, written: readonly IdentityFile[]) {
    const [leaf, authority] = chain
    this.fingerprint = spkiPin(authority)
    this.certificateChainPem = chain.map((certificate) => certificate.toString()).join('')
    this.authorityPem = authority.toString()
    this.notAfter = leaf.validToDate.getTime()
    this.renewAt = renewalTime(leaf)
    this.authorityNotAfter = authority.validToDate.getTime()
    this.written = written
    this.#key = key
    Object.freeze(this)
  }

  /** The server's private key (PKCS #8 PEM). Exported when asked for, so that it stands in no print of this object. */
  get keyPem(): string {
    return this.#key.export({ type: 'pkcs8', format: 'pem' }).toString()
  }
}
