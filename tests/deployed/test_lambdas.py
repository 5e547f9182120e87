"""The port's contract, held by the one in memory and by AWS's client against moto."""

from __future__ import annotations

import pytest
from tests.deployed.faking import FakeWorld, MotoWorld, World, digest, function_arn, layer_arn
from tests.deployed.moto_server import SIGNATURE, AwsServer, Deployer, zipped

from lamella.aws import ExpiredError, NotThereError, UnreachableError
from lamella.deployed.lambdas import Lambdas
from lamella.errors import OutsideError, UsageError

LAYER = zipped({"python/tools.py": "answer = 42\n"})
CODE = zipped({"app.py": "def handler(event, context):\n    return event\n"})


@pytest.fixture(params=["fake", "moto"])
def world(request: pytest.FixtureRequest) -> World:
    return FakeWorld() if request.param == "fake" else MotoWorld(request.getfixturevalue("aws_server"))


@pytest.mark.parametrize("by_arn", [False, True])
def test_a_layer(world: World, by_arn: bool) -> None:
    world.layer("tools", b"PK older")
    arn = world.layer("tools", LAYER, ("python3.11", "python3.12"))
    name = layer_arn("tools") if by_arn else "tools"
    assert world.port.newest(name) == 2
    layer = world.port.layer(name, 2).what
    assert (layer.arn, layer.name, layer.version) == (arn, "tools", 2)
    assert (layer.code_sha256, layer.size) == (digest(LAYER), len(LAYER))
    assert layer.runtimes == ("python3.11", "python3.12")
    assert layer.path == ""


@pytest.mark.parametrize("by_arn", [False, True])
def test_a_function_with_its_layers_in_order(world: World, by_arn: bool) -> None:
    second, first = world.layer("zeta", LAYER), world.layer("alpha", LAYER)
    arn = world.function("api", CODE, (second, first), {"TOKEN": "s3cret", "STAGE": "prod"})
    function = world.port.function(arn if by_arn else "api", "").what
    assert (function.arn, function.name, function.version) == (function_arn("api"), "api", "$LATEST")
    assert (function.code_sha256, function.size) == (digest(CODE), len(CODE))
    assert (function.runtime, function.handler, function.architecture) == ("python3.12", "app.handler", "arm64")
    assert (function.memory, function.timeout, function.scratch) == (256, 7, 1024)
    assert function.layer_arns == (second, first)
    assert function.variables == ("STAGE", "TOKEN")
    assert function.environment == (("STAGE", "prod"), ("TOKEN", "s3cret"))
    assert "s3cret" not in repr(function)


def test_a_version_and_an_alias(world: World) -> None:
    world.function("api", CODE)
    version = world.publish("api", "live")
    for qualifier in (version, "live"):
        function = world.port.function("api", qualifier).what
        assert (function.version, function.qualifier) == (version, qualifier)
        assert function.arn == function_arn("api")


def test_what_is_not_there(world: World) -> None:
    world.function("api", CODE)
    world.layer("tools", LAYER)
    with pytest.raises(NotThereError):
        world.port.function("nope", "")
    with pytest.raises(NotThereError):
        world.port.function("api", "live")
    with pytest.raises(NotThereError):
        world.port.newest("nope")
    with pytest.raises(NotThereError):
        world.port.layer("tools", 2)


@pytest.mark.parametrize("start", [0, 1, len(LAYER) - 1])
def test_the_content_from_any_byte_on(world: World, start: int) -> None:
    world.layer("tools", LAYER)
    offered = world.port.layer("tools", 1)
    with world.port.content(offered.location, start) as pieces:
        assert b"".join(pieces) == LAYER[start:]


def test_the_content_of_a_function(world: World) -> None:
    world.function("api", CODE)
    with world.port.content(world.port.function("api", "").location, 0) as pieces:
        assert b"".join(pieces) == CODE


def test_a_server_that_knows_no_ranges(aws_server: AwsServer, deployer: Deployer) -> None:
    aws_server.ignores_ranges = True
    deployer.layer("tools", LAYER)
    port = Lambdas()
    with port.content(port.layer("tools", 1).location, 20) as pieces:
        assert b"".join(pieces) == LAYER[20:]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (("expired",), ExpiredError),
        (("status", 400), ExpiredError),
        (("status", 503), UnreachableError),
        (("status", 404), OutsideError),
        (("cut", 30), UnreachableError),
    ],
)
def test_a_link_that_does_not_open_is_told_without_its_signature(
    aws_server: AwsServer, deployer: Deployer, fault: tuple[object, ...], kind: type[OutsideError]
) -> None:
    deployer.layer("tools", LAYER)
    port = Lambdas()
    offered = port.layer("tools", 1)
    assert SIGNATURE in offered.location
    assert SIGNATURE not in repr(offered)
    aws_server.faults = [fault]
    with pytest.raises(kind) as caught, port.content(offered.location, 0) as pieces:
        for _ in pieces:
            pass
    assert type(caught.value) is kind
    assert SIGNATURE not in str(caught.value)
    assert "X-Amz" not in str(caught.value)


def test_a_link_to_nobody_is_told_without_its_signature(somebody: None) -> None:  # noqa: ARG001
    link = f"http://127.0.0.1:9/zips/1?{SIGNATURE}"
    with pytest.raises(UnreachableError) as caught, Lambdas().content(link, 0):
        pass
    assert SIGNATURE not in str(caught.value)
    assert "127.0.0.1:9/zips/1" in str(caught.value)


def test_no_link_at_all(somebody: None) -> None:  # noqa: ARG001
    with pytest.raises(OutsideError, match="no link"), Lambdas().content("s3://", 0):
        pass


def test_an_arn_is_asked_for_in_its_own_region(aws_server: AwsServer) -> None:  # noqa: ARG001
    with pytest.raises(NotThereError, match="eu-west-1"):
        Lambdas(region="us-east-1").function("arn:aws:lambda:eu-west-1:123456789012:function:api", "")


def test_a_container_image_is_refused(aws_server: AwsServer, deployer: Deployer) -> None:  # noqa: ARG001
    image = f"{'1' * 12}.dkr.ecr.us-east-1.amazonaws.com/app:1"
    deployer.lambdas.create_function(
        FunctionName="boxed", Role=deployer.role(), PackageType="Image", Code={"ImageUri": image}
    )
    with pytest.raises(UsageError, match="container image"):
        Lambdas().function("boxed", "")
