// How the programs of a home talk with whom just now, for `status` to tell. Each program that has direct links notes it in a folder of
// its own, which it holds locked: what a crash left is nobody's, and is removed by whoever comes next.
//
//   <home>/direct-ways/0/lock, ways.json      {"version":1,"ways":[{"name":"bob","way":"direct"}, …]}

import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { nameKey } from '../../domain/case-fold.ts'
import { unusable, writeDurably } from '../../pki/durable-file.ts'
import { SealwireError } from '../../protocol/errors.ts'
import { limitTable } from '../../protocol/limits.ts'
import { ifFree, lockData } from '../../store/data-lock.ts'
import type { WhyRelayed } from '../direct/ways.ts'
import { Home } from './home.ts'

/** How one talks with somebody. */
export interface NotedWay {
  readonly name: string
  readonly way: 'direct' | 'relayed'
  /** Why it is relayed. */
  readonly why?: WhyRelayed
}

/** The note of one program. Disposing it removes it. */
export class DirectNote implements Disposable {
  readonly #folder: Home
  readonly #lock: Disposable
  #written = ''

  /** @throws {SealwireError} `data_unusable`, `storage_full`; `data_locked` when too many programs use the home. */
  constructor(home: Home) {
    home.make()
    const parent = home.pathOf(folderName)
    removeLeft(parent)
    ;({ folder: this.#folder, lock: this.#lock } = claim(parent))
    this.write([])
  }

  /** Replaces what is noted. @throws {SealwireError} `data_unusable`, `storage_full`. */
  write(ways: readonly NotedWay[]): void {
    const text = `${JSON.stringify({ version: 1, ways: ways.slice(0, limitTable.directWaysMax.value) })}\n`
    if (text === this.#written) return
    writeDurably(this.#folder.pathOf(fileName), text, 0o600)
    this.#written = text
  }

  [Symbol.dispose](): void {
    remove(this.#folder.path)
    this.#lock[Symbol.dispose]()
  }
}

/**
 * How the programs of a home that run now talk with whom, by name; `undefined` when none of them has direct links. Of several that
 * talk with the same person, the one that does so directly counts.
 * @throws {SealwireError} `key_unsafe`, `config_invalid`, `data_unusable`.
 */
export function notedWays(home: Home): readonly NotedWay[] | undefined {
  const folders = foldersIn(home.pathOf(folderName)).filter((folder) => isHeld(folder))
  const notes = folders.map((folder) => readNote(new Home(folder))).filter((note) => note !== undefined)
  if (notes.length === 0) return undefined
  const ways = new Map<string, NotedWay>()
  for (const way of notes.flat()) if (way.way === 'direct' || !ways.has(nameKey(way.name))) ways.set(nameKey(way.name), way)
  return [...ways.values()].toSorted((one, other) => (one.name < other.name ? -1 : 1))
}

/** A folder that nobody else holds. */
function claim(parent: string): { readonly folder: Home; readonly lock: Disposable } {
  for (let next = 0; next < programsMax; next++) {
    const path = join(parent, String(next))
    const lock = ifFree(() => lockData(path))
    if (lock !== undefined) return { folder: new Home(path), lock }
  }
  throw new SealwireError('data_locked', `too many programs use ${parent}`)
}

function removeLeft(parent: string): void {
  for (const folder of foldersIn(parent)) {
    const lock = ifFree(() => lockData(folder))
    if (lock === undefined) continue
    remove(folder)
    lock[Symbol.dispose]()
  }
}

/** The first ones, where somebody has put more there. */
function foldersIn(parent: string): readonly string[] {
  try {
    const names = existsSync(parent) ? readdirSync(parent).filter((name) => /^\d+$/.test(name)) : []
    return names.slice(0, programsMax).map((name) => join(parent, name))
  } catch (cause) {
    throw unusable(`cannot read ${parent}`, cause)
  }
}

/** Whether a program that runs has it. */
function isHeld(folder: string): boolean {
  const lock = ifFree(() => lockData(folder))
  lock?.[Symbol.dispose]()
  return lock === undefined
}

/** A program that begins or ends now has none. */
function readNote(folder: Home): readonly NotedWay[] | undefined {
  const text = folder.read(fileName, limitTable.directNoteBytesMax.value)
  const { output, success } = v.safeParse(schema, text === undefined ? undefined : jsonOf(text))
  return success ? output.ways.map(({ name, way, why }) => (why === undefined ? { name, way } : { name, way, why })) : undefined
}

/** One of another version is none. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** What cannot be removed is removed by the next program: nobody holds it then. */
function remove(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true })
  } catch {
    // As above.
  }
}

const folderName = 'direct-ways'
const fileName = 'ways.json'
const programsMax = limitTable.directNotesMax.value
const whys = [
  'off',
  'offline',
  'connecting',
  'not_contact',
  'not_listening',
  'unreachable',
  'untrusted',
  'lost',
] as const satisfies WhyRelayed[]

const schema = v.object({
  version: v.literal(1),
  ways: v.array(v.object({ name: v.string(), way: v.picklist(['direct', 'relayed']), why: v.optional(v.picklist(whys)) })),
})
