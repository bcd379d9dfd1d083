// Values that a schema takes, and now and then one that it does not: what the contract declares is the grammar of its bodies.

import * as v from 'valibot'
import type { CborValue } from '../../src/protocol/contract/index.ts'
import type { Chance } from './chance.ts'

/** Makes one value. */
export type Values = (chance: Chance) => CborValue

/** What makes values of a schema. `wrongIn`: one in so many parts is something else than it should be. */
export function valuesOf(schema: v.GenericSchema<unknown, unknown>, wrongIn = 40): Values {
  const right = rightValues(schema, wrongIn)
  return (chance) => (chance.oneIn(wrongIn) ? wrongValue(chance) : right(chance))
}

/** A value of any shape. */
export function wrongValue(chance: Chance, depth = 0): CborValue {
  const how = chance.below(depth > 4 ? 2 : 6)
  if (how === 2) return Array.from({ length: chance.below(4) }, () => wrongValue(chance, depth + 1))
  if (how === 3) return mapOf(Array.from({ length: chance.below(4) }, () => [chance.pick(keys), wrongValue(chance, depth + 1)] as const))
  if (how === 4) return chance.bytes(chance.length(300))
  if (how === 5) return Array.from({ length: chance.below(20) }).reduce<CborValue>((inner) => [inner], chance.pick(numbers))
  return how === 0 ? chance.pick(scalars) : chance.pick(texts)
}

/** As much of a schema of the library as is looked at here. */
interface Shape {
  readonly type: string
  readonly pipe?: readonly Shape[]
  readonly metadata?: { readonly bytesMax?: number; readonly bytesExactly?: number }
  readonly entries?: Readonly<Record<string, Shape>>
  readonly item?: Shape
  readonly wrapped?: Shape
  readonly options?: readonly (Shape | string)[]
  readonly literal?: CborValue
  readonly requirement?: unknown
}

function rightValues(shape: Shape, wrongIn: number): Values {
  const { type, entries, item, options = [] } = shape
  const inner = (part: Shape): Values => valuesOf(part as unknown as v.GenericSchema<unknown, unknown>, wrongIn)
  if (entries !== undefined) return objects(entries, inner)
  if (item !== undefined) return arrays(inner(item), lengthsOf(shape))
  if (type === 'picklist') return (chance) => chance.pick(options as readonly string[])
  if (options.length > 0) return either(options.map((each) => inner(each as Shape)))
  if (type === 'custom') return byteStrings(Object.assign({}, ...(shape.pipe ?? []).map(({ metadata }) => metadata)) as Shape['metadata'])
  if (type === 'boolean') return (chance) => chance.oneIn(2)
  const taken = [...numbers, ...texts, ...scalars].filter((each) => v.safeParse(shape as unknown as v.GenericSchema, each).success)
  if (taken.length === 0) throw new Error(`no value for a schema of type ${type}`)
  return (chance) => chance.pick(taken)
}

function objects(entries: Readonly<Record<string, Shape>>, inner: (part: Shape) => Values): Values {
  const fields = Object.entries(entries).map(([key, shape]) => {
    const isOptional = shape.type === 'optional'
    return { key, isOptional, values: inner(isOptional && shape.wrapped !== undefined ? shape.wrapped : shape) }
  })
  return (chance) => {
    const some = fields.filter(({ isOptional }) => !chance.oneIn(isOptional ? 2 : 100))
    const made = some.map(({ key, values }) => [key, values(chance)] as const)
    return mapOf(chance.oneIn(60) ? [...made, [chance.pick(keys), wrongValue(chance)] as const] : made)
  }
}

function arrays(values: Values, { min = 0, max = 4 }: { readonly min?: number; readonly max?: number }): Values {
  return (chance) => Array.from({ length: chance.oneIn(200) ? max + 1 : chance.between(min, Math.min(max, min + 3)) }, () => values(chance))
}

function either(all: readonly Values[]): Values {
  return (chance) => chance.pick(all)(chance)
}

function byteStrings({ bytesMax = 64, bytesExactly }: NonNullable<Shape['metadata']> = {}): Values {
  return (chance) => chance.bytes(bytesExactly ?? (chance.oneIn(300) ? bytesMax + chance.below(2) : chance.length(Math.min(bytesMax, 64))))
}

function lengthsOf({ pipe = [] }: Shape): { readonly min?: number; readonly max?: number } {
  const bound = (type: string): number | undefined => pipe.find((action) => action.type === type)?.requirement as number | undefined
  const [min, max] = [bound('min_length'), bound('max_length')]
  return { ...(min !== undefined && { min }), ...(max !== undefined && { max }) }
}

/** An own property also where the key is `__proto__`. */
function mapOf(entries: readonly (readonly [string, CborValue])[]): CborValue {
  return Object.fromEntries(entries)
}

const keys = ['__proto__', 'constructor', 'toString', 'name', 'id', 'body', '', 'é', 'x'.repeat(70)] as const
const numbers = [
  ...[0, 1, 2, 23, 24, 50, 200, 255, 256, 1_000, 65_535, 65_536, 60_000, 3_600_000, 2 ** 32 - 1, 2 ** 32],
  ...[1_800_000_000_000, 2 ** 53 - 1, -1, -24, -25, -(2 ** 53 - 1)],
] as const
const texts = [
  ...['', 'a', 'bob', 'Alice', 'x'.repeat(24), 'x'.repeat(64), 'x'.repeat(65), 'x'.repeat(256), 'y'.repeat(2_000)],
  ...['chips', '12.50', '0', '-0.1', '007', '1e3', 'none', 'text/plain', '127.0.0.1', '::1', 'fe80::1', 'chat.example', '{"a":1}'],
  ...['é', '日本', '👍', '\ufeff', '\0', '__proto__', 'toString'],
] as const
const scalars = [null, true, false, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n, -(2n ** 53n), -(2n ** 63n), -(2n ** 64n)] as const
