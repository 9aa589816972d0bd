"""What counts as a broken promise."""
import unittest

from oracle import Judgement
from records import Problem
from drivers import Verdict
from scenarios import (CONSISTENT, CONTROL, DOUBTFUL, LAPSE, SCENARIOS, UNAFFECTED, Outcome, Scenario, backups_of,
                       broken_promises, frozen_intervals, held, held_after_cut)


def outcome(*kinds, was_held=True, verdict=None):
    said = verdict and Verdict(verdict, "any" if verdict == "crash" else "")
    return Outcome(said, was_held, 1.0, 1.0, Judgement([Problem(kind, "") for kind in kinds]))


def events(*pairs):
    return [{"what": what, "at": at, "sent": at - 0.1} for at, what in pairs]


class Truth(unittest.TestCase):
    def test_cuts_inside_one_freeze_are_held(self):
        self.assertTrue(held(events((1, "frozen"), (2, "cut"), (3, "cut"), (4, "thaw-sent"))))

    def test_a_cut_after_the_thaw_is_not_held(self):
        self.assertFalse(held(events((1, "frozen"), (2, "cut"), (3, "thaw-sent"), (4, "cut"))))

    def test_a_cut_begun_before_the_freeze_is_not_held(self):
        self.assertFalse(held(events((1, "frozen"), (1.05, "cut"), (3, "thaw-sent"))))

    def test_cuts_in_two_freezes_are_not_held(self):
        twice = events((1, "frozen"), (2, "cut"), (3, "thaw-sent"), (4, "frozen"), (5, "cut"), (6, "thaw-sent"))
        self.assertFalse(held(twice))

    def test_the_hold_after_the_cuts_is_that_of_the_last_one(self):
        self.assertEqual(held_after_cut(events((1, "frozen"), (2, "cut"), (3, "cut"), (4, "thaw-sent"))), 1)
        self.assertEqual(held_after_cut(events((1, "frozen"), (2, "thaw-sent"), (3, "cut"))), float("inf"))

    def test_a_reset_ends_the_freeze(self):
        self.assertEqual(frozen_intervals(events((1, "frozen"), (3, "reset"), (9, "thaw-sent"))), [(1, 3)])


class Promises(unittest.TestCase):
    def assert_broken(self, expected, *outcomes):
        self.assertNotEqual(broken_promises(Scenario("any", expected), outcomes), [])

    def assert_kept(self, expected, *outcomes):
        self.assertEqual(broken_promises(Scenario("any", expected), outcomes), [])

    def test_a_frozen_backup_must_be_consistent(self):
        self.assert_kept(CONSISTENT, outcome(), outcome())
        self.assert_broken(CONSISTENT, outcome(), outcome("journal"))
        self.assert_broken(CONSISTENT, outcome(was_held=False))

    def test_a_control_that_finds_nothing_proves_nothing(self):
        self.assert_kept(CONTROL, outcome("journal", was_held=False), outcome("journal", "torn", was_held=False))
        self.assert_broken(CONTROL, outcome("journal", was_held=False))

    def test_a_lapse_must_happen_and_be_seen(self):
        self.assert_kept(LAPSE, outcome("apart", was_held=False))
        self.assert_broken(LAPSE, outcome("apart", was_held=True))
        self.assert_broken(LAPSE, outcome(was_held=False), outcome(was_held=False))

    def test_without_load_only_the_journal_may_want_a_replay(self):
        self.assert_kept(UNAFFECTED, outcome("journal", was_held=False))
        self.assert_broken(UNAFFECTED, outcome("torn", was_held=False))

    def test_a_verdict_of_filesystem_must_be_true(self):
        self.assert_kept(CONSISTENT, outcome(verdict="filesystem"))
        self.assert_kept(DOUBTFUL, outcome(verdict="filesystem"))
        self.assert_broken(DOUBTFUL, outcome("torn", verdict="filesystem"))
        self.assert_broken(DOUBTFUL, outcome("journal", verdict="filesystem"))
        self.assert_kept(DOUBTFUL, outcome("torn", was_held=False, verdict="crash"))

    def test_crash_for_a_good_backup_is_not_good_enough(self):
        good, doubted = outcome(verdict="filesystem"), outcome(verdict="crash")
        self.assert_broken(CONSISTENT, good, doubted)
        self.assert_kept(CONSISTENT, good, good, outcome("apart", was_held=False, verdict="crash"))
        self.assert_broken(CONSISTENT, good, good, doubted, outcome("apart", verdict="filesystem"))
        self.assert_broken(CONSISTENT, good, good, doubted, outcome(was_held=False, verdict="filesystem"))

    def test_nobody_froze_it_so_it_is_crash(self):
        for expected, kind in ((CONTROL, "torn"), (UNAFFECTED, "journal")):
            self.assert_kept(expected, outcome(kind, was_held=False, verdict="crash"))
            self.assert_broken(expected, outcome(kind, was_held=False, verdict="crash"), outcome(verdict="filesystem"))

    def test_a_lapse_must_be_called_crash(self):
        self.assert_kept(LAPSE, outcome("apart", was_held=False, verdict="crash"))
        for wrong in ("offline", "filesystem"):
            self.assert_broken(LAPSE, outcome("apart", was_held=False, verdict="crash"),
                               outcome(was_held=False, verdict=wrong))


class Rows(unittest.TestCase):
    def test_names_are_unique_and_each_expectation_is_tried(self):
        self.assertEqual(len({scenario.name for scenario in SCENARIOS}), len(SCENARIOS))
        self.assertEqual({scenario.expected for scenario in SCENARIOS},
                         {CONSISTENT, DOUBTFUL, LAPSE, CONTROL, UNAFFECTED})

    def test_no_row_is_left_out_of_a_short_run(self):
        self.assertEqual([backups_of(scenario, 1) for scenario in SCENARIOS], [1] * len(SCENARIOS))
        self.assertEqual(backups_of(Scenario("any", LAPSE, share=4), 9), 3)


if __name__ == "__main__":
    unittest.main()
