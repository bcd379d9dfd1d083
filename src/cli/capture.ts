// `sealwire capture`: see money/orders.ts.

export { captureCommand as command } from './money/orders.ts'
