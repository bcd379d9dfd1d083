/**
 * The lines of a stream as bytes, without their newlines; the last one also when it has none. A line that grows over
 * `bytesMax` is handed out as far as it has come, so that memory is bounded; whoever sends it finds it too long.
 */
export async function* inputLines(stream: AsyncIterable<Uint8Array>, bytesMax: number): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] = []
  let heldBytes = 0
  for await (const chunk of stream) {
    let start = 0
    for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, start)) {
      yield Buffer.concat([...held, chunk.subarray(start, at)])
      held = []
      heldBytes = 0
      start = at + 1
    }
    held.push(chunk.subarray(start))
    heldBytes += chunk.length - start
    if (heldBytes <= bytesMax) continue
    yield Buffer.concat(held)
    return
  }
  if (heldBytes > 0) yield Buffer.concat(held)
}

const newline = 0x0a
