// Inputs that are kept: `corpus/TARGET/shapes.hex`, one for each way through the code that was ever found, and `found.hex`, each
// input that ever found something. A line is an input in hexadecimal; the line before it says what it is.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'

/** What is kept for a target; nothing for one that is new. */
export function keptInputs(target: string): readonly Uint8Array[] {
  return files
    .flatMap((file) => linesOf(target, file).filter((line) => !line.startsWith('#')))
    .map((line) => new Uint8Array(Buffer.from(line, 'hex')))
}

/** Writes one input for each way, in the order of the ways' names. */
export function keepShapes(target: string, shapes: ReadonlyMap<string, Uint8Array>): void {
  mkdirSync(new URL(`corpus/${target}/`, import.meta.url), { recursive: true })
  const sorted = [...shapes].toSorted(([one], [other]) => (one < other ? -1 : 1))
  const lines = sorted.flatMap(([way, input]) => [`# ${way}`, Buffer.from(input).toString('hex')])
  writeFileSync(pathOf(target, 'shapes.hex'), `${lines.join('\n')}\n`)
}

function linesOf(target: string, file: string): readonly string[] {
  const path = pathOf(target, file)
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []
}

function pathOf(target: string, file: string): URL {
  return new URL(`corpus/${target}/${file}`, import.meta.url)
}

const files = ['found.hex', 'shapes.hex'] as const
