import { describe, expect, test } from 'bun:test'
import { LineAnswers } from '../../../src/cli/chat/answers.ts'
import type { ChatNews } from '../../../src/cli/chat/news.ts'
import { SealwireError } from '../../../src/protocol/errors.ts'

const busy = new SealwireError('busy', 'not now', { hint: 'later' })

describe('LineAnswers', () => {
  test('answers each line once, whoever is first', () => {
    const news: ChatNews[] = []
    const answers = new LineAnswers((one) => news.push(one))
    answers.begin()
    answers.done()
    answers.refused(busy)
    answers.begin()
    answers.refused(busy)
    answers.done()
    expect(news).toEqual([
      { event: 'done', line: 1 },
      { event: 'refused', line: 2, code: 'busy', sentence: 'not now', hint: 'later' },
    ])
  })

  test('says which message a line has become, and nothing where it is told otherwise', () => {
    const news: ChatNews[] = []
    const answers = new LineAnswers((one) => news.push(one))
    answers.begin()
    answers.done({ id: 'an id', conversation: 7, seq: 3 })
    answers.begin()
    answers.refused(busy, true)
    answers.refused(busy)
    expect(news).toEqual([{ event: 'done', line: 1, id: 'an id', conversation: 7, seq: 3 }])
  })

  test('answers nothing before a line was read', () => {
    const news: ChatNews[] = []
    const answers = new LineAnswers((one) => news.push(one))
    answers.refused(busy)
    answers.done()
    expect(news).toEqual([])
  })
})
