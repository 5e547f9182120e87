"""What a finished artifact holds, and under which licences: an inventory, and a CycloneDX document of it.

Takes the manifest's rows and their zips, gives values and text.  Reads the zips, and nothing else.
A licence that is not stated in SPDX's terms stays what the author wrote: nothing is guessed.
Never writes files, never looks at the clock: the same zip gives the same bytes.
"""
