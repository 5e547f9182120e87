"""Entries in, a zip out, and back: the only reader and the only writer of zip records.

May touch the files that it is given.  A base room: every other room may call it.
Never inflates what it copies, never looks at the clock, the umask or the locale.
"""
