// What a client says first (RFC 8446 §4.1.2).

/** The extensions of a ClientHello (RFC 8446 §4.1.2), by their numbers. */
export function extensionsOf(record: Buffer): ReadonlyMap<number, Buffer> {
  const afterSession = 44 + record.readUInt8(43)
  const afterCiphers = afterSession + 2 + record.readUInt16BE(afterSession)
  let at = afterCiphers + 1 + record.readUInt8(afterCiphers) + 2
  const extensions = new Map<number, Buffer>()
  while (at + 4 <= record.length) {
    const end = at + 4 + record.readUInt16BE(at + 2)
    extensions.set(record.readUInt16BE(at), record.subarray(at + 4, end))
    at = end
  }
  return extensions
}

export const [serverName, applicationProtocols, preSharedKey, earlyData, supportedVersions] = [0, 16, 41, 42, 43] as const
