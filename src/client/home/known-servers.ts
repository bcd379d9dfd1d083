// The servers that were trusted once, and by which key: `HOST:PORT SHA256:… FIRST-SEEN` a line, for people to read and
// edit. Lines that begin with # and empty ones are theirs. An entry is replaced by a key that the one before has signed,
// which stands behind it then, and by no other: a key that has changed is either an attack or something that the operator
// can confirm, and only a person can tell which.

import { isIPv6 } from 'node:net'
import { certificateHost } from '../../pki/certificate-host.ts'
import { isPin } from '../../pki/pin.ts'
import { SealwireError } from '../../protocol/errors.ts'
import { limitTable } from '../../protocol/limits.ts'
import { type Endpoint, formatEndpoint, readEndpoint } from './endpoint.ts'
import { damaged, type Home } from './home.ts'

export class KnownServers {
  readonly #home: Home

  constructor(home: Home) {
    this.#home = home
  }

  /**
   * The pin by which `server` is known, or `undefined`.
   * @throws {SealwireError} `key_unsafe`, `config_invalid` or `data_unusable` when the file is of no use.
   */
  pinOf(server: Endpoint): string | undefined {
    return parse(this.#path, this.#text()).get(keyOf(server))?.pin
  }

  /** The pin that has taken the place of `pin`, where a command was ended before it could say so to the profile; else `pin`. */
  successorOf(server: Endpoint, pin: string): string {
    const known = parse(this.#path, this.#text()).get(keyOf(server))
    return known?.before === pin ? known.pin : pin
  }

  /**
   * Replaces the key of `server`: its new one was signed by the old.
   * @throws {SealwireError} `untrusted` when it is known by neither, `storage_full`, and as {@link pinOf}.
   */
  replace(server: Endpoint, { before, pin }: { readonly before: string; readonly pin: string }, now: number): void {
    const { pin: known, line, before: earlier } = parse(this.#path, this.#text()).get(keyOf(server)) ?? {}
    if (known === pin) return
    if (earlier !== before) this.check(server, before)
    const lines = this.#text()
      .split('\n')
      .filter((_content, index) => index + 1 !== line)
    this.#write([`${keyOf(server)} ${pin} ${new Date(now).toISOString()} ${before}`, ...lines].join('\n'))
  }

  /**
   * Makes sure that `server` is not known by another key; one that is not known at all passes.
   * @throws {SealwireError} `untrusted` when it is, and as {@link pinOf}.
   */
  check(server: Endpoint, pin: string): void {
    const known = this.pinOf(server)
    if (known === undefined || known === pin) return
    throw new SealwireError('untrusted', `the key of ${keyOf(server)} has changed: it is ${pin} now, and was ${known}`, {
      hint: `ask the operator: somebody else may be answering; if they confirm the new one, remove the line for ${keyOf(server)} from ${this.#path}`,
    })
  }

  /**
   * Adds `server`, first seen at `now` (ms since 1970). One that is known by this key stays as it is.
   * @throws {SealwireError} `untrusted` when it is known by another one, `storage_full`, and as {@link pinOf}.
   */
  remember(server: Endpoint, pin: string, now: number): void {
    this.check(server, pin)
    const text = this.#text()
    if (parse(this.#path, text).has(keyOf(server))) return
    const line = `${keyOf(server)} ${pin} ${new Date(now).toISOString()}\n`
    const next = `${text === '' || text.endsWith('\n') ? text : `${text}\n`}${line}`
    this.#write(next)
  }

  #write(text: string): void {
    if (Buffer.byteLength(text) > bytesMax) throw damaged(this.#path, 'has no room for another server', 'remove lines from it')
    this.#home.write(file, text)
  }

  get #path(): string {
    return this.#home.pathOf(file)
  }

  #text(): string {
    return this.#home.read(file, bytesMax) ?? ''
  }
}

interface Entry {
  readonly pin: string
  /** The one that has signed it. */
  readonly before: string | undefined
  readonly line: number
}

function parse(path: string, text: string): ReadonlyMap<string, Entry> {
  const entries = new Map<string, Entry>()
  for (const [index, content] of text.split('\n').entries()) {
    if (/^\s*(#|$)/.test(content)) continue
    const line = index + 1
    const { key, pin, before } = parseLine(`${path}:${line}`, content)
    const earlier = entries.get(key)
    if (earlier !== undefined) throw damaged(`${path}:${line}`, `names ${key} again, after line ${earlier.line}`, 'remove one of the lines')
    entries.set(key, { pin, before, line })
  }
  return entries
}

function parseLine(place: string, content: string): Pick<Entry, 'pin' | 'before'> & { readonly key: string } {
  const [server = '', pin = '', seen = '', before, ...others] = content.trim().split(/\s+/)
  const hint = 'a line is HOST:PORT SHA256:… and when it was first seen, such as 2030-01-15T12:00:00.000Z'
  const isWhole = isPin(pin) && !Number.isNaN(Date.parse(seen)) && (before === undefined || isPin(before))
  if (!isWhole || others.length > 0) throw damaged(place, 'is not the line of a server', hint)
  const endpoint = readEndpoint(server)
  if ('fault' in endpoint) throw damaged(place, `${JSON.stringify(server)} ${endpoint.fault}`, endpoint.hint)
  return { key: keyOf(endpoint), pin, before }
}

/** One server has one key, however its host is written. */
function keyOf({ host, port }: Endpoint): string {
  // The zone of a link-local address (fe80::1%eth0) is not a part of any certificate, and still tells two servers apart.
  const [address = host, ...zone] = isIPv6(host) ? host.split('%') : [host]
  return formatEndpoint({ host: [certificateHost(address).value, ...zone].join('%'), port })
}

const file = 'known_servers'
const bytesMax = limitTable.knownServersBytesMax.value
