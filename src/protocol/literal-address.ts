// IP addresses as text: what is one, and which of them somebody can be dialled at. No names, no zones: those mean something on one
// machine only.

/**
 * True for an IPv4 or IPv6 address of one machine. IPv4 inside IPv6 (`::ffff:192.0.2.1`) is IPv4. False for names, addresses with a
 * zone, unspecified, multicast and broadcast ones, and those that are nobody's: 0.0.0.0/8 and all from 224.0.0.0 on.
 */
export function isDialable(text: string): boolean {
  const address = plainAddress(text)
  if (address === undefined) return false
  if (isIpv4(address)) return isOfOneMachine(address)
  const groups = ipv6Groups(address) ?? []
  return (groups[0] ?? 0) < ipv6MulticastFirst && groups.some((group) => group !== 0)
}

/** True for an IPv6 address that means something on one network only (fe80::/10). */
export function isLinkLocal(address: string): boolean {
  const [first = 0] = ipv6Groups(address) ?? []
  return (first & 0xffc0) === 0xfe80
}

/** The address as others can write it: IPv4 inside IPv6 in dots. `undefined` for what is no address, or has a zone. */
export function plainAddress(text: string): string | undefined {
  if (isIpv4(text)) return text
  const groups = ipv6Groups(text)
  return groups && (mappedIpv4(groups) ?? text)
}

/** The eight numbers of an IPv6 address without a zone. */
export function ipv6Groups(text: string): readonly number[] | undefined {
  const sides = text.split('::')
  if (text.length > ipv6CharactersMax || sides.length > 2) return undefined
  if (sides.length === 2 && sides[0]?.includes('.')) return undefined
  const [left, right] = sides.map(sideGroups)
  if (left === undefined || (sides.length === 2 && right === undefined)) return undefined
  if (right === undefined) return left.length === 8 ? left : undefined
  const gap = 8 - left.length - right.length
  return gap >= 1 ? [...left, ...Array.from({ length: gap }, () => 0), ...right] : undefined
}

/** The IPv4 address inside an IPv6 one, in dots. */
export function mappedIpv4(groups: readonly number[]): string | undefined {
  const [high = 0, low = 0] = groups.slice(6)
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff
  return isMapped ? `${high >> 8}.${high & 0xff}.${low >> 8}.${low & 0xff}` : undefined
}

/** True for four numbers in dots, none with a leading zero. */
export function isIpv4(text: string): boolean {
  return /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/.test(text)
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

function isOfOneMachine(ipv4: string): boolean {
  const first = Number(ipv4.split('.', 1)[0])
  return first > 0 && first < ipv4MulticastFirst
}

/** `ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255` */
const ipv6CharactersMax = 45
const ipv6MulticastFirst = 0xff00
const ipv4MulticastFirst = 224
