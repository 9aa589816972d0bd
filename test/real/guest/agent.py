"""Talks to the QEMU guest agent over its virtio-serial port (QEMU's docs/interop/qemu-ga-ref)."""
import json
import random
import threading
import time

from machine import MachineError, connect


class AgentError(Exception):
    """The agent answered with an error."""


class AgentSilent(AgentError):
    """No answer in time: what was asked may still happen."""


class Agent:
    """Thread-safe: one request at a time, as libvirt does it."""

    def __init__(self, path):
        self._link = connect(path, 10)
        self._buffer = b""
        self._turn = threading.Lock()

    def request(self, command, seconds):
        deadline = time.monotonic() + seconds
        if not self._turn.acquire(timeout=seconds):
            raise AgentSilent(f"{command}: the agent is busy with another request")
        try:
            self._synchronise(deadline)
            self._send({"execute": command})
            reply = json.loads(self._read_until(b"\n", deadline))
        except (OSError, MachineError) as error:
            raise AgentSilent(f"{command}: {error}") from error
        finally:
            self._turn.release()
        if "return" not in reply:
            raise AgentError(f"{command}: {reply.get('error', {}).get('desc', reply)}")
        return reply["return"]

    def _synchronise(self, deadline):
        """Drops answers to requests that were given up, and waits for an agent that is just starting."""
        self._buffer = b""
        while True:
            number = random.getrandbits(31)
            # 0xFF makes the agent forget half a request, and asks it to mark its answer with another.
            self._send({"execute": "guest-sync-delimited", "arguments": {"id": number}}, prefix=b"\xff")
            attempt = min(deadline, time.monotonic() + 2)
            try:
                while True:
                    self._read_until(b"\xff", attempt)
                    if json.loads(self._read_until(b"\n", attempt)).get("return") == number:
                        return
            except TimeoutError:
                if time.monotonic() >= deadline:
                    raise

    def _send(self, message, prefix=b""):
        self._link.settimeout(5)
        self._link.sendall(prefix + json.dumps(message).encode() + b"\n")

    def _read_until(self, end, deadline):
        while end not in self._buffer:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("no answer in time")
            self._link.settimeout(left)
            received = self._link.recv(65536)
            if not received:
                raise ConnectionError("QEMU closed the agent's port")
            self._buffer += received
        message, self._buffer = self._buffer.split(end, 1)
        return message
