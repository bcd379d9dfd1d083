// What a run ends with when it has found something: the input, and how to come to it again.

import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Where an input was found: `number` 0 stands for one that was kept. */
export interface FoundPlace {
  readonly target: string
  readonly seed: number
  readonly number: number
}

export class FoundError extends Error {
  readonly input: Uint8Array
  readonly place: FoundPlace
  /** Where the input was written, alone in its folder. */
  readonly folder: string

  constructor(input: Uint8Array, place: FoundPlace, cause: unknown) {
    const folder = mkdtempSync(join(tmpdir(), 'sealwire-fuzz-'))
    super(sentence(input, place, folder, cause), { cause })
    this.folder = folder
    this.name = 'FoundError'
    this.input = input
    this.place = place
  }
}

function sentence(input: Uint8Array, { target, seed, number }: FoundPlace, folder: string, cause: unknown): string {
  const hex = Buffer.from(input).toString('hex')
  const file = join(folder, `${target}.hex`)
  writeFileSync(file, `# seed ${seed}, input ${number}\n${hex}\n`)
  const shown = hex.length > shownMax ? `${hex.slice(0, shownMax)}… (${input.length} bytes)` : hex
  return `${target}, seed ${seed}, input ${number}, in ${file}: ${shown}\n${String(cause)}`
}

const shownMax = 2_000
