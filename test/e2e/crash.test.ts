// What survives when the server is killed at any moment, and what happens when it is started twice.

import { expect, test } from 'bun:test'
import { isMissing, runPython, startPython } from '../support/python.ts'
import { liftedRates, ServerProcess } from '../support/server-process.ts'
import { StoreFolder } from '../support/store-folder.ts'

const skipped = isMissing('python3')
const verbose = process.env['SEALWIRE_VERBOSE'] === '1'
const kills = process.env['SEALWIRE_LONG'] === '1' ? 25 : 5
const seed = Number(process.env['SEALWIRE_SEED'] ?? Date.now() % 1_000_000)

test.skipIf(skipped)(
  `${kills} kills at any moment lose no acknowledged registration and store none by half`,
  async () => {
    console.log(`SEALWIRE_SEED=${seed}`)
    using folder = new StoreFolder()
    const random = randomNumbers(seed)
    let lines = ''
    for (let round = 0; round < kills; round++) {
      await using server = await ServerProcess.start({ data: folder.path, limits: liftedRates })
      await verify(server, lines)
      lines = await registerUntilKilled(server, round, random())
    }
    await using server = await ServerProcess.start({ data: folder.path, limits: liftedRates })
    await verify(server, lines)
  },
  kills * 20_000,
)

test.skipIf(skipped)(
  'a second server on the same data folder says so in one line and ends, and the first goes on',
  async () => {
    await using first = await ServerProcess.start({ limits: liftedRates })
    await using second = ServerProcess.spawn({ data: first.data })
    expect(await second.exited).toEqual({ code: 3, signal: null })
    expect(second.stderr).toMatch(/^sealwire: the data folder .* is in use\. [^\n]+\.\n$/)
    expect(second.stdout).toBe('')
    await verify(first, 'tried alice\n')
    await verify(first, 'tried alice\nacked alice\n')
  },
  60_000,
)

/** Registrations go on until the server dies, which is up to half a second after the first was acknowledged. */
async function registerUntilKilled(server: ServerProcess, round: number, chance: number): Promise<string> {
  await using clients = startPython('registrations.py', ['register', `r${round}`, target(server)])
  await clients.printed('acked')
  await Bun.sleep(chance * 500)
  await server.kill()
  const { code, output } = await clients.finished
  if (code !== 0) console.error(output)
  expect(code).toBe(0)
  return output
}

async function verify(server: ServerProcess, lines: string): Promise<void> {
  const { code, output } = await runPython('registrations.py', ['verify', target(server)], lines)
  if (code !== 0 || verbose) console.error(output)
  expect(code).toBe(0)
}

function target({ port, authority }: ServerProcess): string {
  return `main=127.0.0.1:${port}:${authority}`
}

/** Numbers from 0 to 1, always the same for a seed (a linear congruential generator). */
function randomNumbers(start: number): () => number {
  let state = BigInt(start)
  return () => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffff_ffff_ffff_ffffn
    return Number(state >> 11n) / 2 ** 53
  }
}
