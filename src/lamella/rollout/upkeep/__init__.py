"""What is deployed, looked after: state, old layer versions, who may use them, what a deployer must be allowed.

Takes the ports of `cloud`, records and names.  Gives rows, statements, and what was deleted or shared.  May write to
AWS where it was asked to.  Never deletes what may still be needed.
"""
