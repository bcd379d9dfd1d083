// CRC-32 with the zlib polynomial (reflected 0xEDB88320). It finds line noise and is no security: it is linear and has
// no key. The portable version runs everywhere; a runtime with a native one passes that to decoder and encoder instead.

/** The CRC-32 of `bytes[start, end)` as an unsigned 32-bit number. */
export type Checksum = (bytes: Uint8Array, start: number, end: number) => number

/** Portable CRC-32, eight bytes a step. */
export const crc32: Checksum = (bytes, start, end) => {
  let crc = ~0
  let at = start
  for (; at + 8 <= end; at += 8) {
    crc ^= word(bytes, at)
    const high = word(bytes, at + 4)
    crc =
      slice(7, crc) ^
      slice(6, crc >>> 8) ^
      slice(5, crc >>> 16) ^
      slice(4, crc >>> 24) ^
      slice(3, high) ^
      slice(2, high >>> 8) ^
      slice(1, high >>> 16) ^
      slice(0, high >>> 24)
  }
  for (; at < end; at++) crc = slice(0, crc ^ (bytes[at] as number)) ^ (crc >>> 8)
  return ~crc >>> 0
}

/** Row `k` of the table advances a byte past `k` further zero bytes ("slicing by eight"). */
const table = makeTable()

function slice(row: number, byte: number): number {
  return table[(row << 8) | (byte & 0xff)] as number
}

function word(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24)
}

function makeTable(): Int32Array {
  const rows = new Int32Array(8 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1
    rows[byte] = crc
  }
  for (let at = 256; at < rows.length; at++) {
    const before = rows[at - 256] as number
    rows[at] = (rows[before & 0xff] as number) ^ (before >>> 8)
  }
  return rows
}
