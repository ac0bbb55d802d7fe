#!/usr/bin/env python3
# Does the test runner see what it must? Small shell programs stand in for test binaries: one that
# passes, one that crashes, one that hangs, one that leaves a process, one that leaves a file.
# SPDX-License-Identifier: Apache-2.0
import contextlib
import importlib.machinery
import importlib.util
import io
import os
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
TOOL = str(pathlib.Path(__file__).resolve().parent.parent / "tools" / "run-tests")
loader = importlib.machinery.SourceFileLoader("run_tests", TOOL)
run_tests = importlib.util.module_from_spec(importlib.util.spec_from_loader("run_tests", loader))
loader.exec_module(run_tests)


def fake_gtest(cases, ending="exit 0"):
    """A shell program that writes a gtest report to the path it is told."""
    return f"""
        for word; do case $word in --gtest_output=xml:*) xml=${{word#*:}};; esac; done
        echo '<testsuites><testsuite>{cases}</testsuite></testsuites>' > "$xml"; {ending}"""


class RunnerTest(unittest.TestCase):
    def setUp(self):
        run_tests.become_subreaper()
        self.logs = tempfile.TemporaryDirectory()
        self.addCleanup(self.logs.cleanup)
        run_tests.ROOT = pathlib.Path(self.logs.name)
        run_tests.KILL_GRACE_SECONDS = 10

    def run_program(self, script, is_gtest=False, skip_code=-1, time_limit=20):
        report = run_tests.Report()
        binary = run_tests.Binary("unit", "fake", ["/bin/sh", "-c", script, "fake"], self.logs.name,
                                  time_limit, is_gtest, skip_code, {})
        self.said = io.StringIO()
        with contextlib.redirect_stdout(self.said):
            run_tests.run_binary(binary, report)
        return report

    def counts(self, report):
        return tuple(report.count(state) for state in ("passed", "failed", "skipped"))

    def test_counts_single_cases(self):
        report = self.run_program(fake_gtest(
            '<testcase classname="A" name="a" status="run"/>'
            '<testcase classname="A" name="b" status="run"><skipped message="at x.cpp&#10;no disk"/></testcase>'
            '<testcase classname="A" name="c" status="run"><failure/></testcase>'
            '<testcase classname="A" name="d" status="notrun"/>', "exit 1"), is_gtest=True)
        self.assertEqual(self.counts(report), (1, 1, 1))
        self.assertIn(("fake A.b", "skipped", "no disk"), report.results)

    def test_fails_a_program_that_ends_badly_after_its_last_case(self):
        report = self.run_program(
            fake_gtest('<testcase classname="A" name="a" status="run"/>', "kill -SEGV $$"), is_gtest=True)
        self.assertEqual(self.counts(report), (1, 1, 0))
        self.assertIn("SIGSEGV", report.results[-1].detail)

    def test_names_the_case_that_crashed(self):
        report = self.run_program("echo '[ RUN      ] A.a'; echo '[       OK ] A.a (1 ms)';"
                                  "echo '[ RUN      ] A.b'; kill -ABRT $$", is_gtest=True)
        self.assertEqual(self.counts(report), (1, 1, 0))
        self.assertEqual(report.results[-1], ("fake A.b", "failed", "ended by SIGABRT"))

    def test_ends_what_hangs(self):
        report = self.run_program("exec sleep 100", time_limit=0.3)
        self.assertEqual(self.counts(report), (0, 1, 0))
        self.assertIn("still running", report.results[0].detail)

    def test_finds_and_ends_a_process_that_is_left_behind(self):
        run_tests.KILL_GRACE_SECONDS = 0.5
        report = self.run_program("setsid sleep 100 & sleep 0.2")
        self.assertEqual(self.counts(report), (1, 1, 0))
        pid, command = report.results[-1].detail.split(" ", 1)
        self.assertEqual(command, "sleep 100")
        self.assertFalse(os.path.exists(f"/proc/{pid}"))

    def test_lets_children_end_on_their_own_for_a_moment(self):
        report = self.run_program("setsid sleep 0.3 & sleep 0.1")
        self.assertEqual(self.counts(report), (1, 0, 0))

    def test_lets_them_do_so_after_the_machine_stood_still(self):
        run_tests.KILL_GRACE_SECONDS = 0
        report = self.run_program("setsid sleep 0.3 & sleep 0.1")
        self.assertEqual(self.counts(report), (1, 0, 0))

    def test_finds_a_file_that_is_left_behind(self):
        report = self.run_program('mkdir "$TMPDIR/flow-data"')
        self.assertEqual(self.counts(report), (1, 1, 0))
        self.assertEqual(report.results[-1].detail, "flow-data")

    def test_takes_the_reason_of_a_skip(self):
        report = self.run_program("echo no browser; exit 77", skip_code=77)
        self.assertEqual(report.results, [("fake", "skipped", "no browser")])

    def test_reads_node_summaries(self):
        report = self.run_program("printf '# tests 4\\n# pass 2\\n# fail 1\\n# cancelled 0\\n# skipped 1\\n# todo 0\\n'; exit 1")
        self.assertEqual(self.counts(report), (2, 1, 1))

    def test_names_what_node_failed_and_skipped(self):
        report = self.run_program("echo 'not ok 1 - opens'; echo '    ok 2 - draws # SKIP no browser';"
                                  "printf '# pass 0\\n# fail 1\\n# skipped 1\\n'; exit 1")
        self.assertIn(("fake opens", "failed", ""), report.results)
        self.assertIn(("fake draws", "skipped", "no browser"), report.results)

    def test_fails_a_node_program_that_fails_outside_its_cases(self):
        report = self.run_program("printf '# pass 2\\n# fail 0\\n'; exit 1")
        self.assertEqual(self.counts(report), (2, 1, 0))

    def test_shows_the_output_of_a_failure_without_what_passed(self):
        self.run_program("echo '[ RUN      ] A.a'; echo quiet; echo '[       OK ] A.a (1 ms)';"
                         "echo '[ RUN      ] A.b'; echo loud; kill -ABRT $$", is_gtest=True)
        self.assertIn("| loud", self.said.getvalue())
        self.assertNotIn("quiet", self.said.getvalue())

    def test_fails_a_program_that_was_not_built(self):
        report = run_tests.Report()
        with contextlib.redirect_stdout(io.StringIO()):
            run_tests.run_binary(run_tests.Binary("unit", "gone", [], "/", 1, True, -1, {}), report)
        self.assertEqual(self.counts(report), (0, 1, 0))


if __name__ == "__main__":
    unittest.main()
