// A smaller input that goes the same way: what is kept is kept for ever, and read by people.

import type { Behaviour, FuzzTarget } from './target.ts'

/** As few bytes of `input` as bring the same behaviour: pieces are left out, the larger ones first. */
export async function minimize(target: FuzzTarget, input: Uint8Array, behaviour: Behaviour): Promise<Uint8Array> {
  let smallest = input
  for (let size = input.length >> 1; size > 0; size >>= 1) {
    for (let at = 0; at + size <= smallest.length; ) {
      const shorter = new Uint8Array([...smallest.subarray(0, at), ...smallest.subarray(at + size)])
      if (await behaves(target, shorter, behaviour)) smallest = shorter
      else at += size
    }
  }
  return smallest
}

async function behaves(target: FuzzTarget, input: Uint8Array, behaviour: Behaviour): Promise<boolean> {
  try {
    return (await target.run(input.slice())) === behaviour
  } catch {
    return false
  }
}
