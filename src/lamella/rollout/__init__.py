"""A rollout: what is wanted and what is observed become a plan, the plan is carried out, proven, or taken back.

Takes the settings, manifest.json and the ports of `cloud`.  Gives plans and outcomes.  May touch AWS through these
ports, its journal, and the kept code.  Never builds anything, never prints.
"""
