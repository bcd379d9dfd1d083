import { describe, expect, test } from 'bun:test'
import { answerUpgrade } from '../../../src/link/websocket/http-upgrade.ts'
import { upgradeRequest } from '../../support/web-listener.ts'

const host = 'chat.example:8443'
const good = upgradeRequest(host)

function statusOf(request: string, origins: readonly string[] = []): number {
  const { response, isUpgraded } = answerUpgrade(request.replace(/\r\n\r\n$/, ''), origins)
  const status = Number(/^HTTP\/1\.1 (\d{3}) [ A-Za-z]+\r\n/.exec(response)?.[1])
  expect([isUpgraded, response.includes('\r\n\r\n')]).toEqual([status === 101, true])
  return status
}

const withLines = (...lines: readonly string[]): string => upgradeRequest(host, lines)

describe('answerUpgrade', () => {
  test('takes the request of RFC 6455 §1.3 and proves that it was read', () => {
    const { response } = answerUpgrade(good.trimEnd(), [])
    expect(response).toContain('Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n')
    expect(response).not.toContain('Sec-WebSocket-Protocol')
  })

  test('agrees on the subprotocol, and refuses a client that offers only others', () => {
    const { response } = answerUpgrade(withLines('Sec-WebSocket-Protocol: chat, sealwire.1').trimEnd(), [])
    expect(response).toContain('Sec-WebSocket-Protocol: sealwire.1\r\n')
    expect(statusOf(withLines('Sec-WebSocket-Protocol: chat'))).toBe(400)
  })

  test('agrees on no extension', () => {
    const { response } = answerUpgrade(withLines('Sec-WebSocket-Extensions: permessage-deflate').trimEnd(), [])
    expect(response).toMatch(/^HTTP\/1\.1 101 /)
    expect(response).not.toContain('Extensions')
  })

  test.each([
    ['none', [], [], 101],
    ['the same host and port', ['Origin: https://chat.example:8443'], [], 101],
    ['the same in capitals', ['Origin: https://CHAT.example:8443'], [], 101],
    ['another port', ['Origin: https://chat.example'], [], 403],
    ['another host', ['Origin: https://evil.example:8443'], [], 403],
    ['the same without TLS', ['Origin: http://chat.example:8443'], [], 403],
    ['a page in a sandbox', ['Origin: null'], [], 403],
    ['two at once', ['Origin: https://chat.example:8443', 'Origin: https://chat.example:8443'], [], 403],
    ['one that the operator named', ['Origin: https://app.example'], ['https://app.example'], 101],
    ['one that only begins like it', ['Origin: https://app.example.evil'], ['https://app.example'], 403],
  ] as const)('as to the origin: %s', (_, lines, origins, status) => {
    expect(statusOf(withLines(...lines), origins)).toBe(status)
  })

  test.each([
    ['another address', good.replace('/sealwire', '/'), 404],
    ['an address with a question', good.replace('/sealwire', '/sealwire?a=1'), 404],
    ['another method', good.replace('GET', 'POST'), 405],
    ['no upgrade', good.replace('Upgrade: websocket\r\n', ''), 426],
    ['an upgrade that was not meant for us', good.replace('Connection: Upgrade', 'Connection: close'), 426],
    ['another version of WebSocket', good.replace('Version: 13', 'Version: 8'), 426],
    ['no key', good.replace(/Sec-WebSocket-Key: .*\r\n/, ''), 400],
    ['a key that is none', good.replace('dGhlIHNhbXBsZSBub25jZQ==', 'c2hvcnQ='), 400],
    ['two keys', withLines('Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='), 400],
    ['no host', good.replace(/Host: .*\r\n/, ''), 400],
    ['a body', withLines('Content-Length: 5'), 400],
    ['a body in chunks', withLines('Transfer-Encoding: chunked'), 400],
    ['HTTP/1.0', good.replace('HTTP/1.1', 'HTTP/1.0'), 400],
    ['a folded line', withLines('X-One: a', ' b'), 400],
    ['a space before a colon', withLines('X-One : a'), 400],
    ['a line without a name', withLines(': a'), 400],
    ['a bare line feed', withLines('X-One: a\nX-Two: b'), 400],
    ['nothing at all', '', 400],
  ] as const)('refuses %s', (_, request, status) => {
    expect(statusOf(request)).toBe(status)
  })
})
