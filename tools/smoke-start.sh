#!/usr/bin/env bash
# Starts a server with the given command, waits for its three lines, connects, and stops it with SIGTERM. Fails unless all
# of that works and the command exits with 0:
#   tools/smoke-start.sh npm start --
set -euo pipefail
# Jobs get a process group of their own: whatever the command started is gone at the end of a failed run too.
set -m

folder=$(mktemp -d)
: >"$folder/output"
"$@" --listen 127.0.0.1:0 --data "$folder/data" >"$folder/output" 2>"$folder/errors" &
server=$!
trap 'kill -KILL -- "-$server" 2>/dev/null || true; rm -rf "$folder"' EXIT

fail() {
  echo "smoke start: $1" >&2
  cat "$folder/output" "$folder/errors" >&2
  exit 1
}

# wait_until SECONDS COMMAND…: true as soon as the command is, false when the time is over.
wait_until() {
  local ticks=$(($1 * 10))
  shift
  until "$@"; do
    ((ticks-- > 0)) || return 1
    sleep 0.1
  done
}

says_its_lines() {
  kill -0 "$server" 2>/dev/null || fail 'the server ended by itself'
  grep -qE '^fingerprint +SHA256:' "$folder/output" && grep -qE '^invite +sealwire://' "$folder/output"
}

has_ended() { ! kill -0 "$server" 2>/dev/null; }

wait_until 60 says_its_lines || fail 'no three lines within 60 s'
port=$(sed -nE 's#^sealwire listening on tls://127\.0\.0\.1:([0-9]+)$#\1#p' "$folder/output")
[ -n "$port" ] || fail 'no line that says where it listens'
(exec 3<>"/dev/tcp/127.0.0.1/$port") || fail "nothing answers on port $port"

kill -TERM "$server"
wait_until 30 has_ended || fail 'still there 30 s after SIGTERM'
code=0
wait "$server" || code=$?
[ "$code" = 0 ] || fail "exit code $code after SIGTERM"
(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && fail "something still answers on port $port"
grep -E '^(sealwire listening|fingerprint|invite)' "$folder/output"
echo 'smoke start: started, answered, stopped with exit code 0'
