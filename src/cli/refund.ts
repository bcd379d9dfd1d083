// `sealwire refund`: see money/orders.ts.

export { refundCommand as command } from './money/orders.ts'
