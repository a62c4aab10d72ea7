# tls_gnutls - benchmark: how much of the machine others take, and the repetition of what they disturbed
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""Others are: every process that does not descend from this one, the kernel's own threads, and what the machine's
host took (steal). The source is /proc/stat, less the scheduler's account of this process and its descendants.
"""

import os
import resource
import time
from dataclasses import dataclass

from bench_host import cpu_ns_of, family_of

LIMIT_PERCENT = 5
REPEATS = 3


def busy_s(line=None):
	"""CPU time used on the whole machine since it was started, stolen time included, in seconds."""
	if line is None:
		with open("/proc/stat", encoding="ascii") as file:
			line = file.readline()
	user, nice, system, _idle, _wait, irq, soft, steal = (int(word) for word in line.split()[1:9])
	return (user + nice + system + irq + soft + steal) / os.sysconf("SC_CLK_TCK")


def own_s():
	"""CPU time used by this program and all its descendants, living and ended, in seconds."""
	used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
	total = sum(one.ru_utime + one.ru_stime for one in used)
	for pid in family_of(os.getpid())[1:]:
		try:
			total += cpu_ns_of(pid) / 1e9
		except OSError:
			pass  # it has just ended
	return total


def share(busy, own, seconds, cores):
	"""Percent of the machine's CPU time that others took."""
	return max(0.0, 100 * (busy - own) / (cores * seconds)) if seconds > 0 else 0.0


class Watch:
	"""Measures the share of others from its creation on."""

	def __init__(self):
		self.busy, self.own, self.start = busy_s(), own_s(), time.monotonic()

	def others(self):
		return share(busy_s() - self.busy, own_s() - self.own, time.monotonic() - self.start, os.cpu_count())


@dataclass
class Quiet:
	"""Repeats what others disturbed.

	limit: percent of the machine's CPU time; repeats: at most so many for one sample; left: and so many for the run.
	"""

	limit: float = LIMIT_PERCENT
	repeats: int = REPEATS
	left: int = 0
	taken: int = 0  # repetitions so far
	watch: type = Watch

	def sample(self, measure):
		"""Calls measure() until others took no more than the limit; returns its least disturbed result, and the share
		of others in it.
		"""
		watch = self.watch()
		best, others = measure(), watch.others()
		for _ in range(self.repeats):
			if others <= self.limit or self.left <= 0:
				break
			self.left -= 1
			self.taken += 1
			watch = self.watch()
			again, share_again = measure(), watch.others()
			if share_again < others:
				best, others = again, share_again
		return best, others
