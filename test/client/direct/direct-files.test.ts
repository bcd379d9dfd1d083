import { describe, expect, test } from 'bun:test'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readEntry } from '../../../src/client/content.ts'
import { DirectFiles } from '../../../src/client/direct/direct-files.ts'
import type { PeerLink } from '../../../src/client/direct/peer-link.ts'
import { type FileReference, Files, type FileWay } from '../../../src/client/files.ts'
import { disk, partOf } from '../../../src/client/home/disk.ts'
import type { Hasher } from '../../../src/client/sha256.ts'
import type { Method, Params, Result } from '../../../src/protocol/contract/index.ts'
import type { PeerParams } from '../../../src/protocol/direct/index.ts'
import { SealwireError } from '../../../src/protocol/index.ts'
import { PeerStage } from '../../support/peer-links.ts'
import { makePeers } from '../../support/peers.ts'
import { rejectionOf } from '../../support/refusal.ts'

const peers = await makePeers()
const id = Uint8Array.from({ length: 16 }, (_, at) => at)
const chunkBytes = 60_000
function nodeHasher(): Hasher {
  const hash = createHash('sha256')
  return { update: (bytes) => void hash.update(bytes), digest: () => new Uint8Array(hash.digest()) }
}
const hashOf = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(bytes).digest())

/** What the server has of files, and which chunks it was asked for. */
class ServerFiles {
  readonly files = new Map<string, Uint8Array>()
  readonly asked: number[] = []
  /** Changes what it gives. */
  lies = false

  async again<M extends Method>(method: M, params: Params<M>): Promise<Result<M>> {
    const { id: file, offset = 0, length = 0 } = params as Partial<Params<'file.get'>>
    const key = Buffer.from(file ?? []).toString('hex')
    const bytes = this.files.get(key) ?? new Uint8Array(0)
    if (method === 'file.begin') return { offset: 0 } as Result<M>
    if (method !== 'file.get') return {}
    this.asked.push(offset)
    const data = bytes.slice(offset, offset + length)
    return { data: this.lies ? data.map((byte) => byte ^ 1) : data } as Result<M>
  }

  async once<M extends Method>(method: M, params: Params<M>): Promise<Result<M>> {
    const { id: file, offset, data } = params as Params<'file.put'>
    expect<string>(method).toBe('file.put')
    const key = Buffer.from(file).toString('hex')
    this.files.set(key, new Uint8Array(Buffer.concat([(this.files.get(key) ?? new Uint8Array(0)).subarray(0, offset), data])))
    return { offset: offset + data.length } as Result<M>
  }

  async pause(): Promise<void> {}
}

/** Alice has sent Bob a file; Bob saves it, with links that the test makes. */
class FileStage implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'sealwire-direct-files-'))
  readonly server = new ServerFiles()
  readonly source = join(this.folder, 'source.bin')
  readonly target = join(this.folder, 'target.bin')
  readonly bytes: Uint8Array
  readonly file: FileReference
  readonly stage = new PeerStage(peers)
  readonly alice: { readonly files: Files; readonly direct: DirectFiles }
  readonly bob: { readonly files: Files; readonly direct: DirectFiles }
  /** Bob's. */
  links: PeerLink[] = []
  /** Chunks that Alice was asked for. */
  readonly asked: number[] = []
  readonly ways: FileWay[] = []
  /** In the place of Alice's answer. */
  answer: (params: PeerParams<'direct.file'>, asking: PeerLink) => Promise<{ data: Uint8Array }>

  constructor(size = 10 * chunkBytes + 17) {
    this.bytes = new Uint8Array(randomBytes(size))
    writeFileSync(this.source, this.bytes)
    this.file = { id, size, sha256: hashOf(this.bytes), from: 'Alice', device: 'alice'.repeat(32).slice(0, 32) }
    this.alice = this.#side(() => [])
    this.bob = this.#side((name) => (name.toLowerCase() === 'alice' ? this.links : []))
    this.answer = (params, asking) => this.alice.direct.answer(params, asking)
  }

  /** Alice sends it, to Bob unless said otherwise. */
  async sent(peer: string | undefined = 'bob'): Promise<this> {
    await this.alice.files.put(7, this.source, id, { peer })
    return this
  }

  /** A new link between the two. */
  async link(): Promise<{ alice: PeerLink; bob: PeerLink }> {
    const stage = new PeerStage(peers)
    const file = async (params: PeerParams<'direct.file'>, asking: PeerLink) => {
      this.asked.push(params.offset)
      return this.answer(params, asking)
    }
    const links = await stage.both({ 'direct.file': file })
    this.links = [links.bob]
    return links
  }

  async save(signal?: AbortSignal): Promise<void> {
    await this.bob.files.save(this.file, this.target, { signal, progress: (_done, _size, way) => void this.ways.push(way) })
    expect(Buffer.from(this.bytes).equals(readFileSync(this.target))).toBe(true)
  }

  #side(links: (name: string) => readonly PeerLink[]): FileStage['alice'] {
    const { clock, limits } = this.stage
    const direct = new DirectFiles({ clock, limits, disk, links })
    return { direct, files: new Files({ calls: this.server, limits, hasher: nodeHasher, disk, direct }) }
  }

  [Symbol.dispose](): void {
    for (const link of this.links) link.close()
    rmSync(this.folder, { recursive: true })
  }
}

describe('a file', () => {
  test('comes directly where there is a link with the device that has sent it', async () => {
    using stage = await new FileStage().sent()
    await stage.link()
    await stage.save()
    expect([stage.server.asked, stage.asked.length, new Set(stage.ways)]).toEqual([[], 11, new Set(['direct'])])
    const read: Uint8Array[] = []
    for await (const bytes of stage.bob.files.read(stage.file, {})) read.push(bytes)
    expect([Buffer.concat(read).equals(stage.bytes), stage.server.asked]).toEqual([true, []])
  })

  test('comes from the server where there is none, or none with that device', async () => {
    using stage = await new FileStage().sent()
    await stage.save()
    expect([stage.server.asked.length, new Set(stage.ways)]).toEqual([11, new Set(['relayed'])])
    await stage.link()
    for (const other of [{ device: 'another' }, { from: 'carol' }, { from: undefined }]) {
      for await (const bytes of stage.bob.files.read({ ...stage.file, ...other }, {})) expect(bytes.length).toBeGreaterThan(0)
    }
    expect([stage.server.asked.length, stage.asked]).toEqual([44, []])
    for await (const bytes of stage.bob.files.read({ ...stage.file, device: undefined }, {})) expect(bytes.length).toBeGreaterThan(0)
    expect([stage.server.asked.length, stage.asked.length]).toEqual([44, 11])
  })

  test('goes on from the server when the link dies in the middle, and directly when there is another', async () => {
    using stage = await new FileStage(30 * chunkBytes).sent()
    const { alice } = await stage.link()
    const answer = stage.answer
    stage.answer = async (params, asking) => {
      if (params.offset < 10 * chunkBytes) return answer(params, asking)
      alice.terminate(new SealwireError('connection_lost', 'the test cuts it'))
      return new Promise(() => {})
    }
    const again = stage.server.again.bind(stage.server)
    stage.server.again = async (method, params) => {
      if (stage.server.asked.length === 8) {
        stage.answer = answer
        await stage.link()
      }
      return again(method, params)
    }
    await stage.save()
    const relayed = stage.ways.filter((way) => way === 'relayed').length
    expect([stage.ways[0], relayed >= 8 && relayed < 20, stage.ways.at(-1)]).toEqual(['direct', true, 'direct'])
    expect([stage.ways.length, new Set([...stage.asked, ...stage.server.asked]).size]).toEqual([30, 30])
  })

  test('is not asked for again over a link that does not have it, or gives another length', async () => {
    const answers: FileStage['answer'][] = [
      async () => Promise.reject(new SealwireError('not_found', 'no such file')),
      async () => ({ data: new Uint8Array(3) }),
      async ({ length }) => ({ data: new Uint8Array(length - 1) }),
    ]
    for (const answer of answers) {
      using stage = await new FileStage().sent()
      await stage.link()
      stage.answer = answer
      await stage.save()
      expect([stage.server.asked.length, stage.asked.length, new Set(stage.ways)]).toEqual([11, 4, new Set(['relayed'])])
      await stage.link()
      stage.answer = (params, asking) => stage.alice.direct.answer(params, asking)
      for await (const bytes of stage.bob.files.read(stage.file, {})) expect(bytes.length).toBeGreaterThan(0)
      expect([stage.server.asked.length, stage.asked.length]).toEqual([11, 15])
    }
  })

  test('is known not to be there as far as there is room, and is asked for again when that is forgotten', async () => {
    using stage = await new FileStage().sent()
    await stage.link()
    stage.answer = async () => Promise.reject(new SealwireError('not_found', 'no such file'))
    const { clock, limits } = stage.stage
    const direct = new DirectFiles({ clock, limits: { ...limits, directFilesLeftMax: 1 }, disk, links: () => stage.links })
    const fileOf = (each: number): FileReference => ({ ...stage.file, id: new Uint8Array(16).fill(each) })
    const asks = async (each: number): Promise<number> => {
      await direct.chunk(fileOf(each), 0, 100, undefined)
      return stage.asked.splice(0).length
    }
    expect([await asks(1), await asks(1), await asks(2), await asks(2), await asks(1)]).toEqual([1, 0, 1, 0, 1])
    direct.distrust(fileOf(3))
    expect(await asks(3)).toBe(0)
    direct.distrust(fileOf(4))
    expect([await asks(4), await asks(3)]).toEqual([0, 1])
  })

  test('of which a chunk is refused with busy has that one from the server', async () => {
    using stage = await new FileStage().sent()
    await stage.link()
    const answer = stage.answer
    stage.answer = async (params, asking) => {
      if (params.offset === 5 * chunkBytes) throw new SealwireError('busy', 'not now')
      return answer(params, asking)
    }
    await stage.save()
    expect([stage.server.asked, stage.ways.filter((way) => way === 'direct').length]).toEqual([[5 * chunkBytes], 10])
  })

  test('whose chunk does not come is asked for at the server after 10 s', async () => {
    using stage = await new FileStage(2 * chunkBytes).sent()
    await stage.link()
    stage.answer = () => new Promise(() => {})
    const saved = stage.save()
    while (stage.asked.length < 2) await stage.stage.clock.move(1)
    await stage.stage.clock.move(10_000)
    await saved
    expect([stage.server.asked.length, stage.stage.clock.timers]).toEqual([2, 0])
  })

  test('about which a device lies comes from the server, whole', async () => {
    using stage = await new FileStage().sent()
    await stage.link()
    stage.answer = async ({ length }) => ({ data: new Uint8Array(length).fill(7) })
    await stage.save()
    expect([stage.server.asked.length, stage.asked.length]).toEqual([11, 11])
    expect([new Set(stage.ways.slice(0, 11)), new Set(stage.ways.slice(11))]).toEqual([new Set(['direct']), new Set(['relayed'])])
  })

  test('about which a device lies is read wrong once', async () => {
    using stage = await new FileStage().sent()
    await stage.link()
    stage.answer = async ({ length }) => ({ data: new Uint8Array(length).fill(7) })
    const all = async () => {
      const read: Uint8Array[] = []
      for await (const bytes of stage.bob.files.read(stage.file, {})) read.push(bytes)
      return Buffer.concat(read)
    }
    expect(await rejectionOf(all())).toBe('file_invalid')
    expect((await all()).equals(stage.bytes)).toBe(true)
  })

  test('that is wrong everywhere is file_invalid', async () => {
    using stage = await new FileStage().sent()
    await stage.link()
    stage.server.lies = true
    stage.answer = async ({ length }) => ({ data: new Uint8Array(length).fill(7) })
    expect(await rejectionOf(stage.save())).toBe('file_invalid')
    expect(stage.asked.length).toBe(11)
  })

  test('of which another try has left something wrong is whole in the end', async () => {
    using stage = await new FileStage().sent()
    await stage.link()
    writeFileSync(partOf(stage.target, id), new Uint8Array(70_000))
    await stage.save()
    expect(stage.asked.slice(0, 4)).toEqual([70_000, 130_000, 190_000, 250_000])
  })

  test('is given up at the signal', async () => {
    using stage = await new FileStage().sent()
    await stage.link()
    stage.answer = () => new Promise(() => {})
    const abort = new AbortController()
    stage.server.again = async () => Promise.reject(new SealwireError('unknown_outcome', 'given up'))
    const saved = rejectionOf(stage.save(abort.signal))
    while (stage.asked.length < 4) await stage.stage.clock.move(1)
    abort.abort()
    expect([await saved, stage.stage.clock.timers]).toEqual(['unknown_outcome', 0])
  })
})

test('an entry says of its file who has sent it, on which device', () => {
  const file = { id, name: 'x', size: 3, sha256: new Uint8Array(32) }
  const entry = { conversation: 7, seq: 1, kind: 'message', id, from: 'alice', device: 'd1', at: 0 } as const
  expect(readEntry({ ...entry, file }).file).toEqual({ ...file, from: 'alice', device: 'd1' })
  expect(Object.hasOwn(readEntry(entry), 'file')).toBe(false)
})

describe('what was sent', () => {
  const first = { id, offset: 0, length: 100 }
  const asking = (name: string) => ({ peer: { name, device: 'd', spki: '' } })

  test('is there for the account that it was sent to, and for nobody else', async () => {
    using stage = await new FileStage().sent()
    const { direct } = stage.alice
    expect((await direct.answer(first, asking('BOB'))).data).toEqual(stage.bytes.slice(0, 100))
    const last = { id, offset: stage.bytes.length - 1, length: 1 }
    expect((await direct.answer(last, asking('bob'))).data).toEqual(stage.bytes.slice(-1))
    for (const [params, name] of [
      [first, 'carol'],
      [{ ...first, id: new Uint8Array(16) }, 'bob'],
      [{ ...last, length: 2 }, 'bob'],
      [{ ...first, offset: 5_000_000_000 }, 'bob'],
    ] as const) {
      expect(await rejectionOf(direct.answer(params, asking(name)))).toBe('not_found')
    }
  })

  test('is there no more when somebody has written to it, or it is gone', async () => {
    const deeds: ((stage: FileStage) => void)[] = [
      ({ source, bytes }) =>
        writeFileSync(
          source,
          bytes.map((byte) => byte ^ 1),
        ),
      ({ source, bytes }) => {
        // The same bytes and the same dates: it is another file.
        writeFileSync(`${source}.new`, bytes)
        renameSync(`${source}.new`, source)
      },
      ({ source }) => utimesSync(source, 1, 1),
      ({ source }) => rmSync(source),
    ]
    for (const deed of deeds) {
      using stage = await new FileStage().sent()
      deed(stage)
      expect(await rejectionOf(stage.alice.direct.answer(first, asking('bob')))).toBe('not_found')
    }
  })

  test('is there no more when something is deleted in that conversation', async () => {
    using stage = await new FileStage().sent()
    stage.alice.files.withdraw(8)
    expect((await stage.alice.direct.answer(first, asking('bob'))).data).toHaveLength(100)
    const reading = rejectionOf(stage.alice.direct.answer(first, asking('bob')))
    stage.alice.files.withdraw(7)
    expect([await reading, await rejectionOf(stage.alice.direct.answer(first, asking('bob')))]).toEqual(['not_found', 'not_found'])
  })

  test('in a room, or from a source without a path, is only on the server', async () => {
    using stage = new FileStage(1_000)
    await stage.alice.files.put(7, stage.source, id, {})
    expect(await rejectionOf(stage.alice.direct.answer(first, asking('bob')))).toBe('not_found')
    const source = { name: 'x', size: 1_000, read: async (offset: number, length: number) => stage.bytes.slice(offset, offset + length) }
    await stage.alice.files.put(7, source, id, { peer: 'bob' })
    expect(await rejectionOf(stage.alice.direct.answer(first, asking('bob')))).toBe('not_found')
  })

  test('is remembered as far as there is room, and read for one link a few chunks at once', async () => {
    using stage = await new FileStage(1_000).sent()
    const { direct } = stage.alice
    const version = ''
    for (let at = 1; at < 100; at++)
      direct.offered({ id: new Uint8Array(16).fill(at), conversation: 7, peer: 'bob', path: stage.source, size: 1_000, version })
    const bob = asking('bob')
    const reading = Array.from({ length: 9 }, () => rejectionOf(direct.answer(first, bob)))
    const others = rejectionOf(direct.answer(first, asking('bob')))
    expect([await Promise.all(reading), await others]).toEqual([[...Array<undefined>(8).fill(undefined), 'busy'], undefined])
    expect(await rejectionOf(direct.answer(first, bob))).toBe(undefined)
    direct.offered({ id: new Uint8Array(16).fill(100), conversation: 7, peer: 'bob', path: stage.source, size: 1_000, version })
    expect(await rejectionOf(direct.answer(first, bob))).toBe('not_found')
  })
})
