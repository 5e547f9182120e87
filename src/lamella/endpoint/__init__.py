"""Lambda's Invoke endpoint: what an AWS SDK sends becomes an invocation of a local function.

Takes requests of the Lambda API and functions to invoke, gives the answers and error shapes that AWS returns.
May write one file, the dead letters.  Never starts a process, never listens.
"""
