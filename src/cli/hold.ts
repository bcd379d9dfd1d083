// `sealwire hold`: see money/orders.ts.

export { holdCommand as command } from './money/orders.ts'
