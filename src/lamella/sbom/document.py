"""An inventory as a CycloneDX document.  The one module that needs the extra `sbom`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.bom_ref import BomRef
from cyclonedx.model.component import Component as Row
from cyclonedx.model.component import ComponentType
from cyclonedx.model.dependency import Dependency
from cyclonedx.model.license import DisjunctiveLicense, LicenseAcknowledgement, LicenseExpression
from cyclonedx.model.tool import ToolRepository
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.spdx import is_supported_id
from packageurl import PackageURL

from lamella import __version__
from lamella.manifest import Artifact, LayerArtifact
from lamella.sbom.model import Component, Inventory, Licence, Part

# The newest that most readers of such documents understand
_SCHEMA = SchemaVersion.V1_6


def document(inventory: Inventory, form: str, when: datetime | None = None) -> str:
    """The CycloneDX document, `form` "json" or "xml"; the same text for the same zip.

    The artifact is its subject, distributions are its components, and inside of these lie what wheels list in SBOMs of
    their own and the libraries that auditwheel added.  Without `when` it has no time.
    """
    metadata = BomMetaData(
        tools=ToolRepository(components=[Row(name="lamella", version=__version__, type=ComponentType.APPLICATION)]),
        component=_subject(inventory.artifact),
        timestamp=when,
    )
    if when is None:
        metadata.timestamp = None  # type: ignore[assignment]  # optional in every version; left out, it would be now
    bom = Bom(
        serial_number=uuid5(NAMESPACE_URL, f"urn:lamella:{__version__}:sha256:{inventory.artifact.sha256}"),
        metadata=metadata,
        components=[_component(component) for component in inventory.components],
        dependencies=_dependencies(inventory),
    )
    text = make_outputter(bom, OutputFormat[form.upper()], _SCHEMA).output_as_string(indent=2)
    return text if text.endswith("\n") else text + "\n"


def _subject(artifact: Artifact) -> Row:
    is_layer = isinstance(artifact, LayerArtifact)
    runtimes = artifact.runtimes if isinstance(artifact, LayerArtifact) else (artifact.runtime,)
    return Row(
        bom_ref=_ref(artifact),
        type=ComponentType.LIBRARY if is_layer else ComponentType.APPLICATION,
        name=artifact.name,
        hashes=[_sha256(artifact.sha256)],
        properties=[
            Property(name="lamella:kind", value="layer" if is_layer else "function"),
            Property(name="lamella:file", value=artifact.file),
            Property(name="lamella:architecture", value=artifact.architecture),
            *(Property(name="lamella:runtime", value=runtime) for runtime in runtimes),
        ],
    )


def _component(component: Component) -> Row:
    return Row(
        bom_ref=component.key,
        name=component.name,
        version=component.version,
        purl=PackageURL("pypi", None, component.name, component.version),
        hashes=[_sha256(component.sha256)],
        licenses=_licences(component.licence),
        properties=[
            Property(name="lamella:wheel", value=component.file),
            *(Property(name="lamella:runtime", value=runtime) for runtime in component.runtimes),
            *(Property(name="lamella:licence-file", value=path) for path in component.licence_files),
            *(Property(name="lamella:unread-sbom", value=path) for path in component.unread),
        ],
        components=[*(_part(component.key, part) for part in component.parts), *_libraries(component)],
    )


def _part(owner: str, part: Part) -> Row:
    return Row(
        bom_ref=_part_ref(owner, part.key),
        type=ComponentType(part.type),
        group=part.group or None,
        name=part.name,
        version=part.version or None,
        purl=_purl(part.purl),
        hashes=[HashType(alg=HashAlgorithm(name), content=digest) for name, digest in part.hashes],
        licenses=_licences(part.licence),
        properties=[Property(name="lamella:listed-in", value=part.sbom)],
    )


def _libraries(component: Component) -> Iterator[Row]:
    for library in component.libraries:
        yield Row(
            bom_ref=f"{component.key}#{library.path}",
            type=ComponentType.FILE,
            name=library.path.rpartition("/")[2],
            hashes=[_sha256(library.sha256)],
            properties=[Property(name="lamella:path", value=library.path)],
        )


def _licences(licence: Licence) -> list[DisjunctiveLicense | LicenseExpression]:
    declared = LicenseAcknowledgement.DECLARED
    expression = licence.expression
    if expression and not is_supported_id(expression):
        return [LicenseExpression(expression, acknowledgement=declared)]
    return [
        DisjunctiveLicense(id=word, acknowledgement=declared)
        if is_supported_id(word)
        else DisjunctiveLicense(name=word, acknowledgement=declared)
        for word in ([expression] if expression else licence.stated)
    ]


def _purl(text: str) -> PackageURL | None:
    try:
        return PackageURL.from_string(text) if text else None
    except ValueError:
        return None


def _dependencies(inventory: Inventory) -> Iterator[Dependency]:
    yield _dependency(_ref(inventory.artifact), inventory.needs)
    for component in inventory.components:
        key = component.key
        libraries = [f"{key}#{library.path}" for library in component.libraries]
        parts = [_part_ref(key, part) for part in component.parts_needed]
        yield _dependency(key, [*component.needs, *parts, *libraries])
        for part in component.parts:
            yield _dependency(_part_ref(key, part.key), [_part_ref(key, other) for other in part.needs])


def _dependency(ref: str, needs: Iterable[str]) -> Dependency:
    return Dependency(BomRef(ref), [Dependency(BomRef(need)) for need in needs])


def _ref(artifact: Artifact) -> str:
    return f"{'layer' if isinstance(artifact, LayerArtifact) else 'function'}:{artifact.key}"


def _part_ref(owner: str, key: str) -> str:
    return f"{owner}#{key}"


def _sha256(digest: str) -> HashType:
    return HashType(alg=HashAlgorithm.SHA_256, content=digest)
