// What a backup asks of a running server. It reads the data folder itself; the server only has to leave there what it reads.

import * as v from 'valibot'
import { count, exactBytes } from './contract/fields.ts'

const job = () => exactBytes(16, 'made by who asks')

/** The methods. */
export const backupOperatorMethods = {
  'backup.hold': {
    what: 'Leaves the content of files that are deleted where it is, until this job releases it or has not asked again in time.',
    params: v.strictObject({ job: job() }),
    result: v.object({ holdMs: count('how long it is left there if nobody asks again') }),
  },
  'backup.release': {
    what: 'The job has read everything. Without effect when it holds nothing.',
    params: v.strictObject({ job: job() }),
    result: v.object({}),
  },
} as const
