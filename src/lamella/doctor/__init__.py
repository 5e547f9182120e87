"""What is wrong with a layer, a function or a zip, and the command that mends it.

Takes zips, the manifest, and what AWS tells through the ports of `cloud`.  Gives findings.  May touch files and AWS,
reading alone.  Never changes anything.
"""
