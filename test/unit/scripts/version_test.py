"""Whether scripts/version gives two contents two versions, each valid SemVer, and a release its own."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).parents[3]
# https://semver.org, less what may follow a +, which no image tag may have.
SEMVER = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}(-(0|[1-9]\d*|\d*[a-zA-Z-][\da-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][\da-zA-Z-]*))*)?")
ARCHIVED = "$Format:%H %D$"


class Version(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name, "clone")
        (self.folder / "scripts").mkdir(parents=True)
        shutil.copy(ROOT / "scripts/version", self.folder / "scripts")
        shutil.copy(ROOT / ".gitattributes", self.folder)
        (self.folder / "VERSION").write_text("1.2.3\n")

    def version(self, **environment):
        """What it prints; nothing if it refuses."""
        done = subprocess.run([self.folder / "scripts/version"], capture_output=True, text=True, check=False,
                              env={"PATH": os.environ["PATH"], "HOME": str(self.folder), **environment})
        said = done.stdout.strip()
        self.assertEqual(done.returncode == 0, bool(said), done.stderr)
        if said:
            self.assertTrue(SEMVER.fullmatch(said), said)
            self.assertLessEqual(len("snapfreeze-" + said), 63, "a label value")
        return said

    def git(self, *arguments):
        options = ["-c", "user.name=any", "-c", "user.email=any@example.org", "-c", "init.defaultBranch=main"]
        return subprocess.run(["git", *options, *arguments], cwd=self.folder, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self):
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "any")
        return self.git("rev-parse", "HEAD")

    def archived(self, commit_and_names):
        path = self.folder / "scripts/version"
        path.write_text((ROOT / "scripts/version").read_text(encoding="utf-8").replace(ARCHIVED, commit_and_names), encoding="utf-8")
        return self.version()


@unittest.skipUnless(shutil.which("git"), "there is no git")
class Commits(Version):
    def setUp(self):
        super().setUp()
        self.git("init", "--quiet")
        self.first = self.commit()

    def test_a_commit_is_called_by_its_own(self):
        self.assertEqual(self.version(), f"1.2.3-dev.{self.first[:12]}")

    def test_only_the_tagged_commit_is_the_release(self):
        self.git("tag", "v1.2.3")
        self.assertEqual(self.version(), "1.2.3")
        second = self.commit()
        self.assertEqual(self.version(), f"1.2.3-dev.{second[:12]}")

    def test_another_versions_tag_makes_no_release(self):
        self.git("tag", "v1.2.2")
        self.assertNotEqual(self.version(), "1.2.3")

    def test_each_change_has_a_version_of_its_own(self):
        self.git("tag", "v1.2.3")
        found = {self.version()}
        for name, text in (("new", "one"), ("new", "two"), ("other", "one"), ("VERSION", "1.2.3\n\n")):
            (self.folder / name).write_text(text)
            found.add(self.version())
        self.assertEqual(len(found), 5, found)
        self.assertEqual(len([one for one in found if ".dirty-" in one]), 4, found)

    def test_an_archive_knows_its_commit(self):
        self.git("tag", "v1.2.3")
        second = self.commit()
        for commit, wanted in ((self.first, "1.2.3"), (second, f"1.2.3-dev.{second[:12]}")):
            self.assertEqual(self.of_archive(commit), wanted)

    def of_archive(self, commit):
        with tempfile.TemporaryDirectory() as folder:
            packed = subprocess.run(["git", "archive", commit], cwd=self.folder, check=True, capture_output=True).stdout
            subprocess.run(["tar", "-xf", "-", "-C", folder], input=packed, check=True)
            return subprocess.run([folder + "/scripts/version"], check=True, capture_output=True, text=True).stdout.strip()


class WithoutGit(Version):
    def test_what_nobody_knows_is_no_release(self):
        self.assertEqual(self.version(), "1.2.3-dev.unknown")

    def test_a_commit_of_digits_alone_is_no_number_with_a_leading_zero(self):
        self.assertEqual(self.archived("0" * 11 + "1" + "a" * 28 + " HEAD -> main"), "1.2.3-dev.g000000000001")
        self.assertEqual(self.archived("0" * 12 + "a" * 28 + " "), "1.2.3-dev.g000000000000")

    def test_a_tag_that_only_begins_like_the_release_is_another(self):
        self.assertEqual(self.archived("a" * 40 + " tag: v1.2.3-rc1"), "1.2.3-dev." + "a" * 12)
        self.assertEqual(self.archived("a" * 40 + " HEAD -> main, tag: v1.2.3, origin/main"), "1.2.3")

    def test_who_builds_may_say_it_but_not_anything(self):
        self.assertEqual(self.version(SNAPFREEZE_VERSION="2.0.0-dev.abc"), "2.0.0-dev.abc")
        for wrong in ("1.2", "v1.2.3", "1.2.3+meta", "1.2.3-01", "1.2.3 ", "latest", "1.2.3-" + "a" * 60, '1.2.3"'):
            self.assertEqual(self.version(SNAPFREEZE_VERSION=wrong), "", wrong)


if __name__ == "__main__":
    unittest.main()
