"""KubeVirt's rules for freezing a guest, between the caller and the real agent.

They are taken from KubeVirt, not from snapfreeze, so that our own mistakes show here.
"""
import threading

from agent import AgentError

CALLER_GIVES_UP = 10  # virt-api's call to virt-handler, seconds
LAUNCHER_GIVES_UP = 60  # the launcher's call to the agent, seconds


class Refused(Exception):
    """A call that KubeVirt answers with this HTTP status."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


def whole_seconds(timeout):
    """The timer's seconds: a fraction is cut off, and what is then 0 means no timer at all."""
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or timeout < 0:
        raise Refused(400, "unfreezeTimeout must be a number of seconds, 0 for no timer")
    return int(timeout)


class Launcher:
    """agent: .request(command, seconds). running(): whether the guest runs. note(what): told what became of the guest.

    Calls to the guest are made one at a time. Thread-safe.
    """

    def __init__(self, agent, running, note, caller_gives_up=CALLER_GIVES_UP):
        self._agent = agent
        self._running = running
        self._note = note
        self._caller_gives_up = caller_gives_up
        self._turn = threading.Lock()
        self._timer = None

    def freeze(self, timeout):
        seconds = whole_seconds(timeout)
        self._call(lambda: self._freeze(seconds))

    def unfreeze(self):
        self._call(lambda: self._unfreeze("asked"))

    def status(self, seconds=5):
        return self._agent.request("guest-fsfreeze-status", seconds)

    def close(self):
        self._cancel_timer()

    def _call(self, work):
        """Runs the launcher's side on a thread of its own: it goes on when its caller has given up."""
        if not self._running():
            raise Refused(409, "the VMI is not running")
        outcome = []
        done = threading.Event()

        def launcher_side():
            try:
                with self._turn:
                    work()
            except AgentError as error:
                outcome.append(error)
            done.set()

        threading.Thread(target=launcher_side, name="launcher", daemon=True).start()
        if not done.wait(self._caller_gives_up):
            raise Refused(500, f"no answer from the launcher within {self._caller_gives_up} s")
        if outcome:
            raise Refused(500, str(outcome[0]))

    def _freeze(self, seconds):
        if self.status() == "frozen":
            return  # the first freezer's timer counts
        self._note("freeze-sent")
        try:
            self._agent.request("guest-fsfreeze-freeze", LAUNCHER_GIVES_UP)
        except AgentError:
            self._note("freeze-failed")
            raise
        self._note("frozen")
        self._cancel_timer()
        if seconds > 0:
            self._timer = threading.Timer(seconds, self._timer_fired)
            self._timer.daemon = True
            self._timer.start()

    def _unfreeze(self, why):
        self._cancel_timer()
        if self.status() == "thawed":
            return
        self._note("thaw-sent", why=why)
        self._agent.request("guest-fsfreeze-thaw", LAUNCHER_GIVES_UP)
        self._note("thawed")

    def _timer_fired(self):
        with self._turn:
            if self._timer is not threading.current_thread():
                return  # cancelled while it waited for its turn
            try:
                self._unfreeze("timer")
            except AgentError as error:
                self._note("thaw-failed", error=str(error))

    def _cancel_timer(self):
        if self._timer:
            self._timer.cancel()
            self._timer = None
