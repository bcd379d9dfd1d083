// Runs payers until each of them knows what became of everything, or until it is killed; started by MoneyProcess with a file of
// settings. Now and then it says `at POSTED REFUSED LOST`, in the end `done`.

import { readFileSync } from 'node:fs'
import { Spender, type SpenderSettings } from './money-spender.ts'

const settings: readonly SpenderSettings[] = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'))
const spenders = settings.map((each) => new Spender(each))

tell()
const telling = setInterval(tell, 50)
await Promise.all(spenders.map((each) => each.run()))
clearInterval(telling)
tell()
process.stdout.write('done\n', () => process.exit(0))

function tell(): void {
  const sum = (pick: (each: Spender) => number): number => spenders.reduce((total, each) => total + pick(each), 0)
  process.stdout.write(`at ${sum(({ posted }) => posted)} ${sum(({ refused }) => refused)} ${sum(({ lost }) => lost)}\n`)
}
