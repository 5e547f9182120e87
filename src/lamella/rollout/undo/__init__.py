"""Back to what was there before.

Takes what functions were, from the journal or from AWS's versions.  Gives what was put back and what could not be.
May write to AWS through `steps`.  Never overwrites what somebody else changed since.
"""
