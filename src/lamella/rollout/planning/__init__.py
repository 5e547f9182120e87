"""From what is wanted and what AWS has to a plan.

Takes settings, the manifest, the ports of `cloud` and the journal's record.  Gives `Wanted`, `Observed` and `Plan`.
May read AWS.  Deciding is pure: the same values give the same plan.  Never changes anything.
"""
