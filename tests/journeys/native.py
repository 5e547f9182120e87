"""A source distribution with C in it, that links what Lambda has not: a small one, made here."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

# Its library is in the Debian package libfribidi-dev, whose name is in the configuration
PACKAGE = "libfribidi-dev"
LIBRARY = "libfribidi"
_FILES = {
    "pyproject.toml": """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "mirrored"
version = "1.0"
""",
    "setup.py": """
from setuptools import Extension, setup

setup(ext_modules=[Extension("mirrored", ["mirrored.c"], libraries=["fribidi"])], py_modules=[])
""",
    "mirrored.c": """
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <fribidi/fribidi.h>

static PyObject *mirror(PyObject *self, PyObject *argument) {
    FriBidiChar found;
    Py_UCS4 given = PyUnicode_ReadChar(argument, 0);
    if (given == (Py_UCS4)-1)
        return NULL;
    fribidi_get_mirror_char(given, &found);
    return PyUnicode_FromFormat("%c", (int)found);
}

static PyMethodDef methods[] = {{"mirror", mirror, METH_O, "The character that right-to-left text has."}, {NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "mirrored", NULL, -1, methods};

PyMODINIT_FUNC PyInit_mirrored(void) {
    return PyModule_Create(&module);
}
""",
    "PKG-INFO": "Metadata-Version: 2.1\nName: mirrored\nVersion: 1.0\n",
}


def make_native(folder: Path) -> Path:
    """mirrored-1.0.tar.gz in `folder`: always the same bytes."""
    path = folder / "mirrored-1.0.tar.gz"
    with (
        gzip.GzipFile(path, "wb", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for member, text in _FILES.items():
            info = tarfile.TarInfo(f"mirrored-1.0/{member}")
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return path
