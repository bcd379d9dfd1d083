"""What is no TLS at all, on every listener."""

import os

from misbehaviours import List
from outcome import attempt
from sealwire_classic import MESSAGE, encode
from tls_wire import plain_outcome, record

rows = List("bytes")

frame = encode(MESSAGE, b"hello")
beginnings = {
    "http": ("speaks HTTP to a TLS port", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "closed"),
    "proxy": ("asks for a proxy", b"CONNECT example.com:443 HTTP/1.1\r\n\r\n", "closed"),
    "frame": ("sends a frame in the clear", frame, "alert protocol_version"),
    "sealed": ("speaks the sealed channel to a TLS port", b"SWv2\x03\x00\x00\x30" + bytes(48), "alert protocol_version"),
    "ssh": ("speaks SSH", b"SSH-2.0-OpenSSH_9.0\r\n", "alert protocol_version"),
    "zeros": ("sends zeros", bytes(512), "alert protocol_version"),
    "random": ("sends noise that cannot be a record", b"\xf3\xaa\xaa\xaa" + os.urandom(508), "alert protocol_version"),
    "proxy-protocol": ("sends a header of the PROXY protocol", b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c" + bytes(12), "alert protocol_version"),
    "alert-first": ("begins with a fatal alert", record(21, b"\x02\x28"), "closed"),
    "data-first": ("begins with application data", record(23, b"hello"), "alert unexpected_message"),
    "cipher-first": ("begins with ChangeCipherSpec", record(20, b"\x01"), "alert unexpected_message"),
    "sslv2": (
        "sends a hello of SSL 2",
        bytes.fromhex("802e0100020015000000100100800200800300800400800500800600400700c0") + os.urandom(16),
        "alert protocol_version",
    ),
}
for name, (does, data, then) in beginnings.items():

    def run(stage, data=data):
        tcp = stage.tcp()
        attempt(tcp.sendall, data)
        return plain_outcome(tcp)

    rows.add(name, does, then, run)


@rows.misbehaves("churn", "connects and is gone, a hundred times, in every early stage", "let go")
def churn(stage):
    for number in range(100):
        tcp = stage.tcp()
        attempt(tcp.sendall, (b"\x16\x03\x01\x02\x00\x01"[: number % 7]))
        tcp.close()
    return "let go"
