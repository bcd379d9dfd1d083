// Every metric there is, declared once: the page that is scraped and the table of docs/operations.md follow from it. No label
// has a value from outside: each comes from a closed set of ours, so that a page is never longer than these sets and never
// says a name, an address or a number of anybody.

import type { MetricRow } from './exposition.ts'

export const metricTable = {
  // The process.
  sealwire_build_info: gauge('1, with the version of the program and its runtime as labels', 'version', 'runtime'),
  sealwire_start_time_seconds: gauge('When the process started, in seconds since 1970'),
  sealwire_uptime_seconds: gauge('Since then, in seconds'),
  sealwire_ready: gauge('1 when /ready answers 200, else 0'),
  sealwire_process_cpu_seconds_total: counter('Processor time of all threads, in seconds'),
  sealwire_process_resident_bytes: gauge('Memory that the process has, in bytes'),
  sealwire_process_heap_bytes: gauge('Of it, what objects of the event loop take, in bytes'),
  sealwire_process_open_descriptors: gauge('Open descriptors: files and connections'),
  sealwire_process_descriptors_max: gauge('Descriptors that the process may open'),
  sealwire_event_loop_delay_seconds: histogram('How late a timer of 20 ms comes, in seconds'),
  // Connections.
  sealwire_connections: gauge('Sessions, by where they came in, what they speak and how far they are', 'listener', 'dialect', 'state'),
  sealwire_connections_admitted: gauge('Places taken, those in a handshake and of the echo service too'),
  sealwire_connections_unauthenticated: gauge('Of them, those that have not logged in'),
  sealwire_connections_max: gauge('Places that there are'),
  sealwire_echo_connections: gauge('Connections of the echo service'),
  sealwire_sessions_present: gauge('Sessions that have logged in'),
  sealwire_inboxes_open: gauge('Sessions with an open inbox'),
  sealwire_connections_opened_total: counter('Sessions begun, by where they came in', 'listener'),
  sealwire_connections_closed_total: counter('Sessions over, by how the connection ended', 'end'),
  sealwire_connections_refused_total: counter('Connections dropped at their accept, by reason', 'reason'),
  sealwire_handshakes_failed_total: counter('Handshakes that came to nothing, by reason', 'reason'),
  sealwire_sessions_failed_total: counter('Sessions that the server ended, by its last word', 'code'),
  sealwire_logins_total: counter('Sessions that logged in or registered'),
  sealwire_frames_received_total: counter('Whole frames from clients'),
  sealwire_frames_sent_total: counter('Pieces of output for clients, each a frame but of the echo service'),
  sealwire_bytes_received_total: counter('Bytes from clients, decrypted'),
  sealwire_bytes_sent_total: counter('Bytes written for clients, before encryption'),
  sealwire_output_blocked_connections: gauge('Connections whose peer does not take its output'),
  sealwire_output_blocked_bytes: gauge('What waits for them, in bytes'),
  // Requests.
  sealwire_requests_total: counter('Requests of the contract, by method and code of the answer', 'method', 'code'),
  sealwire_requests_under_way: gauge('Requests that wait for store, hash or disk'),
  sealwire_requests_delayed_total: counter('Requests that came over their rate and had to wait'),
  sealwire_request_duration_seconds: histogram('Of the requests that waited, until the answer, in seconds', 'method'),
  sealwire_classic_commands_total: counter('Commands of the classic dialect', 'command'),
  sealwire_classic_refusals_total: counter('Answers of the classic dialect that were an error', 'code'),
  // What is said.
  sealwire_entries_stored_total: counter('Messages and changes of messages that were stored, by kind', 'kind'),
  sealwire_inbox_entries_pushed_total: counter('Entries of inboxes written to sessions'),
  sealwire_inbox_acknowledgements_total: counter('Acknowledgements of inboxes that were stored'),
  sealwire_inbox_entries_expired_total: counter('Entries of inboxes that nobody came for'),
  sealwire_file_bytes_received_total: counter('Content of files from clients, in bytes'),
  sealwire_file_bytes_sent_total: counter('Content of files to clients, in bytes'),
  // What is computed.
  sealwire_password_hashes_running: gauge('Password hashes under way'),
  sealwire_password_hashes_waiting: gauge('Password hashes that wait'),
  sealwire_signatures_running: gauge('Signatures of orders being checked'),
  sealwire_signatures_waiting: gauge('Signatures of orders that wait'),
  // The store.
  sealwire_store_requests_total: counter('Requests of the store, by operation and code of the answer', 'operation', 'code'),
  sealwire_store_requests_under_way: gauge('Requests that the store has not answered'),
  sealwire_store_groups_total: counter('Groups handed to the thread of the store: one commit each'),
  sealwire_store_group_duration_seconds: histogram('From handing over a group to its answers, in seconds'),
  sealwire_store_doubtful_total: counter('Requests of which nobody knows whether they were stored'),
  sealwire_database_bytes: gauge('The database file, in bytes'),
  sealwire_database_log_bytes: gauge('Its write-ahead log, in bytes'),
  sealwire_disk_free_bytes: gauge('Free room on the disk of the data folder, in bytes'),
  sealwire_disk_free_min_bytes: gauge('With less than this nothing is stored (diskBytesFreeMin)'),
  // Money.
  sealwire_transfers_total: counter('Transfers carried out, by kind', 'kind'),
  sealwire_transfers_refused_total: counter('Orders refused, by code', 'code'),
  sealwire_payments: gauge('1 for the state of payments: accepting, refused, unknown, none', 'state'),
  sealwire_ledger_postings: gauge('Postings of the ledger'),
  sealwire_checkpoint_age_seconds: gauge('Age of the newest checkpoint, in seconds; not there before the first'),
  // Certificates.
  sealwire_certificate_expiry_time_seconds: gauge('When a certificate ends, in seconds since 1970', 'certificate'),
  // Limits.
  sealwire_limit_reached_total: counter('How often a limit of docs/LIMITS.md refused, cut or dropped something', 'limit'),
} as const satisfies Record<string, MetricRow>

export type MetricName = keyof typeof metricTable

function gauge(help: string, ...labels: readonly string[]): MetricRow {
  return { type: 'gauge', help, labels }
}

function counter(help: string, ...labels: readonly string[]): MetricRow {
  return { type: 'counter', help, labels }
}

function histogram(help: string, ...labels: readonly string[]): MetricRow {
  return { type: 'histogram', help, labels }
}
