// `sealwire hold`: see orders.ts.

export { holdCommand as command } from './money/orders.ts'
