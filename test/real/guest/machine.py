"""One QEMU process without KVM: start, QMP, disks cut at an instant, stop. Every wait has a bound."""
import ctypes
import json
import os
import pathlib
import queue
import signal
import socket
import subprocess
import threading
import time


HERE = pathlib.Path(__file__).resolve().parent


_started = []  # machines of this process, for stop_all()
_stopping = threading.Event()


class MachineError(Exception):
    """QEMU refused, died or did not answer in time."""


def die_with_parent():
    """Between fork and exec: the kernel ends the child when its parent is gone, even by kill -9."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def sparse_copy(source, target, seconds=120):
    """With holes for zeros: the path of the copy."""
    subprocess.run(["cp", "--sparse=always", source, target], check=True, timeout=seconds)
    return pathlib.Path(target)


def connect(path, seconds):
    """To a Unix socket that may not be there yet."""
    deadline = time.monotonic() + seconds
    while True:
        link = socket.socket(socket.AF_UNIX)
        try:
            link.connect(str(path))
            return link
        except OSError as error:
            link.close()
            if time.monotonic() > deadline:
                raise MachineError(f"{path}: no connection within {seconds} s ({error})") from error
            time.sleep(0.02)


class Qmp:
    """QEMU's monitor. Thread-safe: commands are sent one at a time, events are kept for whoever waits."""

    def __init__(self, path):
        self._link = connect(path, 10)
        self._sending = threading.Lock()
        self._replies = queue.Queue()
        self._events = []
        self._arrived = threading.Condition()
        threading.Thread(target=self._read, name="qmp", daemon=True).start()
        self.command("qmp_capabilities")

    def command(self, name, arguments=None, seconds=10):
        with self._sending:
            try:
                self._link.sendall(json.dumps({"execute": name, "arguments": arguments or {}}).encode() + b"\n")
                reply = self._replies.get(timeout=seconds)
            except (OSError, queue.Empty) as error:
                raise MachineError(f"QMP {name}: no answer within {seconds} s") from error
        if "return" not in reply:
            raise MachineError(f"QMP {name}: {reply.get('error', {}).get('desc', reply)}")
        return reply["return"]

    def wait_event(self, wanted, seconds):
        """The first event kept for which wanted(event) is true; it is taken out."""
        deadline = time.monotonic() + seconds
        with self._arrived:
            while True:
                for event in self._events:
                    if wanted(event):
                        self._events.remove(event)
                        return event
                left = deadline - time.monotonic()
                if left <= 0 or not self._arrived.wait(left):
                    raise MachineError(f"QMP: the event awaited did not come within {seconds} s")

    def _read(self):
        try:
            with self._link.makefile("r") as lines:
                for line in lines:
                    self._take(json.loads(line))
        except OSError:
            pass  # QEMU is gone: said below to whoever waits for it
        self._replies.put({"error": {"desc": "QEMU closed the monitor"}})

    def _take(self, message):
        if "event" not in message:
            if "QMP" not in message:
                self._replies.put(message)
        elif message["event"] == "BLOCK_JOB_COMPLETED":
            with self._arrived:
                self._events.append(message)
                self._arrived.notify_all()


def stop_all():
    """Ends every machine this process has started, and starts no more; a thread that waits for one fails at once."""
    _stopping.set()
    for machine in list(_started):
        machine.stop()


class Machine:
    """disks: name -> image file (raw). Ports: name -> Unix socket in `folder`."""

    def __init__(self, image, folder, disks, parameters, ports=()):
        self.folder = pathlib.Path(folder)
        self.console = self.folder / "console"
        self._sizes = {name: os.path.getsize(path) for name, path in disks.items()}
        self._qmp_path = self.folder / "qmp"
        self._command = self._command_line(image, disks, parameters, ports)
        self._process = None
        self._qmp = None

    def _command_line(self, image, disks, parameters, ports):
        command = ["qemu-system-x86_64", "-M", "pc", "-accel", "tcg", "-cpu", "max", "-m", "256", "-nodefaults",
                   "-no-user-config", "-display", "none", "-kernel", f"{image}/vmlinuz", "-initrd", f"{image}/initrd",
                   "-append", f"console=ttyS0 quiet loglevel=4 tsc=reliable mitigations=off panic=5 {parameters}",
                   "-serial", f"file:{self.console}", "-qmp", f"unix:{self._qmp_path},server=on,wait=off"]
        command += ["-device", "virtio-serial-pci"] if ports else []
        for name in ports:
            command += ["-chardev", f"socket,id={name},path={self.folder}/{name},server=on,wait=off",
                        "-device", f"virtserialport,chardev={name},name={name}"]
        for name, path in disks.items():
            # A flush ends in the host's page cache: the images need not outlive the host, and its own disk, busy with
            # a build beside, would otherwise stall the guest for as long as it has to write.
            command += ["-blockdev", f"driver=raw,node-name=disk{name},cache.no-flush=on,"
                                     f"file.driver=file,file.filename={path}",
                        "-device", f"virtio-blk-pci,drive=disk{name},id=disk-{name},serial={name}"]
        return command

    def start(self):
        if _stopping.is_set():
            raise MachineError("not started: everything is being stopped")
        with open(self.folder / "qemu.log", "wb") as log:
            self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                             preexec_fn=die_with_parent)
        _started.append(self)
        try:
            self._qmp = Qmp(self._qmp_path)
        except MachineError as error:
            self.stop()
            raise MachineError(f"QEMU did not start: {self._last_words()}") from error

    def stop(self):
        """Ends QEMU at once; the disks stay as they are."""
        if self._process and self._process.poll() is None:
            self._process.kill()
        if self._process:
            self._process.wait(10)

    def wait_off(self, seconds):
        """Until the guest has powered itself off."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise MachineError(f"the guest was not done within {seconds} s: {self._last_words()}") from error

    def said(self):
        return self.console.read_text(errors="replace") if self.console.exists() else ""

    def _last_words(self):
        return f"{(self.folder / 'qemu.log').read_text().strip()}\nits console ends:\n{self.said()[-2000:]}"

    def wait_said(self, text, count, seconds):
        """Until the guest's console has shown `text` so many times."""
        deadline = time.monotonic() + seconds
        while self.said().count(text) < count:
            if self._process.poll() is not None:
                raise MachineError(f"QEMU ended: {self._last_words()}")
            if time.monotonic() > deadline:
                raise MachineError(f"no `{text}` on the console within {seconds} s: {self._last_words()}")
            time.sleep(0.02)

    def running(self):
        return self._process.poll() is None and self._qmp.command("query-status")["running"]

    def reset(self):
        self._qmp.command("system_reset")

    def port_open(self, name):
        """Whether something in the guest has opened the virtio-serial port."""
        return any(port["label"] == name and port["frontend-open"] for port in self._qmp.command("query-chardev"))

    def write_requests(self):
        """How many write requests all disks together have taken since the start."""
        return sum(device["stats"]["wr_operations"] for device in self._qmp.command("query-blockstats"))

    def cut(self, disk, path):
        """Captures one disk as it is at one instant between the two times returned (seconds, wall clock).

        The backup job first lets requests in flight finish, then copies old data before each new write, so the file
        holds that instant although it is filled later: see wait_copied().
        """
        with open(path, "wb") as file:
            file.truncate(self._sizes[disk])
        job = f"cut-{pathlib.Path(path).stem}"
        self._qmp.command("blockdev-add", {"driver": "raw", "node-name": job, "cache": {"no-flush": True},
                                           "file": {"driver": "file", "filename": str(path)}})
        before = time.time()
        self._qmp.command("blockdev-backup", {"job-id": job, "device": f"disk{disk}", "target": job, "sync": "full"})
        return before, time.time()

    def wait_copied(self, path, seconds):
        """Until the file of a cut is whole."""
        job = f"cut-{pathlib.Path(path).stem}"
        event = self._qmp.wait_event(
            lambda one: one["event"] == "BLOCK_JOB_COMPLETED" and one["data"]["device"] == job, seconds)
        if "error" in event["data"]:
            raise MachineError(f"the copy of {path} failed: {event['data']['error']}")
        self._qmp.command("blockdev-del", {"node-name": job})
        # QEMU allocated what it only zeroed; the copy has holes there.
        os.replace(sparse_copy(path, f"{path}.sparse", seconds), path)
