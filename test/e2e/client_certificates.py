"""The matrix of client certificates: who gets an answer, by TLS 1.2 and 1.3, from Python's ssl and from openssl.

    python3 test/e2e/client_certificates.py ROWS.json AUTHORITY.pem optional=HOST:PORT required=HOST:PORT

ROWS.json is `{"hello": HEX, "rows": [{"title", "file", "answers": {"optional": …, "required": …}}, …]}`. `file` has a
client's certificates and key, or is empty. An answer is the text that must come, `*` for any, empty for none at all: a peer
that should not be there gets not one byte of what TLS carries.

Each row is played in three ways. `after`: hello is sent when the handshake is done. `together`: hello travels in the same
segment as the client's Finished. Where that cannot be, because a client of TLS 1.2 first waits for the server's Finished,
it is sent in the first segment after it. `openssl`: by `openssl s_client`.
"""

import json
import socket
import ssl
import subprocess
import sys

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
_seconds = 10


def context_for(authority, file, version):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(authority)
    context.minimum_version = context.maximum_version = VERSIONS[version]
    if file:
        context.load_cert_chain(file)
    return context


def after(address, context, hello, expected):
    """What is answered to a hello that is sent when the handshake is done."""
    with socket.create_connection(address, _seconds) as plain:
        try:
            with context.wrap_socket(plain, server_hostname=address[0]) as secure:
                secure.sendall(hello)
                return read_all(secure.recv, expected)
        except TimeoutError:
            raise
        except (ssl.SSLError, OSError):
            return b""


def together(address, context, hello, expected):
    """What is answered to a hello that is written before the last flight of the handshake was sent."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    secure = context.wrap_bio(incoming, outgoing, server_hostname=address[0])
    with socket.create_connection(address, _seconds) as plain:

        def receive(count):
            while True:
                try:
                    return secure.read(count)
                except ssl.SSLWantReadError:
                    more = plain.recv(65536)
                    incoming.write(more) if more else incoming.write_eof()

        try:
            while not shaken(secure):
                plain.sendall(outgoing.read())
                more = plain.recv(65536)
                incoming.write(more) if more else incoming.write_eof()
            secure.write(hello)
            plain.sendall(outgoing.read())
            return read_all(receive, expected)
        except TimeoutError:
            raise
        except (ssl.SSLError, OSError):
            return b""


def shaken(secure):
    try:
        secure.do_handshake()
        return True
    except ssl.SSLWantReadError:
        return False


def read_all(receive, expected):
    """Everything until the peer ends, in whichever way: he may be reset after he was answered."""
    answer = b""
    try:
        while not (expected == "*" and answer):
            more = receive(4096)
            if not more:
                return answer
            answer += more
        return answer
    except TimeoutError:
        raise
    except (ssl.SSLError, OSError):
        return answer


def openssl(address, authority, file, version, hello):
    shown = ["-cert", file, "-key", file, "-cert_chain", file] if file else []
    command = ["openssl", "s_client", "-connect", f"{address[0]}:{address[1]}", "-CAfile", authority, "-verify_return_error"]
    command += ["-verify_ip", address[0], "-quiet", f"-tls{version.replace('.', '_')}", *shown]
    run = subprocess.run(command, input=hello, capture_output=True, timeout=_seconds, check=False)
    return run.stdout


def is_right(answer, expected):
    return answer != b"" if expected == "*" else answer == expected.encode()


def play(rows, hello, authority, mode, address):
    """How many were played and how many of them were answered."""
    played = answered = 0
    for row in rows:
        expected = row["answers"][mode]
        for version in VERSIONS:
            for way in ("after", "together", "openssl"):
                if way == "openssl":
                    answer = openssl(address, authority, row["file"], version, hello)
                else:
                    context = context_for(authority, row["file"], version)
                    answer = (after if way == "after" else together)(address, context, hello, expected)
                if not is_right(answer, expected):
                    sys.exit(f"FAILED  {mode} TLS {version} {way}: {row['title']}: expected {expected!r}, answered {answer!r}")
                print(f"ok      {mode} TLS {version} {way}: {row['title']}")
                played += 1
                answered += answer != b""
    return played, answered


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        matrix = json.load(file)
    for target in sys.argv[3:]:
        mode, _, place = target.partition("=")
        host, _, port = place.rpartition(":")
        played, answered = play(matrix["rows"], bytes.fromhex(matrix["hello"]), sys.argv[2], mode, (host, int(port)))
        print(f"{mode}: {played} played, {answered} answered")
