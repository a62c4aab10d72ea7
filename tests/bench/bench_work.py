# tls_gnutls - benchmark: the kinds of work, their goals, and where programs and documents are
# Copyright (C) 2026 tls_gnutls contributors    SPDX-License-Identifier: BSD-2-Clause
"""What bench.py and its parts agree on; nothing is run here but the build of the programs."""

import os
import subprocess
import sys
from dataclasses import dataclass

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, "build")
PROGRAMS = os.path.join(BUILD, "bench")
CLIENT = os.path.join(PROGRAMS, "bench_client")
CROWD = os.path.join(PROGRAMS, "bench_crowd")
MANAGERS = ("qm", "fm")
GOAL_FLOOR = 1.10  # of a full handshake: upper limit of the ratio to the true floor


@dataclass(frozen=True)
class Work:
	"""One kind of load; `count` is for a full run, goals are by memory manager."""

	key: str
	label: str
	mode: str
	count: int
	version: str = "1.3"
	kind: str = "ecdsa"
	connections: int = 1
	body: int = 0
	keeps_first: bool = False
	plain: str = "full13"  # the kind of work whose figures over plain TCP belong to this one
	goals: tuple = (None, None)
	goal_floor: float = None
	in_quick: bool = True

	def goal(self, memory):
		return self.goals[MANAGERS.index(memory)]

	def has_bare(self):
		return self.mode == "full"


WORKS = (
	Work("full13", "full handshake + OPTIONS, P-256, TLS 1.3", "full", 1000, goals=(0.70, 0.70),
		goal_floor=GOAL_FLOOR),
	Work("full12", "full handshake + OPTIONS, P-256, TLS 1.2", "full", 1000, version="1.2", goals=(0.75, 0.75),
		goal_floor=GOAL_FLOOR),
	Work("resumed13", "resumed + OPTIONS, TLS 1.3", "resumed", 1000, goals=(0.50, 0.50)),
	Work("resumed12", "resumed + OPTIONS, TLS 1.2", "resumed", 1000, version="1.2", goals=(0.25, 0.25)),
	Work("first13", "the same session each time + OPTIONS, TLS 1.3", "resumed", 500, keeps_first=True, in_quick=False),
	Work("first12", "the same session each time + OPTIONS, TLS 1.2", "resumed", 500, version="1.2", keeps_first=True,
		in_quick=False),
	Work("open8", "OPTIONS on open connections, 8 in flight", "open", 20000, connections=8, plain="open8",
		goals=(0.80, 0.80)),
	Work("open1", "2 KB OPTIONS on an open connection, 1 in flight", "open", 10000, body=2048, plain="open1",
		goals=(0.80, 0.80)),
	Work("rsa13", "full handshake + OPTIONS, RSA-2048, TLS 1.3", "full", 400, kind="rsa", goal_floor=GOAL_FLOOR),
	Work("rsa12", "full handshake + OPTIONS, RSA-2048, TLS 1.2", "full", 400, kind="rsa", version="1.2",
		goal_floor=GOAL_FLOOR),
)
IDLE_GOAL = 0.25
RECONNECT_GOALS = {"rsa": 0.35, "ecdsa": 0.45}  # of the scenarios `restart` and `day`
KEY_NAMES = {"rsa": "RSA-2048", "ecdsa": "P-256"}


def say(text):
	print(text, file=sys.stderr, flush=True)


def programs_build():
	here = os.path.dirname(os.path.abspath(__file__))
	subprocess.run(["make", "-s", "-C", here, "BENCH_BUILD=" + PROGRAMS], check=True)


def ended(_number, _frame):
	raise KeyboardInterrupt
