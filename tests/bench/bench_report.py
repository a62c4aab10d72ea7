# tls_gnutls - benchmark: samples to medians, ratios, verdicts, and the Markdown tables
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Pure functions: no process, no network, no clock. tests/bench/test_bench_report.py covers them."""

import statistics
import textwrap
from dataclasses import dataclass, field

BEGIN = "<!-- bench:begin (this part is written by `make bench BENCH_ARGS=--write`) -->"
END = "<!-- bench:end -->"


NOISE_LIMIT = 5  # percent of the machine's CPU time that others may take during a pair


@dataclass
class Row:
	"""One kind of work under one memory manager. The lists hold one figure per repetition, in pairs."""

	label: str
	memory: str
	unit: str = "µs"
	plain: list = field(default_factory=list)
	bare: list = field(default_factory=list)
	floor: list = field(default_factory=list)  # the small server with GnuTLS
	floor_tcp: list = field(default_factory=list)  # the small server over plain TCP
	stock: list = field(default_factory=list)
	ours: list = field(default_factory=list)
	noise: list = field(default_factory=list)  # percent that others took, of each pair
	counts: dict = field(default_factory=dict)  # thousands of instructions of `stock` and `ours`
	goal: float = None  # upper limit of the ratio ours / stock; None: no such goal
	goal_floor: float = None  # upper limit of ours / true floor; None: no such goal
	note: str = ""

	def ratios(self):
		return [ours / stock for ours, stock in zip(self.ours, self.stock, strict=True)]

	def ratio(self):
		return statistics.median(self.ratios())

	def true_floor(self):
		"""The small server, with Kamailio's TCP in the place of its own; None when one of them was not measured."""
		if not (self.floor and self.floor_tcp and self.plain):
			return None
		return statistics.median(self.floor) - statistics.median(self.floor_tcp) + statistics.median(self.plain)

	def floor_ratio(self):
		floor = self.true_floor()
		return statistics.median(self.ours) / floor if floor is not None and floor > 0 else None

	def is_goal_below_floor(self):
		"""Whether the small server itself, divided by tls.so, is above the goal: no module with GnuTLS can meet it."""
		floor = self.true_floor()
		return self.goal is not None and floor is not None and floor / statistics.median(self.stock) > self.goal

	def noisy(self):
		"""How many pairs others disturbed although they were repeated."""
		return sum(1 for share in self.noise if share > NOISE_LIMIT)

	def goal_text(self):
		goals = []
		if self.goal is not None:
			goals.append(f"≤ {self.goal:.2f}")
		if self.goal_floor is not None:
			goals.append(f"≤ {self.goal_floor:.2f} × true floor")
		return ", ".join(goals) or "–"

	def verdict(self):
		"""Whether all goals are met; "noisy" where more than half of the pairs were disturbed: no verdict then."""
		results = []
		if self.goal is not None:
			results.append(self.ratio() <= self.goal)
		if self.goal_floor is not None and self.floor_ratio() is not None:
			results.append(self.floor_ratio() <= self.goal_floor)
		if not results:
			return "–"
		if 2 * self.noisy() > len(self.noise):
			return "noisy"
		return "met" if all(results) else "**missed**"

	def noise_text(self):
		return f"{self.noisy()} of {len(self.noise)}" if self.noise else "–"


@dataclass
class ScenarioRow(Row):
	"""One scenario with many clients; stock and ours are the server's CPU time in ms for 1000 connections."""

	seconds: dict = field(default_factory=dict)  # until the last client was served, by contestant
	p99: dict = field(default_factory=dict)  # ms, by contestant
	failed: dict = field(default_factory=dict)  # connections that were tried again, by contestant


@dataclass
class GrowthRow:
	"""One figure of one contestant by size; None where it has no meaning."""

	label: str
	title: str
	values: list = field(default_factory=list)
	noise: list = field(default_factory=list)

	def growth(self):
		"""The figure at the largest size, divided by that at the smallest; None: it cannot be said."""
		known = [value for value in self.values if value is not None]
		return known[-1] / known[0] if len(known) > 1 and known[0] > 0 else None

	def cells(self):
		"""Figures as text; a star marks what others disturbed."""
		noise = self.noise or [0] * len(self.values)
		return ["–" if value is None else number([value]) + ("*" if share > NOISE_LIMIT else "")
			for value, share in zip(self.values, noise, strict=True)]


def number(values):
	"""The median of a list as text; a dash for an empty list."""
	if not values:
		return "–"
	value = statistics.median(values)
	if abs(value) < 1:
		return f"{value:.2f}"
	return f"{value:.1f}" if abs(value) < 100 else f"{value:.0f}"


def ratio_text(value):
	return "–" if value is None else f"{value:.2f}"


def medians(values, names=("stock", "ours")):
	"""Medians of the contestants of a dict of lists."""
	return ", ".join(number(values.get(name)) for name in names)


def table(heads, lines):
	"""A Markdown table; every cell is text."""
	for line in lines:
		if len(line) != len(heads):
			raise ValueError(f"{len(line)} cells under {len(heads)} heads")
	rows = [heads, ["---"] * len(heads), *lines]
	return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def spread(row):
	return f"{min(row.ratios()):.2f}..{max(row.ratios()):.2f}"


def verdict_heads(self_check):
	return [] if self_check else ["goal", "verdict"]


def verdict_cells(row, self_check):
	return [] if self_check else [row.goal_text(), row.verdict()]


def cpu_table(rows, name, self_check=False):
	"""Server CPU per operation. `name` heads the column of what is compared with tls.so."""
	heads = ["work (µs of server CPU)", "memory", "plain TCP", "bare GnuTLS", "true floor", "tls.so", name, "ratio",
		"min..max", "of the floor", *verdict_heads(self_check), "disturbed",
		f"1000 instructions: small server, tls.so, {name}",
		f"resumed: tls.so, {name}"]
	lines = []
	for row in rows:
		floor = row.true_floor()
		counts = {key: [value] for key, value in row.counts.items()}
		lines.append([row.label, row.memory, number(row.plain), number(row.bare),
			number([floor] if floor is not None else []), number(row.stock), number(row.ours), f"{row.ratio():.2f}",
			spread(row), ratio_text(row.floor_ratio()), *verdict_cells(row, self_check), row.noise_text(),
			medians(counts, ("floor", "stock", "ours")) if counts else "–", row.note or "–"])
	return table(heads, lines)


def scenario_table(rows, name, self_check=False):
	"""Server CPU for 1000 connections, and what the clients saw."""
	heads = ["scenario (ms of server CPU for 1000 connections)", "memory", "tls.so", name, "ratio", "min..max",
		*verdict_heads(self_check), "disturbed", f"s until the last was served: tls.so, {name}",
		f"p99 in ms: tls.so, {name}", f"resumed: tls.so, {name}", f"failed: tls.so, {name}"]
	lines = []
	for row in rows:
		lines.append([row.label, row.memory, number(row.stock), number(row.ours), f"{row.ratio():.2f}", spread(row),
			*verdict_cells(row, self_check), row.noise_text(), medians(row.seconds), medians(row.p99),
			row.note or "–", f"{row.failed.get('stock', 0)}, {row.failed.get('ours', 0)}"])
	return table(heads, lines)


def growth_table(title, sizes, rows):
	"""A line for each figure and contestant."""
	heads = [title, "module", *(str(size) for size in sizes), "growth"]
	return table(heads, [[row.label, row.title, *row.cells(), ratio_text(row.growth())] for row in rows])


def memory_table(rows, name, self_check=False):
	"""Shared memory per idle connection in KB (1000 bytes); what TLS adds is the figure minus that of plain TCP."""
	heads = ["idle connection (KB of shared memory)", "memory", "plain TCP", "tls.so adds", name + " adds", "ratio",
		*verdict_heads(self_check), "left after close: tls.so, " + name]
	lines = []
	for row in rows:
		lines.append([row.label, row.memory, number(row.plain), number(row.stock), number(row.ours),
			f"{row.ratio():.2f}", *verdict_cells(row, self_check), row.note or "–"])
	return table(heads, lines)


def summary(rows):
	"""How many goals are met, which are not, and where others disturbed too much to say."""
	judged = [row for row in rows if row.verdict() not in ("–", "noisy")]
	missed = [f"{row.label}, {row.memory}" for row in judged if row.verdict() != "met"]
	noisy = [f"{row.label}, {row.memory}" for row in rows if row.verdict() == "noisy"]
	below = [f"{row.label}, {row.memory}" for row in rows if row.is_goal_below_floor()]
	text = f"Goals met: {len(judged) - len(missed)} of {len(judged)}."
	if missed:
		text += " Missed: " + "; ".join(missed) + "."
	if noisy:
		text += " No verdict, others disturbed more than half of the pairs: " + "; ".join(noisy) + "."
	if below:
		text += " The true floor is itself above the goal of: " + "; ".join(below) + "."
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
