// The package `sealwire`: what all its parts share. The parts themselves are `sealwire/protocol`, `sealwire/client`,
// `sealwire/client/node`, `sealwire/server` and `sealwire/link/…`.

export {
  type Code,
  type CodeRow,
  codes,
  type LimitName,
  type LimitRow,
  type Limits,
  limitTable,
  resolveLimits,
  SealwireError,
  type SealwireErrorOptions,
} from './protocol/index.ts'
