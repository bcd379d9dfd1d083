// `sealwire void`: see orders.ts.

export { voidCommand as command } from './money/orders.ts'
