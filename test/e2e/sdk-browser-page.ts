// What the page of the SDK's browser test is made of: the SDK as a program in a browser has it.

import { blobSource, IndexedDbOutbox, MemoryOutbox, newMessageId, Sealwire } from '../../src/client/index.ts'
import { connectWeb, openWebDevice, webOpen } from '../../src/client/web.ts'

Object.assign(globalThis, {
  sealwire: { blobSource, connectWeb, IndexedDbOutbox, MemoryOutbox, newMessageId, openWebDevice, Sealwire, webOpen },
})
