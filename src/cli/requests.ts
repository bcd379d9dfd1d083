// `sealwire requests`: see request.ts, which has both.

export { listCommand as command } from './request.ts'
