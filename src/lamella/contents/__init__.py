"""Admitted wheels and a function's own sources in, entries of an archive out: what lies where, and who brings it.

May read the cache (wheels' bytes) and the project's source files.  Decisions are pure and give their reasons.
Two sources of one path are an error unless their bytes are equal.
Never writes or fetches, never runs or imports what it packages, never asks whether it is enough: `closure` does.
"""
