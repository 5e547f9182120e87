"""The shared cache: blobs by their SHA-256 and small references to them, in a bucket that many machines build with.

Takes keys of inputs, gives verified files and the facts that stand with them; keeps what others are to find.
Touches the bucket, through a port, and the files that it is told to write; what fails there is told once, as a warning.
Never fails a build, and never gives bytes that are not those of their digest.
"""
