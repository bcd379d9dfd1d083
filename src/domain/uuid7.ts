// UUIDs of version 7 (RFC 9562 §5.7): a moment, and bytes that nobody else has. Clients and servers make their ids alike.

/** Makes of 16 bytes, changed in place, a UUID of the moment `now`, milliseconds since 1970. 74 of their bits stay as they are. */
export function stampUuid7<Bytes extends Uint8Array>(bytes: Bytes, now: number): Bytes {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  view.setUint32(0, Math.floor(now / 0x1_0000))
  view.setUint16(4, now % 0x1_0000)
  view.setUint8(6, (view.getUint8(6) & 0x0f) | 0x70)
  view.setUint8(8, (view.getUint8(8) & 0x3f) | 0x80)
  return bytes
}
