"""Talks to daemon.py; see there."""
import json
import subprocess
import sys
import threading
import time

from machine import HERE, connect, die_with_parent


class GuestError(Exception):
    """An answer that is not ok; `code` is KubeVirt's HTTP status."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


class Guest:
    """A guest daemon started here and stopped by stop()."""

    def __init__(self, folder, *options):
        folder.mkdir(parents=True)
        self._log = open(folder / "daemon.log", "w+")
        self._process = subprocess.Popen([sys.executable, HERE / "daemon.py", folder, *options],
                                         stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log,
                                         preexec_fn=die_with_parent)
        self.socket = folder / "guest.sock"
        self._turn = threading.Lock()
        self._link = None

    def wait_ready(self, seconds=270):
        deadline = time.monotonic() + seconds
        while not self.socket.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._log.seek(0)
                raise GuestError(500, f"the guest did not come up: {self._log.read().strip()}")
            time.sleep(0.05)
        self._link = connect(self.socket, 10).makefile("rw")
        return self.ask("status")

    def ask(self, op, **arguments):
        """One request; raises GuestError unless the answer is ok. Waits at most as long as the daemon's own bounds."""
        with self._turn:
            self._link.write(json.dumps({"op": op, **arguments}) + "\n")
            self._link.flush()
            line = self._link.readline()
        if not line:
            raise GuestError(500, "the guest daemon is gone")
        answer = json.loads(line)
        if not answer.pop("ok"):
            raise GuestError(answer["code"], answer["error"])
        return answer

    def stop(self):
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(10)
        self._log.close()
