export { addressGroup } from './address-group.ts'
export { type Clock, keepAlive, systemClock, type Timer, waitAtMost } from './clock.ts'
export { isLoopback } from './loopback.ts'
export { parseName } from './name.ts'
export { mayGiveRole, mayManage, mayPost, mayRemove } from './permissions.ts'
export { parsePassword } from './password.ts'
export { loginWaitMs, pairWindowMs, type ThrottleKeys, throttleKeys } from './throttle.ts'
export { TokenBucket } from './token-bucket.ts'
export {
  consistencyProof,
  Frontier,
  inclusionPath,
  leafHash,
  nodeHash,
  type Subtree,
  treeRoot,
  verifyConsistency,
  verifyInclusion,
} from './merkle.ts'
export { amountMax, balanceMax, formatAmount, isNothing, parseAmount, requireAmount } from './money.ts'
export { type Randomness, systemRandomness } from './randomness.ts'
export { stampUuid7 } from './uuid7.ts'
