// What a backup asks of the server: functions that know no sockets, as those of operator.ts.

import type { BackupRoutes } from '../../protocol/operator.ts'
import type { Files } from '../files.ts'
import { holdMs } from '../files/holds.ts'

/** The functions of a server that runs. */
export function backupRoutes(files: Pick<Files, 'hold' | 'release'>): BackupRoutes {
  return {
    'backup.hold': async ({ job }) => {
      files.hold(job)
      return { holdMs }
    },
    'backup.release': async ({ job }) => {
      files.release(job)
      return {}
    },
  }
}

/** Without a server nobody deletes anything: whoever asks has the lock of the folder. */
export const offlineBackupRoutes: BackupRoutes = backupRoutes({ hold() {}, release() {} })
