// The bot of the README, run from the README's own text: on Bun from the sources, on Node from the package as it is built.

import { describe, expect, test } from 'bun:test'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { connect } from '../../src/index.ts'
import { Homes, inviteLink } from '../cli/member-support.ts'
import { isMissing, nodeBinary } from '../support/python.ts'
import { liftedRates, ServerProcess } from '../support/server-process.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const bot = /^## A bot\n.*?^```ts\n(.*?)^```$/ms.exec(readme)?.[1] ?? ''

describe('the bot of the README', () => {
  test('has at most 20 lines', () => {
    expect(bot.trimEnd().split('\n').length).toBeLessThanOrEqual(20)
    expect(bot).toContain("from 'sealwire'")
  })

  test(
    'answers, on Bun',
    () => talk(process.execPath, (folder) => symlinkSync(join(root, 'src'), join(folder, 'src')), './src/index.ts'),
    60_000,
  )

  test.skipIf(isMissing('SEALWIRE_NODE'))(
    'answers, on Node, from the built package',
    () => talk(nodeBinary, build, './dist/index.js'),
    120_000,
  )
})

/** Alice asks the bot, which accepts and answers; it is killed, asked again, and goes on. */
async function talk(runtime: string, install: (folder: string) => void, main: string): Promise<void> {
  await using server = await ServerProcess.start({ registration: 'invite', limits: liftedRates })
  using homes = new Homes()
  using project = new Project(install, main)
  const alice = await connect(await inviteLink(server), { name: 'alice', home: homes.path('alice') })
  const link = await inviteLink(server)
  const first = project.run(runtime, link)
  while ((await alice.request('echo').catch(() => undefined)) === undefined) await new Promise((resolve) => setTimeout(resolve, 50))
  const inbox = alice.inbox()
  expect((await inbox.next()).value).toMatchObject({ kind: 'contact', what: 'accepted', from: 'echo' })
  await alice.send('echo', 'hello')
  expect((await inbox.next()).value).toMatchObject({ kind: 'message', text: 'you said: hello' })
  await ended(first)
  // A file without words says nothing that it could repeat.
  await (await alice.conversation('echo')).sendFile(join(project.folder, 'bot.mjs'))
  await alice.send('echo', 'again')
  const second = project.run(runtime, link)
  expect((await inbox.next()).value).toMatchObject({ kind: 'message', text: 'you said: again' })
  await ended(second)
  await alice.close()
}

class Project implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'sealwire-bot-'))

  constructor(install: (folder: string) => void, main: string) {
    const installed = join(this.folder, 'node_modules/sealwire')
    mkdirSync(installed, { recursive: true })
    writeFileSync(join(this.folder, 'bot.mjs'), bot)
    writeFileSync(join(installed, 'package.json'), JSON.stringify({ name: 'sealwire', type: 'module', exports: { '.': main } }))
    symlinkSync(join(root, 'node_modules'), join(installed, 'node_modules'))
    install(installed)
  }

  run(runtime: string, link: string): ChildProcess {
    return spawn(runtime, ['bot.mjs', link], { cwd: this.folder, stdio: ['ignore', 'ignore', 'inherit'] })
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** The package as `npm run build` makes it. */
function build(folder: string): void {
  const tsc = join(root, 'node_modules/.bin/tsc')
  const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json'), '--outDir', join(folder, 'dist')], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stdout)
}

async function ended(child: ChildProcess): Promise<void> {
  const exit = new Promise((resolve) => child.once('exit', resolve))
  expect(child.exitCode).toBeNull() // It must not have ended by itself.
  child.kill('SIGKILL')
  await exit
}
