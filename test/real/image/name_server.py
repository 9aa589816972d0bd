"""A name server on loopback that knows one name, and remembers the questions that it got."""
import socket
import struct
import threading

A, IN = 1, 1


class NameServer(threading.Thread):
    def __init__(self, name, address):
        super().__init__(daemon=True)
        self._name, self._address = name, socket.inet_aton(address)
        self.asked = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 53))
        self.start()

    def run(self):
        while True:
            query, peer = self._socket.recvfrom(512)
            self._socket.sendto(self._answer(query), peer)

    def _answer(self, query):
        """RFC 1035, section 4.1: one question, and the address if it is for that of our name."""
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        question = query[12:at + 5]
        kind, _ = struct.unpack("!HH", question[-4:])
        name = ".".join(labels)
        self.asked.append(name)
        found = kind == A and name == self._name
        header = query[:2] + struct.pack("!HHHHH", 0x8180 if name == self._name else 0x8183, 1, int(found), 0, 0)
        return header + question + (struct.pack("!HHHIH", 0xC00C, A, IN, 60, 4) + self._address if found else b"")
