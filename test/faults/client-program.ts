// Runs applications until it is killed or asked to finish; started by ClientProcess with a file of settings.
//
//   in    mark TEXT ROOM   the first application says so      out   at ACKED ARRIVED REFUSED MARKED   now and then
//         finish           histories, then it ends                  sent                              everything was answered
//                                                                   done                              it has finished

import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { SealwireError } from '../../src/protocol/index.ts'
import { Application, type ApplicationSettings, mark } from './application.ts'

/** Exit code of a program whose SDK has given up. */
const gaveUp = 3
const settings: readonly ApplicationSettings[] = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'))
const applications = settings.map((each) => new Application(each))

tell()
const telling = setInterval(tell, 50)
const running = applications.map((each) => each.run())
for (const each of running) each.catch(fail)
Promise.all(applications.map((each) => each.speak())).then(() => say('sent'), fail)
createInterface({ input: process.stdin }).on('line', (line) => void obey(line).catch(fail))

async function obey(line: string): Promise<void> {
  const [word, text = '', room] = line.split(' ')
  if (word === 'mark') return applications[0]?.sayMark(`${mark}${text}`, Number(room))
  for (const each of applications) await each.finish()
  await Promise.all(running)
  clearInterval(telling)
  say('done')
  process.exit(0)
}

function tell(): void {
  const sum = (pick: (each: Application) => number): number => applications.reduce((total, each) => total + pick(each), 0)
  const marked = Math.min(...applications.map(({ marks }) => marks))
  say(`at ${sum(({ acked }) => acked)} ${sum(({ arrived }) => arrived)} ${sum(({ refused }) => refused)} ${marked}`)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

function fail(reason: unknown): void {
  console.error(reason)
  // The SDK gives up when the first connections of a program are all lost; whoever runs programs starts it again.
  process.exit(SealwireError.is(reason) && reason.code === 'connection_lost' ? gaveUp : 1)
}
