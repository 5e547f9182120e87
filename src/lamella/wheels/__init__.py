"""Pins in, admitted wheels out: chosen for the target, fetched, built from source where allowed, kept in a cache.

May touch the network (only `fetch`), the cache, and run `uv` and `git` (only `build`).
A wheel is looked at whole once, when it enters the cache; afterwards its bytes are only copied.
Never lets anything in under a wrong hash, and never installs or imports what it fetched.
"""
