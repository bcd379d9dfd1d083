// The disk of a device of order-world.ts. It outlives the program; what was not on it is lost.

import type { HeardMessage } from '../../../src/client/direct/heard-store.ts'
import { MemoryHeard } from '../../../src/client/direct/heard-store.ts'
import { MemoryOutbox, type OutboxEntry } from '../../../src/client/outbox/store.ts'
import { SealwireError } from '../../../src/protocol/index.ts'
import { Channel } from './order-wires.ts'
import type { Process } from './order-world.ts'

/** A disk that takes its time; what was not on it is lost with the process. */
export class Disk {
  readonly channel = new Channel()

  write(step: () => Promise<void>): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.channel.add(() => void step().then(resolve, reject))
    return promise
  }
}

export function outboxOn({ disk, device }: Process): MemoryOutbox {
  const { outbox } = device
  return Object.assign(new MemoryOutbox(), {
    load: () => outbox.load(),
    add: (entry: OutboxEntry) => disk.write(() => outbox.add(entry)),
    remove: (id: string) => disk.write(() => outbox.remove(id)),
  })
}

export function heardOn({ disk, device, world }: Process): MemoryHeard {
  const { heard } = device
  const store: MemoryHeard = Object.assign(new MemoryHeard(), {
    load: () => heard.load(),
    has: (key: string) => heard.has(key),
    hashOf: (key: string) => heard.hashOf(key),
    countOf: (conversation: number) => heard.countOf(conversation),
    add: (message: HeardMessage) =>
      disk.write(async () => {
        if (world.random() < world.diskFull) throw new SealwireError('storage_full', 'as chance has it')
        await heard.add(message)
      }),
    remove: (key: string) => disk.write(() => heard.remove(key)),
  })
  return Object.defineProperty(store, 'size', { get: () => heard.size })
}
