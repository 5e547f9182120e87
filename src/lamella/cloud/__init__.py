"""AWS as a rollout needs it: Lambda, S3, CloudWatch and STS behind small ports.

Takes names and values, gives what AWS answered.  May touch AWS, through `lamella.aws` alone.
Asks at most as often as its rate allows.  Never decides what is to be changed.
"""
