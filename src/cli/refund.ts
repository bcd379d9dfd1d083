// `sealwire refund`: see orders.ts.

export { refundCommand as command } from './money/orders.ts'
