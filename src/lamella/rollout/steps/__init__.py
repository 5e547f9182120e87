"""The single changes of a rollout, each made safe.

Takes a step and what it is to start from.  Gives what AWS has after it.  May write to AWS: one call is made once, and
what became of it is looked at where no answer came.  Never goes on from what somebody else changed.
"""
