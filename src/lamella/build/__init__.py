"""Settings in, `dist/lambda/` out: the one composer of the rooms, called by `cli` and usable as a library.

Touches what the rooms touch; writes only the output folder (and uv.lock, through uv, where a project has none).
Answers to slow questions are kept in the cache under the digest of their inputs, so a warm build only copies.
Never prints: it returns values, and tells a `Progress` what it fetches.
"""
