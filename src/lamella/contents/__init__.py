"""Admitted wheels and a function's own sources in, entries of an archive out; and what a function still lacks.

May read the cache (wheels' bytes) and the project's source files.  Decisions are pure and give their reasons.
Never writes, never fetches, never runs or imports what it packages.
"""
