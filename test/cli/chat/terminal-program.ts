// A chat at a terminal without a server: says what is typed, and with each SIGUSR2 that somebody is gone.

import process from 'node:process'
import { ChatTerminal } from '../../../src/cli/chat/terminal.ts'

using terminal = new ChatTerminal({ input: process.stdin, output: process.stdout, colours: false })
process.on('SIGUSR2', () => terminal.tell({ event: 'gone', name: 'bob' }))
terminal.tell({ event: 'here', name: `pid=${process.pid};` })
for await (const line of terminal.lines()) terminal.tell({ event: 'here', name: `<${Buffer.from(line).toString()}>` })
process.exit(0)
