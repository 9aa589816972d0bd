"""KubeVirt's rules, tested with an agent that has no guest."""
import threading
import time
import unittest

from agent import AgentError
from launcher import Launcher, Refused


class FakeAgent:
    def __init__(self):
        self.frozen = False
        self.fail_freeze = False
        self.freeze_seconds = 0
        self.thaws = 0

    def request(self, command, _seconds):
        if command == "guest-fsfreeze-status":
            return "frozen" if self.frozen else "thawed"
        if command == "guest-fsfreeze-freeze":
            time.sleep(self.freeze_seconds)
            self.frozen = True
            if self.fail_freeze:
                raise AgentError("failed half-way")
        if command == "guest-fsfreeze-thaw":
            self.frozen = False
            self.thaws += 1
        return 3


class Rules(unittest.TestCase):
    def setUp(self):
        self.agent = FakeAgent()
        self.is_running = True
        self.notes = []
        self.launcher = self.launcher_with_patience(5)

    def launcher_with_patience(self, seconds):
        launcher = Launcher(self.agent, lambda: self.is_running, lambda what, **_: self.notes.append(what), seconds)
        self.addCleanup(launcher.close)
        return launcher

    def eventually(self, condition, seconds=3):
        deadline = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), deadline, "did not happen in time")
            time.sleep(0.01)

    def test_the_timer_thaws(self):
        self.launcher.freeze(1)
        self.assertTrue(self.agent.frozen)
        self.eventually(lambda: not self.agent.frozen)
        self.assertEqual(self.notes, ["freeze-sent", "frozen", "thaw-sent", "thawed"])

    def test_a_second_freeze_does_not_rearm_the_timer(self):
        begun = time.monotonic()
        self.launcher.freeze(1)
        self.launcher.freeze(30)
        self.eventually(lambda: not self.agent.frozen)
        self.assertLess(time.monotonic() - begun, 2)

    def test_a_fraction_is_cut_off_and_zero_is_no_timer(self):
        self.launcher.freeze(0.9)
        time.sleep(1.2)
        self.assertTrue(self.agent.frozen)

    def test_unfreeze_cancels_the_timer(self):
        self.launcher.freeze(1)
        self.launcher.unfreeze()
        self.agent.frozen = True  # by someone else
        time.sleep(1.2)
        self.assertTrue(self.agent.frozen)

    def test_unfreeze_of_a_thawed_guest_succeeds_and_asks_nothing_of_it(self):
        self.launcher.unfreeze()
        self.assertEqual(self.agent.thaws, 0)

    def test_a_failed_freeze_leaves_no_timer(self):
        self.agent.fail_freeze = True
        with self.assertRaises(Refused) as refused:
            self.launcher.freeze(1)
        self.assertEqual(refused.exception.code, 500)
        time.sleep(1.2)
        self.assertTrue(self.agent.frozen)

    def test_a_freeze_whose_caller_gave_up_still_happens(self):
        self.agent.freeze_seconds = 1
        with self.assertRaises(Refused) as refused:
            self.launcher_with_patience(0.2).freeze(30)
        self.assertEqual(refused.exception.code, 500)
        self.assertFalse(self.agent.frozen)
        self.eventually(lambda: self.agent.frozen)

    def test_a_guest_that_does_not_run_is_refused(self):
        self.is_running = False
        for call in (lambda: self.launcher.freeze(1), self.launcher.unfreeze):
            with self.assertRaises(Refused) as refused:
                call()
            self.assertEqual(refused.exception.code, 409)

    def test_a_freeze_without_a_timeout_is_refused(self):
        for timeout in (None, "30s", -1, True):
            with self.assertRaises(Refused) as refused:
                self.launcher.freeze(timeout)
            self.assertEqual(refused.exception.code, 400)
        self.assertFalse(self.agent.frozen)

    def test_calls_to_the_guest_are_one_at_a_time(self):
        self.agent.freeze_seconds = 0.1
        callers = [threading.Thread(target=self.launcher.freeze, args=(30,)) for _ in range(2)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join(3)
        self.assertEqual(self.notes, ["freeze-sent", "frozen"])


if __name__ == "__main__":
    unittest.main()
