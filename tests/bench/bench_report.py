# tls_gnutls - benchmark: samples to medians, ratios, verdicts, and the Markdown tables
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Pure functions: no process, no network, no clock. tests/bench/test_bench_report.py covers them."""

import statistics
import textwrap
from dataclasses import dataclass, field

BEGIN = "<!-- bench:begin (this part is written by `make bench BENCH_ARGS=--write`) -->"
END = "<!-- bench:end -->"


@dataclass
class Row:
	"""One kind of work under one memory manager. The lists hold one figure per repetition, in pairs."""

	label: str
	memory: str
	unit: str = "µs"
	plain: list = field(default_factory=list)
	bare: list = field(default_factory=list)
	stock: list = field(default_factory=list)
	ours: list = field(default_factory=list)
	goal: float = None  # upper limit of the ratio ours / stock; None: no such goal
	goal_floor: float = None  # upper limit of ours / (bare + plain); None: no such goal
	note: str = ""

	def ratios(self):
		return [ours / stock for ours, stock in zip(self.ours, self.stock, strict=True)]

	def ratio(self):
		return statistics.median(self.ratios())

	def floor_ratio(self):
		return statistics.median(self.ours) / (statistics.median(self.bare) + statistics.median(self.plain))

	def goal_text(self):
		if self.goal is not None:
			return f"≤ {self.goal:.2f}"
		if self.goal_floor is not None:
			return f"≤ {self.goal_floor:.2f} × (bare + TCP); is {self.floor_ratio():.2f}"
		return "–"

	def verdict(self):
		if self.goal is not None:
			return "met" if self.ratio() <= self.goal else "**missed**"
		if self.goal_floor is not None:
			return "met" if self.floor_ratio() <= self.goal_floor else "**missed**"
		return "–"


def number(values):
	"""The median of a list as text; a dash for an empty list."""
	if not values:
		return "–"
	value = statistics.median(values)
	return f"{value:.1f}" if abs(value) < 100 else f"{value:.0f}"


def table(heads, lines):
	"""A Markdown table; every cell is text."""
	for line in lines:
		if len(line) != len(heads):
			raise ValueError(f"{len(line)} cells under {len(heads)} heads")
	rows = [heads, ["---"] * len(heads), *lines]
	return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def spread(row):
	return f"{min(row.ratios()):.2f}..{max(row.ratios()):.2f}"


def cpu_table(rows, name, self_check=False):
	"""Server CPU per operation. `name` heads the column of what is compared with tls.so."""
	heads = ["work (µs of server CPU)", "memory", "plain TCP", "bare GnuTLS", "tls.so", name, "ratio", "min..max"]
	lines = []
	if not self_check:
		heads += ["goal", "verdict"]
	heads.append("resumed: tls.so, " + name)
	for row in rows:
		line = [row.label, row.memory, number(row.plain), number(row.bare), number(row.stock), number(row.ours),
			f"{row.ratio():.2f}", spread(row)]
		if not self_check:
			line += [row.goal_text(), row.verdict()]
		lines.append([*line, row.note or "–"])
	return table(heads, lines)


def memory_table(rows, name, self_check=False):
	"""Shared memory per idle connection in KB (1000 bytes); what TLS adds is the figure minus that of plain TCP."""
	heads = ["idle connection (KB of shared memory)", "memory", "plain TCP", "tls.so adds", name + " adds", "ratio"]
	lines = []
	if not self_check:
		heads += ["goal", "verdict"]
	heads.append("left after close: tls.so, " + name)
	for row in rows:
		line = [row.label, row.memory, number(row.plain), number(row.stock), number(row.ours), f"{row.ratio():.2f}"]
		if not self_check:
			line += [row.goal_text(), row.verdict()]
		lines.append([*line, row.note or "–"])
	return table(heads, lines)


def summary(rows):
	"""One sentence: how many goals are met, and which are not."""
	judged = [row for row in rows if row.verdict() != "–"]
	missed = [f"{row.label}, {row.memory}" for row in judged if row.verdict() != "met"]
	text = f"Goals met: {len(judged) - len(missed)} of {len(judged)}."
	if missed:
		text += " Missed: " + "; ".join(missed) + "."
	return text


def wrap(text, columns=100):
	"""Breaks lines of prose and of lists at blanks, for a document; the rows of tables stay as they are."""
	out = []
	for line in text.splitlines():
		if line.startswith("|") or not line:
			out.append(line)
		else:
			out += textwrap.wrap(line, columns, subsequent_indent="  " if line.startswith("- ") else "",
				break_long_words=False, break_on_hyphens=False)
	return "\n".join(out)


def replace_part(text, part):
	"""Puts `part` between the markers of a document; ValueError when they are not there exactly once, in order."""
	if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
		raise ValueError("the document does not have the two markers once, in order")
	head, _, rest = text.partition(BEGIN)
	tail = rest.partition(END)[2]
	return f"{head}{BEGIN}\n\n{part.strip()}\n\n{END}{tail}"
