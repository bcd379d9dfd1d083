"""Ports at which no Sealwire answers: python3 doctor_ports.py KIND. Prints the port, then serves until it is killed.

A black hole is made of a listener whose queue is full: the kernel then drops every further SYN, as a firewall would.
"""
import socket
import sys
import time

BANNERS = {
    "ssh": b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
    "mail": b"220 mail.example ESMTP\r\n",
}


def http(connection):
    connection.recv(9999)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")


def http_only_to_http(connection):
    if connection.recv(9999).startswith(b"GET "):
        connection.sendall(b"HTTP/1.0 200 OK\r\n\r\nhello")


def closing(connection):
    pass


def main(kind):
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0 if kind == "black-hole" else 20)
    held = []
    if kind == "black-hole":
        for _ in range(4):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
            held.append(client)
        time.sleep(0.2)
    print("port", listener.getsockname()[1], "ready", flush=True)
    while kind == "black-hole":
        time.sleep(60)
    while True:
        connection, _ = listener.accept()
        if kind == "silent":
            held.append(connection)
            continue
        try:
            if kind in BANNERS:
                connection.sendall(BANNERS[kind])
                connection.recv(9999)
            else:
                {"http": http, "shy-http": http_only_to_http, "closing": closing}[kind](connection)
        except OSError:
            pass
        connection.close()


main(sys.argv[1])
