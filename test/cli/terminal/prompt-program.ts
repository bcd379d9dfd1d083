// Asks for a password as a command would and prints what came of it.
// bun prompt-program.ts '{"isNew": true}' | line | hold

import process from 'node:process'
import { InputLines, readPassword } from '../../../src/cli/terminal/prompt.ts'
import { SealwireError } from '../../../src/protocol/errors.ts'

const [, , mode = '{}'] = process.argv

try {
  console.log(`read ${JSON.stringify(await read())}`)
} catch (reason) {
  const { code, sentence } = SealwireError.is(reason) ? reason : { code: 'other', sentence: String(reason) }
  console.log(`refused ${code}: ${sentence}`)
}

async function read(): Promise<unknown> {
  if (mode === 'line') {
    await using input = new InputLines(process.stdin)
    return await input.next('password')
  }
  if (mode === 'two lines') {
    await using input = new InputLines(process.stdin)
    return [await input.next('invite link'), await input.next('password')]
  }
  if (mode === 'two prompts') return [await readPassword({ what: 'old password' }), await readPassword({ what: 'new password' })]
  if (mode !== 'stoppable') return await readPassword(JSON.parse(mode) as object)
  const stop = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort(new SealwireError('stopping', name)))
  return await readPassword({ signal: stop.signal })
}
