import { expect, test } from 'bun:test'
import { dialTls } from '../../src/link/index.ts'
import { NodeTlsLink } from '../../src/link/tls/node-link.ts'
import { testIdentity } from '../support/tls-identity.ts'
import { TestListener } from '../support/tls-pair.ts'

test('listenTls takes the sockets of the runtime that it is on', async () => {
  const identity = await testIdentity()
  using server = await TestListener.start(identity)
  const client = await dialTls({ host: '127.0.0.1', port: server.port, roots: identity.roots, timeoutMs: 5000 }, server.context)
  const { link } = await server.first()
  expect(link instanceof NodeTlsLink).toBe(process.versions.bun === undefined)
  client.terminate()
})
