import { describe, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { cpSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { resolveLimits } from '../../../src/protocol/index.ts'
import { StoreWorker, workerProgram } from '../../../src/store/sqlite/store-worker.ts'
import { newAccount } from '../../compliance/store.ts'
import { StoreFolder } from '../../support/store-folder.ts'

const limits = { ...resolveLimits(), diskBytesFreeMin: 0 }
const source = fileURLToPath(new URL('../../../src/', import.meta.url))

describe('StoreWorker', () => {
  test('opens, executes, closes the database itself and ends', async () => {
    using folder = new StoreFolder()
    const worker = await StoreWorker.start({ location: folder.database, limits, presence: 'may-be-new' })
    const executed = await worker.execute([{ name: 'account.create', input: newAccount('alice') }])
    expect(executed?.outcomes).toMatchObject([{ value: { id: 1n } }])
    expect(worker.alive).toBe(true)
    await worker.close()
    await worker.close()
    expect(worker.alive).toBe(false)
    expect(readdirSync(folder.path)).toEqual(['sealwire.db'])
  })

  test('a group for a dead worker is not carried out', async () => {
    using folder = new StoreFolder()
    const program = new URL('../../support/store-worker-dying.ts', import.meta.url)
    const worker = await StoreWorker.start({ location: folder.database, limits, presence: 'may-be-new' }, program)
    expect(await worker.execute([{ name: 'account.rehash', input: { id: 1n, from: '', to: '' } }])).toBeUndefined()
    expect(worker.alive).toBe(false)
    await worker.close()
  })

  test('a thread that throws is dead, and tells why', async () => {
    using folder = new StoreFolder()
    const program = new URL(
      "data:text/javascript,import{parentPort}from'node:worker_threads';parentPort.on('message',()=>{throw new RangeError('boom')});parentPort.postMessage({name:'ready'})",
    )
    const worker = await StoreWorker.start({ location: folder.database, limits, presence: 'may-be-new' }, program)
    expect(await worker.execute([])).toBeUndefined()
    await worker.close()
    expect(String(worker.failure)).toContain('boom')
  })

  test('a store opened at boot goes on when the process has no descriptor left', () => {
    using folder = new StoreFolder()
    const program = fileURLToPath(new URL('../../support/store-descriptors.ts', import.meta.url))
    const { stdout, stderr } = spawnSync('sh', ['-c', 'ulimit -n 128; exec "$@"', 'sh', process.execPath, program, folder.path], {
      encoding: 'utf8',
    })
    expect(`${stdout}${stderr}`).toBe('true 3000\n')
  }, 60_000)
})

describe('workerProgram', () => {
  test('is the source beside the source', () => {
    expect(fileURLToPath(workerProgram())).toBe(join(source, 'store/sqlite/worker.ts'))
  })

  test('is the built file beside the built file, and works', () => {
    using built = new StoreFolder()
    for (const layer of ['protocol', 'domain', 'store']) build(join(source, layer), join(built.path, layer))
    symlinkSync(fileURLToPath(new URL('../../../node_modules', import.meta.url)), join(built.path, 'node_modules'))
    const program = join(built.path, 'try.mjs')
    writeFileSync(program, tryBuiltStore(built.path))
    const { stdout, stderr } = spawnSync(process.execPath, [program], { encoding: 'utf8' })
    expect(`${stdout}${stderr}`).toBe('1\n')
  }, 60_000)
})

/** Does to a folder what publishing does to it: JavaScript in place of TypeScript. */
function build(from: string, to: string): void {
  cpSync(from, to, { recursive: true })
  const transpiler = new Bun.Transpiler({ loader: 'ts' })
  for (const name of readdirSync(to, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts')) continue
    const code = transpiler.transformSync(readFileSync(join(to, name), 'utf8'))
    writeFileSync(join(to, name.replace(/\.ts$/, '.js')), code.replace(/(from "\.[^"]*)\.ts"/g, '$1.js"'))
    rmSync(join(to, name))
  }
}

function tryBuiltStore(folder: string): string {
  const load = (path: string): string => JSON.stringify(pathToFileURL(join(folder, path)).href)
  return `
    import { openStore } from ${load('store/index.js')}
    import { resolveLimits } from ${load('protocol/index.js')}
    import { systemClock } from ${load('domain/clock.js')}
    const store = await openStore(${JSON.stringify(join(folder, 'data'))}, { ...resolveLimits(), diskBytesFreeMin: 0 }, { clock: systemClock, log: console })
    const account = { name: 'a', key: 'a', skeleton: 'a', passwordHash: 'x', createdAt: 1n }
    console.log(String((await store.run('account.create', account)).id))
    await store.close()`
}
