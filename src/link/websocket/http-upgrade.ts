// The request with which a WebSocket begins (RFC 6455 §4.2), and what is answered. This is no web server: it knows one address
// and tells everybody else in a sentence what is here.

import { createHash } from 'node:crypto'
import { webSocketProtocol } from './frame.ts'

/** Where clients connect to: `wss://HOST:PORT/sealwire`. */
export const webPath = '/sealwire'

/** What is made of a request. */
export interface UpgradeAnswer {
  /** Whether the connection is a WebSocket behind the answer; else it is closed. */
  readonly isUpgraded: boolean
  readonly response: string
}

/**
 * The answer to a request, given as far as the empty line that ends its head. `origins`: pages that may connect from elsewhere
 * than from this very host and port, such as `https://chat.example`.
 */
export function answerUpgrade(head: string, origins: readonly string[]): UpgradeAnswer {
  const request = parseHead(head)
  if (request === undefined) return refuse(400, 'this is no request that is understood here')
  const { method, path, headers } = request
  const header = (name: string): string => headers.get(name) ?? ''
  if (method !== 'GET') return refuse(405, 'only GET is understood here', ['Allow: GET'])
  if (path !== webPath) return refuse(404, `this is a Sealwire server: clients connect to ${webPath}`)
  if (!listed(header('upgrade'), 'websocket') || !listed(header('connection'), 'upgrade')) {
    return refuse(426, 'this address is for WebSocket clients', ['Upgrade: websocket'])
  }
  if (header('sec-websocket-version') !== '13') return refuse(426, 'version 13 of WebSocket is spoken here', ['Sec-WebSocket-Version: 13'])
  const key = header('sec-websocket-key')
  if (!/^[A-Za-z0-9+/]{22}==$/.test(key) || header('host') === '') return refuse(400, 'this is no WebSocket request')
  if (headers.has('content-length') || headers.has('transfer-encoding')) return refuse(400, 'this request has a body')
  if (!isWelcome(headers.get('origin'), header('host'), origins)) return refuse(403, 'pages of this origin may not connect here')
  return accept(key, headers.get('sec-websocket-protocol'))
}

/** What is said to a request whose head is longer than is read. */
export function tooLong(): UpgradeAnswer {
  return refuse(431, 'the request is too long')
}

interface RequestHead {
  readonly method: string
  readonly path: string
  /** By names in lower case; values of the same name are joined by commas. */
  readonly headers: ReadonlyMap<string, string>
}

/** RFC 9112: nothing lenient, because whoever is lenient is read differently by somebody in between. */
function parseHead(head: string): RequestHead | undefined {
  const [first = '', ...lines] = head.split('\r\n')
  const [, method, path] = /^([A-Z]+) ([\x21-\x7e]+) HTTP\/1\.1$/.exec(first) ?? []
  if (method === undefined || path === undefined) return undefined
  const headers = new Map<string, string>()
  for (const line of lines) {
    const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\0\r\n]*?)[ \t]*$/.exec(line) ?? []
    if (name === undefined || value === undefined) return undefined
    const key = name.toLowerCase()
    const before = headers.get(key)
    headers.set(key, before === undefined ? value : `${before}, ${value}`)
  }
  return { method, path, headers }
}

/** No browser is at the other end, or its page is from here, or from where the operator said. */
function isWelcome(origin: string | undefined, host: string, origins: readonly string[]): boolean {
  if (origin === undefined) return true
  return origin.toLowerCase() === `https://${host.toLowerCase()}` || origins.includes(origin)
}

function accept(key: string, offered: string | undefined): UpgradeAnswer {
  if (offered !== undefined && !listed(offered, webSocketProtocol)) return refuse(400, `the subprotocol is ${webSocketProtocol}`)
  const proof = createHash('sha1').update(`${key}${acceptMagic}`).digest('base64')
  const lines = ['Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${proof}`]
  if (offered !== undefined) lines.push(`Sec-WebSocket-Protocol: ${webSocketProtocol}`)
  return { isUpgraded: true, response: `HTTP/1.1 101 Switching Protocols\r\n${lines.join('\r\n')}\r\n\r\n` }
}

function refuse(status: keyof typeof statusWords, sentence: string, more: readonly string[] = []): UpgradeAnswer {
  const body = `${sentence}\n`
  const lines = [
    ...more,
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${body.length}`,
    'Connection: close',
    'X-Content-Type-Options: nosniff',
  ]
  return { isUpgraded: false, response: `HTTP/1.1 ${status} ${statusWords[status]}\r\n${lines.join('\r\n')}\r\n\r\n${body}` }
}

/** Whether a list with commas has a word, in whatever case. */
function listed(list: string, word: string): boolean {
  return list.split(',').some((each) => each.trim().toLowerCase() === word)
}

/** RFC 6455 §1.3. */
const acceptMagic = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const statusWords = {
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  426: 'Upgrade Required',
  431: 'Request Header Fields Too Large',
} as const
