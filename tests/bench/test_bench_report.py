# tls_gnutls - tests of the benchmark's arithmetic and of the tables it writes
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Run with: pytest tests/bench. Nothing is measured here."""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import bench_report  # noqa: E402
from bench_report import BEGIN, END, Row  # noqa: E402


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


@pytest.mark.parametrize("ours, verdict", [(114.0, "met"), (116.0, "**missed**")])
def test_verdict_by_floor(ours, verdict):
	assert row(ours=[ours] * 3, bare=[80.0], plain=[20.0], goal_floor=1.15).verdict() == verdict


def test_without_a_goal_there_is_no_verdict():
	assert row().verdict() == "–"
	assert bench_report.summary([row()]) == "Goals met: 0 of 0."


def test_summary_names_what_was_missed():
	text = bench_report.summary([row(goal=0.6), row(goal=0.1)])
	assert text == "Goals met: 1 of 2. Missed: work, qm."


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
