// What commands about money do for audits beside their own work: they keep the checkpoints that they see, and tell when this
// server was caught with two histories.

import { refuseForked, SeenCheckpoints } from '../../client/home/checkpoints.ts'
import type { Home } from '../../client/home/home.ts'
import { systemClock } from '../../domain/clock.ts'
import type { SignedCheckpoint } from '../../pki/index.ts'
import { SealwireError } from '../../protocol/errors.ts'
import { warnOf } from '../member/member.ts'

/**
 * Keeps a checkpoint whose signature is good. One that cannot be kept is a warning.
 * @throws {SealwireError} `ledger_forked` when it contradicts another one.
 */
export async function keepCheckpoint(home: Home, key: Uint8Array, checkpoint: SignedCheckpoint): Promise<void> {
  try {
    await new SeenCheckpoints(home, key, systemClock).note([checkpoint])
  } catch (reason) {
    if (SealwireError.from(reason).code === 'ledger_forked') throw reason
    warnOf('the checkpoint was not kept', reason)
  }
}

/** Warns when what the server says of money is worth nothing: for commands that move none. */
export function warnForked(home: Home): void {
  try {
    refuseForked(home)
  } catch (reason) {
    warnOf('do not rely on what follows', reason)
  }
}
