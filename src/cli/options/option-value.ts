// How the text of an option becomes its value, whichever source it came from.

import { resolve } from 'node:path'
import { type LimitName, limitTable } from '../../protocol/limits.ts'
import { type Origin, refuse } from './origin.ts'
import { suggestion } from '../suggest.ts'

/** Reads one text, or throws `usage` or `config_invalid`, as its origin says. */
export type Reader<T> = (text: string, origin: Origin) => T

/** One of a few words. */
export function choice<const T extends string>(words: readonly T[]): Reader<T> {
  return (text, origin) => {
    const word = words.find((candidate) => candidate === text)
    if (word !== undefined) return word
    throw refuse(origin, text, `is not one of ${words.join(', ')}`, suggestion(text, words, `write ${words.join(' or ')}`))
  }
}

/** On or off. */
export const readSwitch: Reader<boolean> = (text, origin) => {
  if (text === 'true' || text === '1') return true
  if (text === 'false' || text === '0') return false
  throw refuse(origin, text, 'is neither true nor false', 'write true or false')
}

/** A path, made absolute from the folder in which the command runs. */
export const readPath: Reader<string> = (text, origin) => {
  if (text === '' || text.includes('\0')) throw refuse(origin, text, 'cannot be a path', 'name a file or folder')
  return resolve(text)
}

/** `NAME=VALUE`: a row of the table of limits and a whole number within its range. */
export const readLimit: Reader<readonly [LimitName, number]> = (text, origin) => {
  const [, name = text, value = ''] = /^([^=]*)=(.*)$/s.exec(text) ?? []
  if (!isLimitName(name)) {
    throw refuse(origin, name, 'is not the name of a limit', suggestion(name, Object.keys(limitTable), 'docs/LIMITS.md lists the names'))
  }
  const { min, max, unit, value: standard } = limitTable[name]
  const number = /^\d{1,16}$/.test(value) ? Number(value) : undefined
  if (number !== undefined && number >= min && number <= max) return [name, number]
  throw refuse(origin, text, `is not a whole number from ${min} to ${max} ${unit}`, `write ${name}=${standard} for the default`)
}

function isLimitName(name: string): name is LimitName {
  return Object.hasOwn(limitTable, name)
}

/** The origin of a page as browsers say it: `https://HOST`, a port where it is not 443, nothing behind it. */
export const readWebOrigin: Reader<string> = (text, origin) => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'https:' && url.origin === text) return text
  throw refuse(origin, text, 'is not the origin of a page', 'write https:// and the host, in small letters, such as https://chat.example')
}
