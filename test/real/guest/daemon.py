#!/usr/bin/python3
"""The guest as a service: one virtual machine under load, driven by lines of JSON over a Unix socket.

    daemon.py FOLDER [--image IMAGE] [--no-agent]

boots the guest with its files in FOLDER and serves FOLDER/guest.sock until SIGTERM. A request is one line
{"op": ..., ...}, and its answer one line {"ok": true, ...} or {"ok": false, "code": <HTTP status>, "error": ...}; several
connections are served at once. Times are seconds of the wall clock. The operations are the methods op_* of Guest.
"""
import argparse
import json
import pathlib
import signal
import socketserver
import subprocess
import sys
import threading
import time

import build_image
from agent import Agent, AgentError
from launcher import Launcher, Refused
from machine import Machine, MachineError, connect

AGENT_PORT = "org.qemu.guest_agent.0"
FILESYSTEMS = {"A": "ext4", "B": "xfs", "C": "ext4"}
DISK_BYTES = 320 << 20  # mkfs.xfs refuses less than 300 MiB
SAMPLE_EVERY = 0.05
BOOT_SECONDS = 240  # 10 on an idle machine


def make_disk(path, filesystem):
    with open(path, "wb") as file:
        file.truncate(DISK_BYTES)
    tool = ["mkfs.ext4", "-q", "-F"] if filesystem == "ext4" else ["mkfs.xfs", "-q", "-f"]
    subprocess.run([*tool, path], check=True, stdout=subprocess.DEVNULL, timeout=60)


class Guest:
    """A booted guest and the record of what became of it. Thread-safe."""

    def __init__(self, folder, image, with_agent):
        self._folder = pathlib.Path(folder)
        disks = {name: self._folder / f"{name}.img" for name in FILESYSTEMS}
        for name, path in disks.items():
            make_disk(path, FILESYSTEMS[name])
        parameters = "rig=load" if with_agent else "rig=load agent=off"
        self._machine = Machine(image, folder, disks, parameters, (AGENT_PORT, "control"))
        self._lock = threading.Lock()
        self._cutting = threading.Lock()
        self._events, self._samples, self._images, self._plant = [], [], {}, None
        self._images_folder = None
        self._boots = 0
        begun = time.monotonic()
        self._machine.start()
        try:
            self._agent = Agent(self._folder / AGENT_PORT)
            self._launcher = Launcher(self._agent, self._machine.running, self._note)
            self._control = connect(self._folder / "control", 10)
            self._wait_boot(with_agent)
        except BaseException:
            self._machine.stop()
            raise
        self.boot_seconds = time.monotonic() - begun
        threading.Thread(target=self._sample, name="sampler", daemon=True).start()

    def stop(self):
        self._launcher.close()
        self._machine.stop()

    # -- operations ---------------------------------------------------------------------------------------------------

    def op_status(self):
        connected = self._machine.port_open(AGENT_PORT)
        try:
            frozen = self._launcher.status(2) == "frozen" if connected else None
        except AgentError:
            frozen = None
        return {"running": self._machine.running(), "agent": connected, "frozen": frozen,
                "boot_seconds": self.boot_seconds, "disks": FILESYSTEMS, "cut": sorted(self._images)}

    def op_agent(self):
        """Whether the agent has its port open, without asking it anything."""
        return {"agent": self._machine.port_open(AGENT_PORT)}

    def op_freeze(self, timeout=None):
        """As KubeVirt's freeze with unfreezeTimeout `timeout` (seconds)."""
        self._launcher.freeze(timeout)
        return {}

    def op_thaw(self):
        """As KubeVirt's unfreeze."""
        self._launcher.unfreeze()
        return {}

    def op_begin(self, folder, before_cut=None, fault=None, pause=0):
        """A new record; its images go to `folder`. `fault` (thaw, kill-agent, reboot) is done before the cut of that
        number, from 1, which then waits for `pause` seconds."""
        if fault is not None and fault not in self._faults():
            raise Refused(400, f"fault must be one of {', '.join(self._faults())}")
        with self._lock:
            self._images = {}
            self._events, self._samples = [], []
            self._plant = (before_cut, fault, pause) if fault else None
            self._images_folder = pathlib.Path(folder)
        return {}

    def op_cut(self, disk):
        """Captures a disk at one instant between `sent` and `done`; the image is whole after `end`."""
        if disk not in FILESYSTEMS:
            raise Refused(400, f"disk must be one of {', '.join(FILESYSTEMS)}")
        with self._cutting:
            if not self._images_folder:
                raise Refused(409, "`begin` has to say first where images go")
            if disk in self._images:
                raise Refused(409, f"disk {disk} is cut already since `begin`")
            if self._plant and self._plant[0] == len(self._images) + 1:
                _, fault, pause = self._plant
                self._note("fault", fault=fault)
                self._faults()[fault]()
                time.sleep(pause)
            image = self._images_folder / f"{disk}.img"
            sent, done = self._machine.cut(disk, image)
            self._images[disk] = image
        self._note("cut", at=done, sent=sent, disk=disk)
        return {"image": str(image), "sent": sent, "done": done}

    def op_end(self):
        """Waits until the images are whole: the truth since `begin`."""
        for image in self._images.values():
            self._machine.wait_copied(image, 60)
        with self._lock:
            return {"events": list(self._events), "samples": list(self._samples),
                    "images": {disk: str(path) for disk, path in self._images.items()}}

    def op_load(self, on):
        """Lets the writers write or rest; at rest, what they wrote is on disk."""
        self._shell("killall -CONT writer" if on else "killall -STOP writer; sync")
        return {}

    # -- inside -------------------------------------------------------------------------------------------------------

    def _faults(self):
        return {"thaw": self._thaw_behind, "kill-agent": self._kill_agent, "reboot": self._reboot}

    def _thaw_behind(self):
        """Someone else unfreezes (`virt-freezer --unfreeze`): the next thaw is answered success all the same."""
        self._launcher.unfreeze()
        time.sleep(0.3)

    def _kill_agent(self):
        self._shell("killall -KILL qemu-ga")

    def _reboot(self):
        self._note("reset")
        self._machine.reset()
        self._wait_boot(with_agent=True)
        time.sleep(1)  # writes have begun again

    def _wait_boot(self, with_agent):
        self._boots += 1
        self._machine.wait_said("rig: up", self._boots, BOOT_SECONDS)
        self._shell("true")
        if with_agent:
            self._agent.request("guest-ping", 30)

    def _shell(self, command):
        """Runs a command in the guest, frozen or not, and waits for its end."""
        self._control.settimeout(30)
        self._control.sendall(f"{command}; echo done-$((40+2))\n".encode())
        received = b""
        while b"done-42" not in received:
            try:
                received += self._control.recv(4096)
            except TimeoutError as error:
                raise MachineError(f"the guest's shell did not finish `{command}` within 30 s") from error

    def _note(self, what, at=None, **details):
        with self._lock:
            self._events.append({"at": at or time.time(), "what": what, **details})

    def _sample(self):
        while True:
            try:
                requests = self._machine.write_requests()
            except MachineError:
                return  # QEMU is gone: the next operation says so
            with self._lock:
                self._samples.append([time.time(), requests])
            time.sleep(SAMPLE_EVERY)


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(json.dumps(self._answer(line)).encode() + b"\n")

    def _answer(self, line):
        try:
            request = json.loads(line)
            operation = getattr(self.server.guest, f"op_{request.pop('op')}")
            return {"ok": True, **operation(**request)}
        except Refused as error:
            return {"ok": False, "code": error.code, "error": str(error)}
        except (ValueError, AttributeError, KeyError, TypeError) as error:
            return {"ok": False, "code": 400, "error": f"not a request this daemon knows: {error}"}
        except (MachineError, AgentError, OSError) as error:
            return {"ok": False, "code": 500, "error": str(error)}


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", help="an existing folder, with a short path: it holds Unix sockets")
    parser.add_argument("--image", help="folder of vmlinuz and initrd (build_image.py makes it by itself)")
    parser.add_argument("--no-agent", action="store_true", help="boot without the guest agent")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        guest = Guest(arguments.folder, arguments.image or build_image.image(), not arguments.no_agent)
    except (MachineError, AgentError, build_image.BuildError, OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"daemon.py: {error}")
    try:
        with Server(f"{arguments.folder}/guest.sock", Handler) as server:
            server.guest = guest
            server.serve_forever()
    finally:
        guest.stop()


if __name__ == "__main__":
    main()
