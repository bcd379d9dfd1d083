// `sealwire capture`: see orders.ts.

export { captureCommand as command } from './orders.ts'
