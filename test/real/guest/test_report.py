"""What is read from a backup, and what the tables say about it."""
import unittest

from chain import failure_of, verdict_of
from drivers import Verdict
from oracle import Judgement
from records import Problem
from report import cross, said, table
from scenarios import CONSISTENT, LAPSE, Outcome, Scenario

PREFIX = "snapfreeze.harvesterhci.io/"


def outcome(verdict, *kinds):
    return Outcome(verdict, True, 1.0, 1.0, Judgement([Problem(kind, "") for kind in kinds]))


class Backup(unittest.TestCase):
    def test_no_annotation_is_no_verdict(self):
        self.assertIsNone(verdict_of({"metadata": {}}))
        self.assertIsNone(verdict_of({"metadata": {"annotations": {"harvesterhci.io/snapshotFreezeFS": "true"}}}))

    def test_a_verdict_has_its_reason(self):
        annotations = {PREFIX + "consistency": "crash", PREFIX + "reason": "lapsed"}
        self.assertEqual(verdict_of({"metadata": {"annotations": annotations}}), Verdict("crash", "lapsed"))

    def test_harvesters_error_is_found(self):
        self.assertIsNone(failure_of({"metadata": {}}))
        self.assertEqual(failure_of({"status": {"error": {"message": "no"}}}), "no")


class Tables(unittest.TestCase):
    rows = {Scenario("held", CONSISTENT): [outcome(Verdict("filesystem"))] * 3,
            Scenario("lapsed", LAPSE): [outcome(Verdict("crash", "lapsed"), "torn", "torn"), outcome(None, "torn")]}

    def test_verdicts_are_counted_with_their_reasons(self):
        self.assertEqual(said(outcome(None)), "-")
        self.assertIn("| 3 filesystem ", table(self.rows)[2])
        self.assertIn("| 1 crash: lapsed ", table(self.rows)[3])
        self.assertIn("| 2 torn ", table(self.rows)[3])

    def test_verdict_against_oracle(self):
        cells = [line.replace(" ", "") for line in cross(self.rows)[2:]]
        self.assertEqual(cells, ["|-|0|1|", "|crash|0|1|", "|filesystem|3|0|"])


if __name__ == "__main__":
    unittest.main()
