// One start of its own process: loads the identity of the folder it is given and says what that took.
//   load-identity.ts FOLDER [HOST…]

import { systemClock } from '../../src/domain/clock.ts'
import { loadServerIdentity } from '../../src/pki/index.ts'

const [folder = '', ...hosts] = process.argv.slice(2)
const before = performance.now()
const { fingerprint, written } = await loadServerIdentity({ folder, hosts }, { clock: systemClock })
const tookMs = performance.now() - before
// The library that writes certificates cannot be loaded without this global.
console.log(JSON.stringify({ fingerprint, written, tookMs, libraryLoaded: 'getMetadata' in Reflect }))
