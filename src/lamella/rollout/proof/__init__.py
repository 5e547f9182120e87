"""Whether what was deployed is what was meant, and works.

Takes what AWS says of a version, its smoke events, a canary's shifts.  Gives failures.  May invoke functions, and read
logs, metrics and alarms.  Never changes a function, and never decides what becomes of one that failed.
"""
