"""Which distribution brings a module, and which names are surely those of distributions on an index.

A module that somebody wrote may be called like what a stranger put on an index, so no other name is looked for there.

Source: the top-level names that the distributions themselves list, in the package index's best-known ones.
"""

from __future__ import annotations

_DIFFERENT = {
    "Crypto": "pycryptodome",
    "Levenshtein": "levenshtein",
    "MySQLdb": "mysqlclient",
    "OpenSSL": "pyopenssl",
    "PIL": "pillow",
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "fitz": "pymupdf",
    "git": "gitpython",
    "jose": "python-jose",
    "jwt": "pyjwt",
    "magic": "python-magic",
    "multipart": "python-multipart",
    "osgeo": "gdal",
    "pptx": "python-pptx",
    "psycopg2": "psycopg2-binary",
    "serial": "pyserial",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "slugify": "python-slugify",
    "socks": "pysocks",
    "yaml": "pyyaml",
    "zmq": "pyzmq",
}

# Packages that everybody gets from the index, by names of their own: whoever misses one of these misses that one
_SAME = frozenset({
    "aiohttp", "anyio", "arrow", "attrs", "aws-lambda-powertools", "babel", "boto3", "botocore", "cachetools",
    "certifi", "cffi", "charset-normalizer", "click", "cryptography", "django", "fastapi", "filelock", "flask",
    "fsspec", "google-api-core", "greenlet", "grpcio", "httpcore", "httpx", "idna", "jinja2", "jmespath",
    "joblib", "jsonschema", "lxml", "mangum", "markupsafe", "matplotlib", "msgpack", "multidict", "networkx",
    "numpy", "orjson", "packaging", "pandas", "paramiko", "pillow", "pillow-heif", "polars", "protobuf", "psutil",
    "psycopg", "pyarrow", "pycparser", "pydantic", "pydantic-core", "pydantic-settings", "pymongo", "pymysql",
    "python-dateutil", "pytz", "pyyaml", "rawpy", "redis", "regex", "requests", "rich", "rsa", "s3transfer",
    "scipy", "sentry-sdk", "setuptools", "shapely", "simplejson", "six", "sniffio", "sqlalchemy", "starlette",
    "stripe", "tenacity", "torch", "tornado", "tqdm", "typing-extensions", "typing-inspection", "tzdata",
    "tzlocal", "ujson", "urllib3", "uvicorn", "websockets", "werkzeug", "wrapt", "xmltodict", "yarl",
})  # fmt: skip


def is_known(distribution: str) -> bool:
    """Whether this name, as names are compared, is that of a well-known distribution."""
    return distribution in _SAME or distribution in _DIFFERENT.values()


def distribution_of(module: str) -> str:
    """The likeliest distribution of a top-level module: its own name, where nothing else is known."""
    return _DIFFERENT.get(module) or module.replace("_", "-").lower()
