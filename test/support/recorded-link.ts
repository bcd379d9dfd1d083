// A link of which a copy is kept.

import type { DialledLink } from '../../src/link/index.ts'

/** Keeps a copy of what comes, before anybody reads it. */
export function recorded(link: DialledLink, carried: Buffer[]): DialledLink {
  const attach = link.attach.bind(link)
  link.attach = (receiver) =>
    attach({
      received: (bytes) => {
        carried.push(Buffer.from(bytes))
        receiver.received(bytes)
      },
      drained: () => receiver.drained(),
      closed: (end) => receiver.closed(end),
    })
  return link
}
