export { addressGroup } from './address-group.ts'
export { type Clock, keepAlive, systemClock, type Timer, waitAtMost } from './clock.ts'
export { isLoopback } from './loopback.ts'
export { type Name, type NameLimits, parseName } from './name.ts'
export { type Deed, type MemberRole, mayGiveRole, mayManage, mayPost, mayRemove, mayRetain, type Standing } from './permissions.ts'
export { type PasswordLimits, parsePassword } from './password.ts'
export { type Failures, loginWaitMs, pairWindowMs, type ThrottleKeys, type ThrottleLimits, throttleKeys } from './throttle.ts'
export { TokenBucket } from './token-bucket.ts'
export {
  type Consistency,
  consistencyProof,
  Frontier,
  type Inclusion,
  inclusionPath,
  leafHash,
  nodeHash,
  type Sha256,
  type Subtree,
  treeRoot,
  verifyConsistency,
  verifyInclusion,
} from './merkle.ts'
export { amountMax, balanceMax, decimalsMax, formatAmount, isNothing, parseAmount, requireAmount } from './money.ts'
export { type Randomness, systemRandomness } from './randomness.ts'
export { stampUuid7 } from './uuid7.ts'
