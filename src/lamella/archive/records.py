"""The records of a zip, as PKWARE's APPNOTE.TXT 6.3.10 lays them out: little-endian, without padding.

Each `struct.Struct` starts with the four bytes of its signature.  Field order is in the comment above it.
"""

from __future__ import annotations

from struct import Struct

LOCAL_SIGNATURE = b"PK\x03\x04"
CENTRAL_SIGNATURE = b"PK\x01\x02"
EOCD_SIGNATURE = b"PK\x05\x06"
ZIP64_EOCD_SIGNATURE = b"PK\x06\x06"
ZIP64_LOCATOR_SIGNATURE = b"PK\x06\x07"
DESCRIPTOR_SIGNATURE = b"PK\x07\x08"

# 4.3.7: signature, version needed, flags, method, time, date, crc, packed, size, name length, extra length
LOCAL = Struct("<4s5H3L2H")

# 4.3.12: signature, version made by (low byte) and creating system (high byte), version needed, flags, method,
# time, date, crc, packed, size, name length, extra length, comment length, disk, internal attributes,
# external attributes, offset of the local header
CENTRAL = Struct("<4s6H3L5H2L")

# 4.3.16: signature, this disk, disk of the directory, records on this disk, records, directory size,
# directory offset, comment length
EOCD = Struct("<4s4H2LH")

# 4.3.14: signature, size of the rest of this record, version made by, version needed, this disk,
# disk of the directory, records on this disk, records, directory size, directory offset
ZIP64_EOCD = Struct("<4sQ2H2L4Q")

# 4.3.15: signature, disk of the zip64 end record, its offset, number of disks
ZIP64_LOCATOR = Struct("<4sLQL")

# An extra field's head: id, length of what follows (4.5.1)
EXTRA = Struct("<2H")

# What follows the head in a ZIP64 extra field of a local header: size, packed (4.5.3)
ZIP64_SIZES = Struct("<2Q")

# 4.3.9: crc, packed, size; may have a signature in front
DESCRIPTOR = Struct("<3L")
ZIP64_DESCRIPTOR = Struct("<L2Q")

# What `size of the rest of this record` counts: all but the signature and itself
ZIP64_EOCD_REST = ZIP64_EOCD.size - 12

ZIP64_EXTRA = 0x0001
UNICODE_PATH_EXTRA = 0x7075
TIME_EXTRA = 0x5455
AES_EXTRA = 0x9901
# Two fields with a mode of their own: a program that knows them may take a file for a link
ASI_UNIX_EXTRA = 0x756E  # unzip
STREAM_EXTRA = 0x6C78  # libarchive

STORED = 0
DEFLATED = 8

MAX_16 = 0xFFFF
MAX_32 = 0xFFFFFFFF

# The newest "version needed" that a wheel can have, ZIP64's 4.5: programs skip members that ask for more
NEWEST_NEEDED = 45

# General purpose flags (4.4.4)
FLAG_ENCRYPTED = 0x0001
FLAG_DESCRIPTOR = 0x0008
FLAG_PATCHED = 0x0020
FLAG_STRONG_ENCRYPTION = 0x0040
FLAG_UTF8 = 0x0800
FLAG_MASKED = 0x2000

# Creating systems (4.4.2.2)
SYSTEM_DOS = 0
SYSTEM_UNIX = 3
SYSTEM_NTFS = 10
SYSTEM_DARWIN = 19
