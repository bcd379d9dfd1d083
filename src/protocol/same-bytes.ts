/** Whether two byte strings are the same; none is the same as none. Not for secrets: its time depends on where they differ. */
export function sameBytes(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  if (one === undefined || other === undefined) return one === other
  return one.length === other.length && one.every((byte, at) => byte === other[at])
}
