// `sealwire void`: see money/orders.ts.

export { voidCommand as command } from './money/orders.ts'
