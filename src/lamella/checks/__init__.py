"""Artifacts in, findings out: what would fail in Lambda, told before it ships.

Reads the manifest and the artifacts that it names.  Every check returns all that it found; one gate decides.
Never mends anything, never prints.
"""
