// Claims the port that it is told until it is killed, and says whether it could.

import { claimPort } from './lasting-port.ts'

process.stdout.write(`${await claimPort(Number(process.argv[2]))}\n`)
setInterval(() => {}, 60_000)
