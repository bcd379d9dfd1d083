// Lets Node run test files that are written for Bun: node --import ./test/support/node/hooks.ts FILE

import { registerHooks } from 'node:module'

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'bun:test' ? { url: new URL('./bun-test.ts', import.meta.url).href, shortCircuit: true } : next(specifier, context),
})
