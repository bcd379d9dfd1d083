// What can be wrong with a network of namespaces (test/support/network-namespaces.ts), done to all hosts at once and taken back again.

import type { Network } from '../support/network-kinds.ts'

/** Something that is wrong with a network. */
export interface NetworkFault {
  /** Done on the machine of the server, by a shell. `PORT` is the port of the server. */
  readonly server?: string
  /** Done on every host; `eth0` is its cable. */
  readonly host?: string
  /** Something passes all the same, on a host this shows that not all of it does. Default: nothing passes. */
  readonly proof?: { readonly command: string; readonly pattern: RegExp }
}

const input = 'nft add table inet bad; nft add chain inet bad in "{ type filter hook input priority 0; }"; nft add rule inet bad in'
const loss = `${input} numgen random mod 100 "<" 20 counter drop`
const slow = 'tbf rate 256kbit burst 4kb latency 400ms'

export const networkFaults: Readonly<Record<string, NetworkFault>> = {
  'a line of 256 kbit/s': {
    host: `tc qdisc add dev eth0 root ${slow}`,
    server: `for cable in $(ls /sys/class/net | grep '^v[0-9]'); do tc qdisc add dev $cable root ${slow}; done`,
    proof: { command: 'tc -s qdisc show dev eth0', pattern: /overlimits [1-9]/ },
  },
  'one packet of five lost': {
    host: loss,
    server: loss,
    proof: { command: 'nft list table inet bad', pattern: /counter packets [1-9]/ },
  },
  'nothing passes to the server': { server: `${input} ip saddr 10.77.0.0/24 drop` },
  'nothing passes from the server': { host: `${input} ip saddr 10.77.0.1 drop` },
  'connections are reset': { server: `${input} tcp dport PORT reject with tcp reset` },
  'the cables are pulled': { host: 'ip link set eth0 down' },
}

/** Whatever of the faults there is. */
const mended: Readonly<Record<'host' | 'server', string>> = {
  host: 'tc qdisc del dev eth0 root 2>/dev/null; nft delete table inet bad 2>/dev/null; ip link set eth0 up',
  server:
    "for cable in $(ls /sys/class/net | grep '^v[0-9]'); do tc qdisc del dev $cable root 2>/dev/null; done; nft delete table inet bad 2>/dev/null; true",
}

/** From now on, until `mend`. */
export async function spoil(network: Network, hosts: readonly string[], fault: NetworkFault): Promise<void> {
  const [first = ''] = hosts
  const port = String(network.host(first).server.port)
  const places = [...hosts.map((host) => [host, fault.host] as const), ['server', fault.server] as const]
  for (const [place, commands] of places) {
    if (commands === undefined) continue
    await network.processes.run([...network.host(place).prefix, 'sh', '-ec', commands.replaceAll('PORT', port)])
  }
}

/** Whether a fault where something passes does what it should. */
export async function isProved(network: Network, hosts: readonly string[], { proof }: NetworkFault): Promise<boolean> {
  if (proof === undefined) return true
  const shown = hosts.map((host) => network.processes.run([...network.host(host).prefix, 'sh', '-c', proof.command]))
  return (await Promise.all(shown)).some((text) => proof.pattern.test(text))
}

export async function mend(network: Network, hosts: readonly string[]): Promise<void> {
  for (const host of hosts) await network.processes.run([...network.host(host).prefix, 'sh', '-c', mended.host])
  await network.processes.run([...network.host('server').prefix, 'sh', '-c', mended.server])
}
