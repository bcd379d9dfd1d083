// The address that invite links name. The server knows it while it runs, and leaves it in a file of the data folder for
// the commands that run without it.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { certificateHost } from '../../pki/index.ts'
import { removeDurably, writeDurably } from '../../pki/durable-file.ts'
import { defaultEndpoint, type ServeConfig } from '../serve/config.ts'
import { type Endpoint, formatEndpoint, parseEndpoint } from '../options/endpoint.ts'
import { commandLine } from '../options/origin.ts'

/** Files of the data folder that hold an address: for TLS, for the sealed channel, and where devices log in if people join elsewhere. */
export type AddressFile = 'address' | 'sealed-address' | 'device-address'

/**
 * Under which address clients are invited: the first `--host`, else the first address listened at, with the port in use
 * there. An address that means every one is this machine's own.
 */
export function inviteAddress({ hosts, listen }: Pick<ServeConfig, 'hosts' | 'listen'>, endpoints: readonly Endpoint[]): Endpoint {
  const host = hosts[0] ?? listen[0]?.host ?? ''
  return { host: linkHost(everywhere.get(host) ?? host), port: endpoints[0]?.port ?? defaultEndpoint.port }
}

/** Notes the address for {@link recallAddress}; a start with the same address writes nothing. */
export function rememberAddress(folder: string, address: Endpoint, file: AddressFile = 'address'): void {
  const known = recallAddress(folder, file)
  if (known !== undefined && formatEndpoint(known) === formatEndpoint(address)) return
  writeDurably(join(folder, file), `${formatEndpoint(address)}\n`, 0o600)
}

/** The address that the last server in this folder had; `undefined` when none is known. */
export function recallAddress(folder: string, file: AddressFile = 'address'): Endpoint | undefined {
  try {
    const address = parseEndpoint(readFileSync(join(folder, file), 'utf8').trimEnd(), commandLine(file))
    return address.port === 0 ? undefined : address
  } catch {
    // Nothing depends on it: the command says which address it takes instead.
    return undefined
  }
}

/** There is no such address any more. */
export function forgetAddress(folder: string, file: AddressFile): void {
  if (existsSync(join(folder, file))) removeDurably(join(folder, file))
}

/** A name as certificates and links have it. What neither can have (fe80::1%eth0) is dialled on this machine only. */
function linkHost(host: string): string {
  try {
    return certificateHost(host).value
  } catch {
    return 'localhost'
  }
}

const everywhere: ReadonlyMap<string, string> = new Map([
  ['0.0.0.0', '127.0.0.1'],
  ['::', '::1'],
])
