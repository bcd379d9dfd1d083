import { relayedLinkCompliance } from '../../compliance/relayed-link.ts'
import { testIdentity } from '../../support/tls-identity.ts'
import { dialWeb, webListen } from '../../support/web-listener.ts'

const identity = await testIdentity()

relayedLinkCompliance('WebSocket', {
  identity,
  listen: webListen(),
  dial: async (port, context) => (await dialWeb(port, identity, context)).link,
})
