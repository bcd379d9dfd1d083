"""Requests that open no WebSocket (docs/protocol/websocket.md, "The upgrade")."""

import outcome
from misbehaviours import List
from tls_wire import hello, plain_outcome
from web_wire import BINARY, frame, request, status

rows = List("upgrade", "web")


def asking(*requests, bytewise=False):
    def run(stage):
        found = []
        for each in requests:
            tls = stage.web_tls()
            for part in [each] if not bytewise else [each[at : at + 1] for at in range(len(each))]:
                outcome.attempt(tls.sendall, part)
            said, _ = status(tls)
            found.append(said if said == "status 101" or outcome.stream(tls) != "silence" else f"{said} and still open")
        return found

    return run


for name, does, then, *requests in (
    (
        "method",
        "asks with other methods",
        "status 405",
        request(b"POST /sealwire HTTP/1.1"),
        request(b"OPTIONS /sealwire HTTP/1.1"),
        request(b"HEAD /sealwire HTTP/1.1"),
    ),
    (
        "path",
        "asks for something else",
        "status 404",
        request(b"GET / HTTP/1.1"),
        request(b"GET /sealwire/ HTTP/1.1"),
        request(b"GET /sealwire?x=1 HTTP/1.1"),
        request(b"GET /../sealwire HTTP/1.1"),
        request(b"GET https://localhost/sealwire HTTP/1.1"),
        request(b"GET /SEALWIRE HTTP/1.1"),
    ),
    (
        "http-version",
        "speaks other versions of HTTP",
        "status 400",
        request(b"GET /sealwire HTTP/1.0"),
        request(b"GET /sealwire HTTP/2"),
        request(b"GET /sealwire"),
        request(b"PRI * HTTP/2.0"),
    ),
    (
        "no-upgrade",
        "wants no WebSocket",
        "status 426",
        request(without=("upgrade",)),
        request(without=("connection",)),
        request(upgrade="h2c"),
        request(connection="keep-alive"),
    ),
    (
        "ws-version",
        "speaks other versions of WebSocket",
        "status 426",
        request(sec_websocket_version="12"),
        request(sec_websocket_version="8"),
        request(without=("sec_websocket_version",)),
        request(sec_websocket_version="13, 13"),
    ),
    (
        "key",
        "sends keys that are none",
        "status 400",
        request(without=("sec_websocket_key",)),
        request(sec_websocket_key="AAAA"),
        request(sec_websocket_key="*" * 22 + "=="),
        request(sec_websocket_key="A" * 86 + "=="),
    ),
    ("key-twice", "sends two keys", "status 400", request(more=(b"Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==",))),
    ("no-host", "names no host", "status 400", request(without=("host",))),
    (
        "body",
        "announces a body, in each way",
        "status 400",
        request(content_length="5"),
        request(transfer_encoding="chunked"),
        request(content_length="0"),
    ),
    (
        "origin",
        "is a page of another origin",
        "status 403",
        request(origin="https://evil.example"),
        request(origin="null"),
        request(origin="http://localhost"),
        request(origin="https://localhost.evil.example"),
        request(origin="https://localhost:1"),
        request(origin=""),
    ),
    (
        "subprotocol",
        "offers only other subprotocols",
        "status 400",
        request(sec_websocket_protocol="mqtt"),
        request(sec_websocket_protocol="sealwire.2, graphql-ws"),
    ),
    (
        "header-form",
        "sends lines that are no headers",
        "status 400",
        request(more=(b"no colon",)),
        request(more=(b"Bad Name: x",)),
        request(more=(b" folded: x",)),
        request(more=(b": x",)),
        request(more=(b"X: a\x00b",)),
        request(more=(b"X: a\nY: b",)),
    ),
    ("too-long", "sends a request of 9 KiB", "status 431", request(x_padding="x" * 9_000), request(b"GET /" + b"x" * 9_000 + b" HTTP/1.1")),
    ("endless", "sends headers without an end", "status 431", request(x_padding="x" * 20_000)[:-4]),
):
    rows.add(name, does, then, asking(*requests))

rows.add("bytewise", "sends a good request byte by byte", "status 101", asking(request(), bytewise=True))


@rows.misbehaves("frames-behind", "sends frames behind its request without waiting for the answer", "answered")
def frames_behind(stage):
    tls = stage.web_tls()
    tls.sendall(request() + frame(BINARY, outcome.HELLO_FRAME))
    said, rest = status(tls)
    while len(rest) < 2:
        rest += tls.recv(65536)
    return "answered" if said == "status 101" and rest[0] == 0x82 else f"{said} {rest[:4]!r}"


@rows.misbehaves("in-clear", "asks in the clear, without TLS", "closed")
def in_clear(stage):
    tcp = stage.tcp(stage.server.web)
    tcp.sendall(request())
    return outcome.stream(tcp)


@rows.misbehaves("sealwire-alpn", "offers the protocol of the other listener (ALPN)", "alert no_application_protocol")
def sealwire_alpn(stage):
    tcp = stage.tcp(stage.server.web)
    tcp.sendall(hello())
    return plain_outcome(tcp)
