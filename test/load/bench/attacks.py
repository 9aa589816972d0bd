"""Hostile peers, each a function that runs until its process is ended: python3 attacks.py NAME PORT [COUNT].

They reconnect when they are thrown out. `short` ends after COUNT connections, and says how many it made.
"""
import json
import socket
import ssl
import sys
import threading
import time

PEERS = 500
SECOND = 1.0  # between two bytes of one who dribbles
HEAD = b"POST /mutate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n"


def plain(port):
    return socket.create_connection(("127.0.0.1", port), 30)


def tls(port):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(plain(port))


def hello():
    """The first bytes of a handshake."""
    into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        ssl.create_default_context().wrap_bio(into, out, server_hostname="a").do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


class Crowd:
    """So many peers, each made by `make` and then asked once a second for its next byte."""

    def __init__(self, make, text):
        self._make, self._text = make, text
        self._peers = [None] * PEERS

    def run(self):
        at = 0
        while True:
            begin = time.monotonic()
            for i, peer in enumerate(self._peers):
                try:
                    if peer is None:
                        peer = self._peers[i] = self._make()
                    elif self._text:
                        peer.send(self._text[at % len(self._text):][:1])
                except OSError:
                    self._peers[i] = None
            at += 1
            time.sleep(max(0.0, SECOND - (time.monotonic() - begin)))


def idle(port):
    Crowd(lambda: tls(port), b"").run()


def dribble_handshake(port):
    Crowd(lambda: plain(port), hello()).run()


def dribble_head(port):
    Crowd(lambda: tls(port), b"GET / HTTP/1.1\r\nX: " + 500 * b"x").run()


def dribble_body(port):
    def make():
        peer = tls(port)
        peer.sendall(HEAD + b"\r\n")
        return peer
    Crowd(make, b" ").run()


def half_closed(port):
    def make():
        peer = tls(port)
        peer.sendall(HEAD)
        socket.socket.shutdown(peer, socket.SHUT_WR)
        return peer
    Crowd(make, b"").run()


def on_threads(count, body):
    def forever():
        while True:
            try:
                body()
            except OSError:
                time.sleep(0.01)
    for _ in range(count):
        threading.Thread(target=forever, daemon=True).start()
    while True:
        time.sleep(1)


def endless_headers(port):
    def body():
        with tls(port) as peer:
            peer.sendall(HEAD)
            while True:
                peer.sendall(100 * b"X-Header: value\r\n")
    on_threads(8, body)


def flood(port):
    """Whole requests, beyond what the pool takes."""
    review = json.dumps({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": {"uid": "a"}}).encode()
    request = HEAD.replace(b"1000", str(len(review)).encode()) + b"\r\n" + review

    def body():
        with tls(port) as peer:
            while True:
                peer.sendall(request)
                if not peer.recv(65536):
                    return
    on_threads(32, body)


def short(port, count):
    """Every other one closes at once, the others after the first bytes of a handshake."""
    first = hello()
    made = 0
    while made < count:
        try:
            with plain(port) as peer:
                if made % 2:
                    peer.send(first)
                # Closed with a reset, or this side runs out of ports.
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            made += 1
        except OSError:
            time.sleep(0.01)
    print(made)


ATTACKS = [idle, dribble_handshake, dribble_head, dribble_body, half_closed, endless_headers, flood]

if __name__ == "__main__":
    if sys.argv[1] == "short":
        short(int(sys.argv[2]), int(sys.argv[3]))
    else:
        {attack.__name__: attack for attack in ATTACKS}[sys.argv[1]](int(sys.argv[2]))
