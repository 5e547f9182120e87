"""Words that mean exactly one SPDX licence.

Classifiers are those that PEP 639's appendix "Mapping License Classifiers to SPDX Identifiers" leaves unambiguous: a
tool must not infer a licence from the others, such as "BSD License" or "Apache Software License".
"""

from __future__ import annotations

_OSI = "License :: OSI Approved :: "

CLASSIFIERS = {
    "License :: Aladdin Free Public License (AFPL)": "Aladdin",
    "License :: CC0 1.0 Universal (CC0 1.0) Public Domain Dedication": "CC0-1.0",
    "License :: CeCILL-B Free Software License Agreement (CECILL-B)": "CECILL-B",
    "License :: CeCILL-C Free Software License Agreement (CECILL-C)": "CECILL-C",
    f"{_OSI}Attribution Assurance License": "AAL",
    f"{_OSI}Blue Oak Model License (BlueOak-1.0.0)": "BlueOak-1.0.0",
    f"{_OSI}Boost Software License 1.0 (BSL-1.0)": "BSL-1.0",
    f"{_OSI}CEA CNRS Inria Logiciel Libre License, version 2.1 (CeCILL-2.1)": "CECILL-2.1",
    f"{_OSI}CMU License (MIT-CMU)": "MIT-CMU",
    f"{_OSI}Common Development and Distribution License 1.0 (CDDL-1.0)": "CDDL-1.0",
    f"{_OSI}Eclipse Public License 1.0 (EPL-1.0)": "EPL-1.0",
    f"{_OSI}Eclipse Public License 2.0 (EPL-2.0)": "EPL-2.0",
    f"{_OSI}Educational Community License, Version 2.0 (ECL-2.0)": "ECL-2.0",
    f"{_OSI}European Union Public Licence 1.0 (EUPL 1.0)": "EUPL-1.0",
    f"{_OSI}European Union Public Licence 1.1 (EUPL 1.1)": "EUPL-1.1",
    f"{_OSI}European Union Public Licence 1.2 (EUPL 1.2)": "EUPL-1.2",
    f"{_OSI}GNU Affero General Public License v3 or later (AGPLv3+)": "AGPL-3.0-or-later",
    f"{_OSI}GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    f"{_OSI}GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
    f"{_OSI}GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    f"{_OSI}Historical Permission Notice and Disclaimer (HPND)": "HPND",
    f"{_OSI}ISC License (ISCL)": "ISC",
    f"{_OSI}MIT License": "MIT",
    f"{_OSI}MIT No Attribution License (MIT-0)": "MIT-0",
    f"{_OSI}MirOS License (MirOS)": "MirOS",
    f"{_OSI}Mozilla Public License 1.0 (MPL)": "MPL-1.0",
    f"{_OSI}Mozilla Public License 1.1 (MPL 1.1)": "MPL-1.1",
    f"{_OSI}Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    f"{_OSI}Mulan Permissive Software License v2 (MulanPSL-2.0)": "MulanPSL-2.0",
    f"{_OSI}NASA Open Source Agreement v1.3 (NASA-1.3)": "NASA-1.3",
    f"{_OSI}Open Software License 3.0 (OSL-3.0)": "OSL-3.0",
    f"{_OSI}PostgreSQL License": "PostgreSQL",
    f"{_OSI}Python License (CNRI Python License)": "CNRI-Python",
    f"{_OSI}Python Software Foundation License": "PSF-2.0",
    f"{_OSI}SIL Open Font License 1.1 (OFL-1.1)": "OFL-1.1",
    f"{_OSI}The Unlicense (Unlicense)": "Unlicense",
    f"{_OSI}Universal Permissive License (UPL)": "UPL-1.0",
    f"{_OSI}University of Illinois/NCSA Open Source License": "NCSA",
    f"{_OSI}Vovida Software License 1.0": "VSL-1.0",
    f"{_OSI}Zero-Clause BSD (0BSD)": "0BSD",
}

# The full names on SPDX's list, and names that say licence and version as plainly; in lower case
NAMES = {
    "apache 2.0": "Apache-2.0",
    "apache 2.0 license": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license version 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache software license 2.0": "Apache-2.0",
    "apache-2.0 license": "Apache-2.0",
    'bsd 2-clause "simplified" license': "BSD-2-Clause",
    "bsd 2-clause license": "BSD-2-Clause",
    "bsd-2-clause license": "BSD-2-Clause",
    'bsd 3-clause "new" or "revised" license': "BSD-3-Clause",
    "bsd 3-clause": "BSD-3-Clause",
    "bsd 3-clause license": "BSD-3-Clause",
    "3-clause bsd license": "BSD-3-Clause",
    "bsd-3-clause license": "BSD-3-Clause",
    "isc license": "ISC",
    "mit license": "MIT",
    "the mit license": "MIT",
    "mit no attribution": "MIT-0",
    "mozilla public license 2.0": "MPL-2.0",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "mpl 2.0": "MPL-2.0",
    "the unlicense": "Unlicense",
    "zlib license": "Zlib",
}
