// Chance is given to whoever needs it, as time is, so that the simulator can be its master.

/** Fills an array with random bytes; `crypto.getRandomValues` is one. */
export type Randomness = (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>

/** That of the runtime. */
export const systemRandomness: Randomness = (bytes) => crypto.getRandomValues(bytes)
