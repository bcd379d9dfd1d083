// What the page of the browser test is made of: the client as a program in a browser has it.

import { connectWeb, openWebDevice } from '../../src/client/web.ts'
import { newWebKeys } from '../../src/client/web/keys.ts'

Object.assign(globalThis, { sealwire: { connectWeb, openWebDevice, newWebKeys } })
