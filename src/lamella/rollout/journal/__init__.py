"""What a deploy set out to do, and what was deployed, kept where the next one finds it.

Takes intents, deployments and code.  Gives the record of one place.  May write the journal (files of the project, or
objects of S3).  Never a half-written one, and never two deploys at once.
"""
