"""What is deployed: functions and layer versions brought from AWS, each proven by its CodeSha256, and kept.

Takes names and ARNs, gives zips in the cache and what AWS says of them.
May touch the cache, and AWS through `lamella.aws`.  Never changes anything in AWS, never keeps a function's secrets.
"""
