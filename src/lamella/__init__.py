"""Lock file in, AWS Lambda layers and thin function packages out."""

__version__ = "0.1.0"
