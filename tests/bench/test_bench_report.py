# tls_gnutls - tests of the benchmark's arithmetic and of the tables it writes
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Run with: pytest tests/bench. Nothing is measured here."""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import bench_count  # noqa: E402
import bench_noise  # noqa: E402
import bench_report  # noqa: E402
from bench_noise import Quiet  # noqa: E402
from bench_report import BEGIN, END, GrowthRow, Row, ScenarioRow  # noqa: E402


def row(**fields):
	return Row("work", "qm", **{"stock": [100.0, 200.0, 400.0], "ours": [50.0, 50.0, 300.0], **fields})


def test_ratio_is_the_median_of_the_pairs_not_of_the_sides():
	# pairs 0.5, 0.25, 0.75; the ratio of the medians would be 0.25
	assert row().ratios() == [0.5, 0.25, 0.75]
	assert row().ratio() == 0.5
	assert bench_report.spread(row()) == "0.25..0.75"


def test_unpaired_samples_are_refused():
	with pytest.raises(ValueError):
		row(ours=[1.0]).ratio()


@pytest.mark.parametrize("goal, verdict", [(0.51, "met"), (0.5, "met"), (0.49, "**missed**")])
def test_verdict_by_ratio(goal, verdict):
	assert row(goal=goal).verdict() == verdict


FLOOR = {"floor": [90.0], "floor_tcp": [10.0], "plain": [20.0]}  # the true floor is 100


@pytest.mark.parametrize("ours, verdict", [(109.0, "met"), (111.0, "**missed**")])
def test_verdict_by_floor(ours, verdict):
	one = row(ours=[ours] * 3, goal_floor=1.10, **FLOOR)
	assert one.true_floor() == 100.0
	assert one.floor_ratio() == ours / 100
	assert one.verdict() == verdict


@pytest.mark.parametrize("missing", sorted(FLOOR))
def test_without_one_of_its_parts_there_is_no_floor(missing):
	one = row(goal_floor=1.10, **{**FLOOR, missing: []})
	assert one.true_floor() is None and one.floor_ratio() is None
	assert one.verdict() == "–"


@pytest.mark.parametrize("goal, goal_floor, verdict", [
	(0.5, 0.6, "met"), (0.5, 0.4, "**missed**"), (0.4, 0.6, "**missed**"), (0.4, 0.4, "**missed**")])
def test_all_goals_must_be_met(goal, goal_floor, verdict):
	one = row(goal=goal, goal_floor=goal_floor, **FLOOR)  # 0.5 of the other, 0.5 of the floor
	assert one.verdict() == verdict
	assert one.goal_text() == f"≤ {goal:.2f}, ≤ {goal_floor:.2f} × true floor"


@pytest.mark.parametrize("noise, verdict, text", [
	([], "met", "–"), ([0, 5, 5], "met", "0 of 3"), ([0, 4, 6], "met", "1 of 3"), ([0, 6, 6], "noisy", "2 of 3")])
def test_no_verdict_where_others_disturbed(noise, verdict, text):
	one = row(goal=0.6, noise=noise)
	assert one.verdict() == verdict
	assert one.noise_text() == text


def test_without_a_goal_there_is_no_verdict():
	assert row().verdict() == "–"
	assert bench_report.summary([row()]) == "Goals met: 0 of 0."


def test_summary_names_what_was_missed():
	text = bench_report.summary([row(goal=0.6), row(goal=0.1)])
	assert text == "Goals met: 1 of 2. Missed: work, qm."


def test_summary_names_goals_that_the_floor_does_not_meet():
	# the floor is 100 and the median of tls.so 200: 0.50
	text = bench_report.summary([row(goal=0.49, **FLOOR), row(goal=0.50, **FLOOR), row(goal=0.1)])
	assert text == ("Goals met: 1 of 3. Missed: work, qm; work, qm."
		" The true floor is itself above the goal of: work, qm.")


def test_summary_does_not_count_what_was_disturbed():
	text = bench_report.summary([row(goal=0.1, noise=[50.0]), row(goal=0.6)])
	assert text == "Goals met: 1 of 1. No verdict, others disturbed more than half of the pairs: work, qm."


def test_wrap_breaks_prose_and_keeps_tables():
	row = "| " + "cell " * 30 + "|"
	text = bench_report.wrap("\n".join(["word " * 30, "", "- " + "note " * 30, row]))
	lines = text.splitlines()
	assert lines[-1] == row
	assert all(len(line) <= 100 for line in lines[:-1])
	assert [line[:6] for line in lines[:-1]] == ["word w", "word w", "", "- note", "  note"]


def test_wrap_keeps_short_and_unbreakable_lines():
	assert bench_report.wrap("one\n\n- two") == "one\n\n- two"
	assert bench_report.wrap("x" * 101) == "x" * 101


@pytest.mark.parametrize("self_check", [True, False])
def test_tables_have_as_many_cells_as_heads(self_check):
	for make in (bench_report.cpu_table, bench_report.memory_table):
		lines = make([row(goal=0.1, plain=[1.0])], "module", self_check).splitlines()
		assert len({line.count("|") for line in lines}) == 1
		assert ("missed" in lines[2]) is not self_check


def test_cpu_table_prints_the_floor_and_the_counts():
	counts = {"floor": 80.0, "stock": 1234.0, "ours": 99.9}
	line = bench_report.cpu_table([row(counts=counts, **FLOOR)], "module").splitlines()[2]
	assert "| 20.0 | – | 100 | 200 | 50.0 | 0.50 | 0.25..0.75 | 0.50 |" in line
	assert "| 80.0, 1234, 99.9 |" in line


@pytest.mark.parametrize("self_check", [True, False])
def test_scenario_table(self_check):
	one = ScenarioRow("restart", "fm", stock=[1000.0], ours=[300.0], goal=0.35, noise=[1.0],
		seconds={"stock": [4.0], "ours": [2.0]}, p99={"stock": [80.0], "ours": [40.0]}, note="0 of 9, 9 of 9",
		failed={"stock": 2})
	lines = bench_report.scenario_table([one], "module", self_check).splitlines()
	assert len({line.count("|") for line in lines}) == 1
	assert "| 1000 | 300 | 0.30 | 0.30..0.30 |" in lines[2]
	assert "| 4.0, 2.0 | 80.0, 40.0 | 0 of 9, 9 of 9 | 2, 0 |" in lines[2]
	assert ("met" in lines[2]) is not self_check


def test_growth_is_that_from_the_smallest_known_size():
	lines = bench_report.growth_table("idle", (0, 10, 100), [
		GrowthRow("KB", "tls.so", [None, 2.0, 3.0]), GrowthRow("µs", "module", [100.0, 90.0, 150.0], [0, 6, 0])])
	assert lines.splitlines()[0] == "| idle | module | 0 | 10 | 100 | growth |"
	assert lines.splitlines()[2] == "| KB | tls.so | – | 2.0 | 3.0 | 1.50 |"
	assert lines.splitlines()[3] == "| µs | module | 100 | 90.0* | 150 | 1.50 |"


@pytest.mark.parametrize("values", [[None, 1.0], [0.0, 1.0], [1.0], []])
def test_growth_that_cannot_be_said(values):
	assert GrowthRow("KB", "module", values).growth() is None


def test_small_numbers_keep_their_digits():
	assert bench_report.number([0.126]) == "0.13"
	assert bench_report.number([0.0]) == "0.00"


def test_table_refuses_a_short_line():
	with pytest.raises(ValueError):
		bench_report.table(["a", "b"], [["1"]])


def test_replace_part_keeps_what_is_around():
	text = f"before\n{BEGIN}\nold\n{END}\nafter\n"
	once = bench_report.replace_part(text, "new")
	assert once.startswith("before\n") and once.endswith("\nafter\n")
	assert "new" in once and "old" not in once
	assert bench_report.replace_part(once, "new") == once


@pytest.mark.parametrize("text", ["", BEGIN, END, f"{END}{BEGIN}", f"{BEGIN}{END}{BEGIN}{END}"])
def test_replace_part_refuses_other_documents(text):
	with pytest.raises(ValueError):
		bench_report.replace_part(text, "new")


def test_busy_time_is_all_but_idle_and_waiting():
	ticks = os.sysconf("SC_CLK_TCK")
	assert bench_noise.busy_s("cpu 1 2 4 1000 1000 8 16 32 0 0") == 63 / ticks


@pytest.mark.parametrize("busy, own, percent", [(3.0, 2.0, 25.0), (2.0, 2.0, 0.0), (1.9, 2.0, 0.0)])
def test_share_of_others(busy, own, percent):
	assert bench_noise.share(busy, own, 2.0, 2) == pytest.approx(percent)


def quiet_of(shares, **limits):
	"""A Quiet whose samples are disturbed by these shares, one after the other."""
	left = list(shares)
	return Quiet(watch=lambda: type("Watch", (), {"others": lambda _self: left.pop(0)})(), **limits)


@pytest.mark.parametrize("shares, repeats, left, result, others, taken", [
	([4.0], 3, 9, 1, 4.0, 0),  # quiet at once
	([50.0, 20.0, 5.0], 3, 9, 3, 5.0, 2),  # until it is quiet
	([50.0, 20.0, 30.0, 40.0], 3, 9, 2, 20.0, 3),  # never: the least disturbed one
	([50.0, 20.0], 3, 1, 2, 20.0, 1),  # the run's repetitions are used up
	([50.0], 0, 9, 1, 50.0, 0),
])
def test_disturbed_samples_are_repeated(shares, repeats, left, result, others, taken):
	numbers = iter(range(1, 10))
	quiet = quiet_of(shares, repeats=repeats, left=left)
	assert quiet.sample(lambda: next(numbers)) == (result, others)
	assert quiet.taken == taken and quiet.left == left - taken


def test_instructions_by_object():
	lines = ["version: 1", "events: Ir", "fl=(1) a.c", "ob=(1) /usr/lib/libone.so", "fn=(1) one", "10 100", "+2 20",
		"cob=(2) /opt/two.so", "cfn=(2) two", "calls=3 5", "11 7000", "* 3", "", "ob=(2)", "fn=(2)", "5 7000", "-1 1",
		"ob=(1)", "fn=(3) three", "7 1", "totals: 7125"]
	assert bench_count.by_object(lines) == {"libone.so": 124, "two.so": 7001}
