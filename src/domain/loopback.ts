// Which addresses are of this machine alone. No name is: it may lead anywhere.

import { isIpv4 } from '../protocol/literal-address.ts'

/** An address without brackets. */
export function isLoopback(host: string): boolean {
  return (isIpv4(host) && host.startsWith('127.')) || host === '::1'
}
