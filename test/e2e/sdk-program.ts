// Programs that keep what they do in a journal of their own, to be killed in the middle of it.
//
//   receive HOME JOURNAL          appends `position text` for each message, on the disk before the next one
//   pay HOME JOURNAL TO COUNT     pays 0.01, 0.02 … to COUNT of them, each once: appends the id of each before it, and `paid` behind it
//   send HOME JOURNAL TO COUNT    says 0, 1, 2 … COUNT - 1, each once: appends what is stored; begins behind the last of it

import { appendFileSync, closeSync, existsSync, fsyncSync, openSync, readFileSync } from 'node:fs'
import { answerId, newMessageId } from '../../src/client/index.ts'
import { connect } from '../../src/index.ts'

const [what, home = '', journal = '', to = '', count = ''] = process.argv.slice(2)
const lines = existsSync(journal) ? readFileSync(journal, 'utf8').split('\n').slice(0, -1) : []
const [last] = (lines.at(-1) ?? '').split(' ')
const me = await connect(home)
console.log('online')
if (what === 'receive') {
  for await (const { position, kind, text } of me.inbox(last ? { after: Number(last) } : {})) {
    if (kind === 'message') keep(`${position} ${text}`)
  }
}
if (what === 'pay') {
  for (let paid = lines.filter((line) => line === 'paid').length; paid < Number(count); paid++) {
    const id =
      last && last !== 'paid' && lines.length === 2 * paid + 1 ? last : newMessageId(Date.now(), (bytes) => crypto.getRandomValues(bytes))
    if (id !== last) keep(id)
    await me.payments.pay(to, BigInt(paid + 1), { id })
    keep('paid')
  }
  await me.close()
}
if (what === 'send') {
  for (let next = last ? Number(last) + 1 : 0; next < Number(count); next++) {
    await me.send(to, String(next), { id: answerId({ conversation: 1, seq: next, at: 1 }) })
    keep(String(next))
  }
  await me.close()
}

function keep(line: string): void {
  const file = openSync(journal, 'a')
  appendFileSync(file, `${line}\n`)
  fsyncSync(file)
  closeSync(file)
}
