"""Functions of a build, or of AWS, made ready to run here.

Takes settings, a manifest and zips, gives `Functions` to invoke: unpacked, with the runtime client and what stands in.
May touch the cache, the network for what the cache lacks, and build anew when sources changed.  Never prints.
"""
