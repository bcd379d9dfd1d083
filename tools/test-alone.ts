// Tests that run with nothing beside them, and why: they compare times or memory with what a machine needs that does nothing else,
// or flood it. What runs meanwhile would be measured with them, and would be slowed down by them.

/** Files from the root of the repository on, each with its reason. */
export const aloneTests: Readonly<Record<string, string>> = {
  'test/domain/password.test.ts': 'a megabyte is refused in less than 5 ms',
  'test/e2e/admission.test.ts': 'floods; logins within a second, memory of each idle connection',
  'test/e2e/flood.test.ts': '10,000 handshakes that are never finished; a login within a second',
  'test/faults/descriptors.test.ts': 'strangers on every port of a server that has few descriptors',
  'test/faults/sessions.test.ts': 'memory of each session; p99 of those who are there, under 3,000 handshakes a second',
  'test/faults/slow-receiver.test.ts': 'memory of a server, beside that of a control run',
  'test/hostile/hostile-peer.test.ts': 'floods among much else; others are answered meanwhile, and memory does not grow',
  'test/pki/server-identity.test.ts': 'a start takes less than 30 ms',
  'test/server/accounts.test.ts': 'how late the event loop is at p99, and that an unknown name takes as long as a wrong password',
  'test/server/file-transfer.test.ts': 'what others wait while a file is sent',
}
