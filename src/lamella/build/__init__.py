"""Settings in, `dist/lambda/` out: the one place where the rooms are put together for a build.

Touches what the rooms touch; writes only the output folder (and uv.lock, through uv, where a project has none).
Answers to slow questions are kept in the cache under the digest of their inputs, so a warm build only copies.
Never prints: it returns values, and tells a `Progress` what it fetches.
"""
