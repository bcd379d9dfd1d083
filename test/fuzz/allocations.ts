// Room that is made for bytes which never come: what a length that lies would cost.

import { Chance } from './chance.ts'
import { must } from './target.ts'

/** Runs `read` on an input; for one input in 64 it also sees that no array is made that is longer than twice the input. */
export function withinReason<T>(input: Uint8Array, read: () => T): T {
  if (!Chance.of(input).oneIn(64)) return read()
  const real = globalThis.Uint8Array
  let longest = 0
  globalThis.Uint8Array = new Proxy(real, {
    construct(target, parameters: ConstructorParameters<typeof Uint8Array>) {
      const [first] = parameters as readonly unknown[]
      if (typeof first === 'number') longest = Math.max(longest, first)
      return Reflect.construct(target, parameters)
    },
  })
  try {
    return read()
  } finally {
    globalThis.Uint8Array = real
    must(longest <= 2 * input.length + smallBytes, `room is made for what came, not ${longest} bytes for ${input.length}`)
  }
}

/** Room that may be there for whatever comes. */
const smallBytes = 256
