import { describe, expect, test } from 'bun:test'
import { DatabaseSync } from 'node:sqlite'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { LeftFolder } from './operator-support.ts'

const id = '01936b1e-7a7c-7c4e-8a51-0f3c2d1e4b5a'

/** Runs a command that has to succeed; what it printed. */
async function run(folder: LeftFolder, ...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await folder.run(args)
  if (exitCode !== 0) throw new Error(`${args.join(' ')}: ${stderr}`)
  return stdout
}

/** What is wrong with a command. */
async function refusal(folder: LeftFolder, ...args: readonly string[]): Promise<readonly [number | string | null, string]> {
  const { exitCode, stderr } = await folder.run(args)
  return [exitCode, stderr]
}

/** A change of the database that no server would make. */
function tamper(folder: LeftFolder, sql: string): void {
  const name = readdirSync(folder.path).find((each) => each.endsWith('.db') || each.endsWith('.sqlite'))
  const database = new DatabaseSync(join(folder.path, name ?? ''))
  database.exec(sql)
  database.close()
}

interface Exported {
  readonly posting: number
  readonly kind: string
  readonly legs: readonly { readonly ledgerAccount: number; readonly name?: string; readonly delta: string }[]
}

/** Decimal text with two places, in minor units. */
function minor(text: string): bigint {
  return BigInt(text.replace('.', ''))
}

describe('admin mint and burn', () => {
  test('make and end money, once under one id', async () => {
    using folder = await LeftFolder.with('alice')
    expect(await run(folder, 'admin', 'mint', 'Alice', '12.50', '--id', id)).toBe(
      `minted 12.50 credits: alice has 12.50 credits\nid ${id}\n`,
    )
    expect(await run(folder, 'admin', 'mint', 'alice', '12.50', '--id', id)).toBe(
      `minted 12.50 credits: alice has 12.50 credits\nid ${id}\n`,
    )
    const [code, why] = await refusal(folder, 'admin', 'mint', 'alice', '12.51', '--id', id)
    expect([code, why]).toEqual([6, expect.stringContaining('. look with sealwire ledger export what was done under it; ')])
    const burnt = JSON.parse(await run(folder, 'admin', 'burn', 'alice', '2', '--json')) as object
    expect(burnt).toMatchObject({ name: 'alice', unit: 'credits', amount: '2.00', balance: '10.50', posting: 2 })
    expect((await refusal(folder, 'admin', 'burn', 'alice', '10.51'))[0]).toBe(6)
  })

  test('refuse amounts, names, units and ids that are none', async () => {
    using folder = await LeftFolder.with('alice')
    for (const amount of ['0', '1e3', '05', '1.234', 'abc', '99999999999999999']) {
      const [code, why] = await refusal(folder, 'admin', 'mint', 'alice', amount)
      expect([amount, code, why]).toEqual([amount, 6, expect.stringContaining('. write an amount such as 5 or 12.50, ')])
    }
    expect(await refusal(folder, 'admin', 'mint', 'bob', '1')).toEqual([
      6,
      expect.stringContaining('. sealwire admin list shows the names.'),
    ])
    expect(await refusal(folder, 'admin', 'burn', 'alice', '1')).toEqual([
      6,
      expect.stringContaining('. burn less: sealwire ledger export '),
    ])
    for (const args of [
      ['mint', 'alice', '1'],
      ['limit', 'alice', '--day', '1'],
    ]) {
      const why = 'sealwire: there is no unit gold. sealwire admin unit list shows them.\n'
      expect(await refusal(folder, 'admin', ...args, '--unit', 'gold')).toEqual([6, why])
    }
    expect((await refusal(folder, 'admin', 'mint', 'alice', '1', '--id', 'x'))[0]).toBe(2)
  })
})

describe('admin unit, limit and freeze', () => {
  test('make units, bound them and freeze accounts', async () => {
    using folder = await LeftFolder.with('alice')
    expect(await run(folder, 'admin', 'unit', 'list')).toBe('credits  Credits, 2 decimals, the standard one\n')
    await run(folder, 'admin', 'unit', 'create', 'hours', '--decimals', '1', '--name', 'Hours')
    expect(await refusal(folder, 'admin', 'unit', 'create', 'hours', '--decimals', '2')).toEqual([
      6,
      'sealwire: there is another unit of this code. sealwire admin unit list shows it; its name and decimals stay, so leave them out or choose another CODE.\n',
    ])
    for (const flag of ['--day', '--device-day', '--credit']) {
      expect(await refusal(folder, 'admin', 'limit', 'alice', flag, 'abc')).toEqual([
        6,
        'sealwire: an amount is decimal text such as 12.50. write an amount such as 5 or 12.50; none takes back --day and --device-day, 0 takes back --credit.\n',
      ])
    }
    for (const [args, line] of [
      [['HOURS'], 'CODE "HOURS" is no code of a unit. write a letter, then at most 15 letters and digits, lower case.'],
      [['days', '--name', 'x'.repeat(65)], '--name has 65 characters, and may have 64. write a shorter one.'],
    ] as const) {
      expect(await refusal(folder, 'admin', 'unit', 'create', ...args)).toEqual([2, `sealwire: ${line}\n`])
    }
    expect((await refusal(folder, 'admin', 'unit', 'burn'))[0]).toBe(2)
    expect(
      JSON.parse(await run(folder, 'admin', 'limit', 'alice', '--unit', 'hours', '--day', '8', '--credit', '1.5', '--json')),
    ).toMatchObject({
      unit: 'hours',
      dayMax: '8.0',
      credit: '1.5',
    })
    expect(JSON.parse(await run(folder, 'admin', 'limit', 'alice', '--unit', 'hours', '--day', 'none', '--json'))).not.toContainKey(
      'dayMax',
    )
    expect(await refusal(folder, 'admin', 'limit', '--credit', '5')).toEqual([
      2,
      'sealwire: credit is granted to an account, not to all. name the account.\n',
    ])
    expect(await run(folder, 'admin', 'unit', 'create', 'hours', '--standard')).toBe('hours  Hours, 1 decimal, the standard one\n')
    expect(await run(folder, 'admin', 'unit', 'create', 'days')).toBe('days  days, 2 decimals\n')
    expect(await run(folder, 'admin', 'freeze', 'alice')).toBe('froze alice\n')
    expect(await run(folder, 'admin', 'unfreeze', 'alice', '--json')).toBe('{"name":"alice","frozen":false}\n')
  })
})

describe('ledger export', () => {
  test('has everything that balances can be computed from, as lines of JSON and as CSV', async () => {
    using folder = await LeftFolder.with('alice', 'bob')
    for (const [what, name, amount] of [
      ['mint', 'alice', '10'],
      ['mint', 'bob', '5.25'],
      ['burn', 'alice', '0.75'],
    ] as const) {
      await run(folder, 'admin', what, name, amount)
    }
    const rows = (await run(folder, 'ledger', 'export')).trimEnd().split('\n')
    const postings = rows.map((line) => JSON.parse(line) as Exported)
    expect(postings.map(({ posting, kind }) => [posting, kind])).toEqual([
      [1, 'mint'],
      [2, 'mint'],
      [3, 'burn'],
    ])
    const balances = new Map<string, bigint>()
    for (const { name = 'operator', delta } of postings.flatMap(({ legs }) => legs)) {
      balances.set(name, (balances.get(name) ?? 0n) + minor(delta))
    }
    expect(Object.fromEntries(balances)).toEqual({ alice: 925n, bob: 525n, operator: -1450n })
    const [header, ...lines] = (await run(folder, 'ledger', 'export', '--csv')).trimEnd().split('\r\n')
    expect(header).toBe('posting,at,kind,unit,settles,id,signer,ledger_account,account,name,delta,hash')
    expect(lines.length).toBe(6)
    const sums = lines.map((line) => minor(line.split(',')[10] ?? ''))
    expect(sums.reduce((sum, delta) => sum + delta, 0n)).toBe(0n)
  })
})

describe('ledger verify', () => {
  test('finds nothing in a ledger as it must be', async () => {
    using folder = await LeftFolder.with('alice')
    await run(folder, 'admin', 'mint', 'alice', '10')
    expect(await run(folder, 'ledger', 'verify')).toMatch(/^good: \d+ rows, from the first posting to the last\n$/)
  })

  test('names the first row that is not, and payments are refused until it is again', async () => {
    using folder = await LeftFolder.with('alice')
    for (const amount of ['10', '20', '30']) await run(folder, 'admin', 'mint', 'alice', amount)
    const raise = "drop trigger ledger_account_fixed; update ledger_account set balance = balance + 1 where kind = 'user'"
    tamper(folder, raise)
    const [code, why] = await refusal(folder, 'ledger', 'verify')
    expect([code, why]).toEqual([3, expect.stringContaining('is not what it must be')])
    expect(why).toMatch(/account/)
    expect((await refusal(folder, 'admin', 'mint', 'alice', '1'))[1]).toContain('sealwire: ')
    expect((await refusal(folder, 'admin', 'mint', 'alice', '1'))[0]).not.toBe(0)
    tamper(folder, "update ledger_account set balance = balance - 1 where kind = 'user'")
    expect(await run(folder, 'ledger', 'verify', '--json')).toContain('"good":true')
    await run(folder, 'admin', 'mint', 'alice', '1')
  })

  test('finds a posting whose row was changed', async () => {
    using folder = await LeftFolder.with('alice')
    for (const amount of ['10', '20', '30']) await run(folder, 'admin', 'mint', 'alice', amount)
    tamper(folder, 'drop trigger posting_fixed; update posting set row = (select row from posting where seq = 1) where seq = 2')
    const [, why] = await refusal(folder, 'ledger', 'verify')
    expect(why).toContain('posting 2')
  })
})
