from __future__ import annotations

import pytest

from lamella.migrate.shell import Command, makefile, script, workflow
from lamella.migrate.steps import Aws, Copied, Installed, Removed, Uploaded, Zipped, step


def rows(commands: list[Command]) -> list[tuple[int, str, str]]:
    return [(one.place.line, one.folder, " ".join(one.words)) for one in commands]


def test_commands_of_a_script() -> None:
    text = """\
#!/bin/sh
set -e
NAME=${NAME:-shop} # a comment
export OUT="build/$NAME"
if true; then
  mkdir -p "$OUT" && cp -r src/* \\
    "$OUT"/
fi
(cd "$OUT"; zip -r ../x.zip .) > log 2>&1
cat <<EOF
pip install -t nowhere nothing
EOF
pushd app; ls; popd
echo "two
lines"; ls
"""
    assert rows(script(text, "a.sh")) == [
        (2, ".", "set -e"),
        (5, ".", "true"),
        (6, ".", "mkdir -p build/shop"),
        (6, ".", "cp -r src/* build/shop/"),
        (8, ".", "fi"),
        (9, "build/shop", "zip -r ../x.zip ."),
        (10, ".", "cat"),
        (13, "app", "ls"),
        (14, ".", "echo two\nlines"),
        (14, ".", "ls"),
    ]


def test_arguments_of_a_script_have_their_defaults() -> None:
    text = 'NAME=${1:-shop}\necho $NAME "${2-x y}" ${3} $4\n'
    assert rows(script(text, "a.sh")) == [(2, ".", "echo shop x y ${3} $4")]


def test_what_a_container_runs_is_read_where_the_folder_is_mounted() -> None:
    text = """\
docker run --rm -v "$PWD":/var/task -e A=1 public.ecr.aws/sam/build-python3.12 \\
  /bin/sh -c "pip install -r requirements.txt -t python/lib/python3.12/site-packages/; exit"
docker run --rm -v $(pwd)/app:/x -w /x image pip install -r /x/r.txt -t out
"""
    found = [done for one in script(text, "a.sh") if isinstance(done := step(one), Installed)]
    assert [(one.target, one.requirements) for one in found] == [
        ("python/lib/python3.12/site-packages", ("requirements.txt",)),
        ("app/out", ("app/r.txt",)),
    ]


def test_commands_of_a_makefile() -> None:
    text = """\
OUT := build
NAME ?= shop
.PHONY: layer
layer: clean
\t@mkdir -p $(OUT)
\tcd $(OUT) && zip -r ../$(NAME).zip .
\t-rm -rf $(OUT) $$HOME/x
deploy:
\techo $@
"""
    assert [
        (one.target, *row)
        for one, row in zip(makefile(text, "Makefile"), rows(makefile(text, "Makefile")), strict=True)
    ] == [
        ("layer", 5, ".", "mkdir -p build"),
        ("layer", 6, "build", "zip -r ../shop.zip ."),
        ("layer", 7, ".", "rm -rf build $HOME/x"),
        ("deploy", 9, ".", "echo deploy"),
    ]


def test_commands_of_a_workflow() -> None:
    text = """\
on: push
env: {NAME: shop}
jobs:
  ship:
    runs-on: ubuntu-latest
    defaults: {run: {working-directory: backend}}
    steps:
      - uses: actions/checkout@v5
      - run: |
          zip -r ${{ env.NAME }}.zip .
          aws lambda update-function-code --function-name $NAME --zip-file fileb://$NAME.zip
      - run: echo ${{ secrets.KEY }}
        working-directory: other
"""
    assert rows(workflow(text, "w.yml")) == [
        (10, "backend", "zip -r shop.zip ."),
        (11, "backend", "aws lambda update-function-code --function-name shop --zip-file fileb://shop.zip"),
        (12, "other", "echo $_"),
    ]


@pytest.mark.parametrize(
    ("text", "done"),
    [
        (
            "python3.12 -m pip install -q --platform=manylinux2014_aarch64 --python-version 312 a b==1 -c c.txt -t x",
            Installed("x", (), ("a", "b==1"), ("manylinux2014_aarch64",), "python3.12", ("-c",)),
        ),
        ("uv pip install --target x -r a/r.txt --python 3.13", Installed("x", ("a/r.txt",), (), (), "python3.13", ())),
        ("pip install uv", None),
        ("pip download x -t y", None),
        ("zip -qr9 out lib app.py -x '*.pyc' 'a/*'", Zipped("out.zip", ".", ("lib", "app.py"), ("*.pyc", "a/*"))),
        ("rsync -a --delete src/ build", Copied(("src",), "build")),
        ("find build -name '*.dist-info' -type d -exec rm -rf {} +", Removed(("*.dist-info",))),
        ("find build -name x", None),
        ("aws --region eu-central-1 s3 cp x.zip s3://bucket/y.zip", None),
        ("aws s3 cp x.zip s3://bucket/y.zip --quiet", Uploaded("x.zip", "s3://bucket/y.zip")),
        (
            "aws --profile p lambda publish-version --function-name=f --output text",
            Aws("publish-version", (("function-name", ("f",)), ("output", ("text",)))),
        ),
        ("ls", None),
    ],
)
def test_what_a_command_does(text: str, done: object) -> None:
    (command,) = script(text, "a.sh")
    assert step(command) == done


@pytest.mark.parametrize(
    "text", ["'", "$(", "`", "(((", ")))", "cd", "<<EOF", "a <<EOF\nb", "\\", "popd; cd -; ls", 'bash -c "\'"']
)
def test_text_that_is_no_script_ends(text: str) -> None:
    assert isinstance(script(text, "a.sh"), list)


def test_what_is_computed_is_read_and_loops_are_unrolled() -> None:
    text = """\
# $(rm -rf build)
ARN=$(aws lambda publish-layer-version --layer-name x \\
  --zip-file fileb://x.zip --output text)
for one in a b; do
  (cd $one && zip -r ../${one}.zip .)
  for two in c; do echo $one-$two same; done
  ls
done
for file in *.py; do cat "$file"; done
echo $ARN $one
"""
    assert rows(script(text, "a.sh")) == [
        (2, ".", "aws lambda publish-layer-version --layer-name x --zip-file fileb://x.zip --output text"),
        (5, "a", "zip -r ../a.zip ."),
        (6, ".", "echo a-c same"),
        (7, ".", "ls"),
        (5, "b", "zip -r ../b.zip ."),
        (6, ".", "echo b-c same"),
        (9, ".", "cat $file"),
        (10, ".", "echo $_ $one"),
    ]


def test_loops_within_loops_end() -> None:
    depth = 40
    text = "".join(f"for v{n} in a b c; do\n" for n in range(depth)) + "echo $v0 $v39\n" + "done\n" * depth
    assert 1 <= len(script(text, "a.sh")) <= 9
