/** Room for a first piece that a read cut off; it doubles from here. */
const bytesFirst = 64

/** A buffer with room for `length` bytes that begins with the `used` bytes of `bytes`: the same one, or one at least twice as large. */
export function roomFor(bytes: Uint8Array, used: number, length: number): Uint8Array {
  if (length <= bytes.length) return bytes
  const grown = new Uint8Array(Math.max(bytesFirst, bytes.length * 2, length))
  grown.set(bytes.subarray(0, used))
  return grown
}
