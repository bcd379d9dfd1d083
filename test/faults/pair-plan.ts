// What the programs of a pair and whoever looks at their journals have to know alike.

/** What a program is told. */
export interface PairSettings {
  readonly name: string
  readonly to: string
  readonly home: string
  readonly journal: string
  readonly server: { readonly host: string; readonly port: number }
  readonly pin: string
  /** Between the answer to one and the next. */
  readonly paceMs: number
}

/** Said and paid: before it is done, and when it was answered. Heard: what came, in its order. */
export type PairLine = { readonly begun: number } | { readonly done: number } | { readonly heard: string }

/** Another sum each time, so that one that is missing or doubled shows. */
export function minorOf(number: number): bigint {
  return BigInt(1 + (number % 97))
}
