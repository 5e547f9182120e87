"""What went into an artifact and what came out in, sums and answers out.

Takes `Explained`, the rows of one artifact; for a comparison the zips of two and their manifests, read only.
Gives what takes the space, what each rule saved, why a path is in or out, and what differs between two artifacts.
Never decides what stays, never writes, never prints.
"""
