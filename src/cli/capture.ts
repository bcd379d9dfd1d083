// `sealwire capture`: see orders.ts.

export { captureCommand as command } from './money/orders.ts'
