// Whom an address stands for when failures and connections are counted: an IPv4 address for itself, an IPv6 address for its
// /64, because one customer has a whole /64 and could use a fresh address for each try.

/**
 * The group of a socket's peer address: `192.0.2.1`, `2001:db8:0:1::/64`. IPv4 inside IPv6 (`::ffff:192.0.2.1`, in dotted
 * or in hexadecimal form) is IPv4; a zone (`%eth0`) is ignored. All that is not an address shares the group `unknown`.
 */
export function addressGroup(address: string): string {
  if (isIpv4(address)) return address
  const groups = ipv6Groups(address)
  if (groups === undefined) return 'unknown'
  const [high = 0, low = 0] = groups.slice(6)
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff
  if (isMapped) return `${high >> 8}.${high & 0xff}.${low >> 8}.${low & 0xff}`
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`
}

/** The eight numbers of an IPv6 address. */
function ipv6Groups(address: string): readonly number[] | undefined {
  const [text = ''] = address.split('%', 1)
  const sides = text.split('::')
  if (text.length > ipv6CharactersMax || sides.length > 2) return undefined
  if (sides.length === 2 && sides[0]?.includes('.')) return undefined
  const [left, right] = sides.map(sideGroups)
  if (left === undefined || (sides.length === 2 && right === undefined)) return undefined
  if (right === undefined) return left.length === 8 ? left : undefined
  const gap = 8 - left.length - right.length
  return gap >= 1 ? [...left, ...Array.from({ length: gap }, () => 0), ...right] : undefined
}

/** The numbers on one side of `::`. */
function sideGroups(side: string): readonly number[] | undefined {
  if (side === '') return []
  const groups = side.split(':').flatMap((group, at, all) => {
    if (at === all.length - 1 && isIpv4(group)) return ipv4Groups(group)
    return /^[0-9a-f]{1,4}$/i.test(group) ? [Number.parseInt(group, 16)] : [Number.NaN]
  })
  return groups.some(Number.isNaN) ? undefined : groups
}

function ipv4Groups(address: string): readonly number[] {
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number)
  return [(a << 8) | b, (c << 8) | d]
}

function isIpv4(text: string): boolean {
  return /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/.test(text)
}

/** `ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255` */
const ipv6CharactersMax = 45
