// A classic client in another language and a `sealwire chat` process talk to each other, whoever asks.

import { expect, test } from 'bun:test'
import type { CliProcess } from '../cli/cli-process.ts'
import { Homes, type } from '../cli/member-support.ts'
import { isMissing, startPython } from '../support/python.ts'
import { liftedRates, ServerProcess } from '../support/server-process.ts'

test.skipIf(isMissing('python3'))(
  'a classic client and a chat talk to each other, whoever asks',
  async () => {
    await using server = await ServerProcess.start({ limits: liftedRates })
    using homes = new Homes()
    await homes.join(server, 'ann')
    await using chat = await homes.chat('ann')
    await using python = startPython('classic_meets_chat.py', [`127.0.0.1:${server.port}:${server.authority}`, 'ann'])

    await python.printed('ACCEPT')
    await chat.printed(/^classic asks to talk: \/accept or \/decline$/m)
    type(chat, '/accept')
    await chat.printed(/^you are talking with classic\./m)
    await answer(chat, 1)
    await python.printed('LEFT')

    // They are contacts: whatever is said rings.
    type(chat, 'are you there? ü')
    await answer(chat, 2)
    await python.printed('DONE')
    expect((await python.finished).code).toBe(0)

    chat.child.stdin.end()
    expect(await chat.ended()).toBe(0)
    expect(server.stderr.match(/^.*"level":"error".*$/m)).toBeNull()
  },
  60_000,
)

/** Answers each question of the conversation of that number. */
async function answer(chat: CliProcess, conversation: number): Promise<void> {
  for (let number = 0; number < 5; number++) {
    const question = `^classic: question ${number} ü$`
    await chat.printed(new RegExp(Array<string>(conversation).fill(question).join('[^]*'), 'm'))
    type(chat, `answer ${number} ü`)
  }
}
