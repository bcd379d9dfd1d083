// Whom an address stands for when failures and connections are counted: an IPv4 address for itself, an IPv6 address for its
// /64, because one customer has a whole /64 and could use a fresh address for each try.

import { ipv6Groups, isIpv4, mappedIpv4 } from '../protocol/literal-address.ts'

/**
 * The group of a socket's peer address: `192.0.2.1`, `2001:db8:0:1::/64`. IPv4 inside IPv6 (`::ffff:192.0.2.1`, in dotted
 * or in hexadecimal form) is IPv4; a zone (`%eth0`) is ignored. All that is not an address shares the group `unknown`.
 */
export function addressGroup(address: string): string {
  if (isIpv4(address)) return address
  const [text = ''] = address.split('%', 1)
  const groups = ipv6Groups(text)
  if (groups === undefined) return 'unknown'
  const ipv4 = mappedIpv4(groups)
  if (ipv4 !== undefined) return ipv4
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`
}
