"""Pins in, admitted wheels out: chosen for the target, obtained, built from source where allowed, kept in a cache.

May touch the cache, and run `uv` and `git` (only `build`).  What has to be fetched comes through `index`.
A wheel is looked at whole once, when it enters the cache; afterwards its bytes are only copied.
Never speaks HTTP itself, never lets anything in under a wrong hash, never installs or imports what it obtained.
"""
