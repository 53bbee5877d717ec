"""The versions of CPython that the README names are those that `make test-pythons` and `make test` run."""

import re

from code_blocks import ROOT


def test_the_readme_and_the_package_name_the_tested_versions() -> None:
    [tested] = re.findall(r"^PYTHONS := (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    [named] = re.findall(r"Tested with CPython ([\d., and]+\d)", (ROOT / "bindings-python/README.md").read_text())
    project = (ROOT / "bindings-python/pyproject.toml").read_text()
    listed = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', project)
    assert re.findall(r"3\.\d+", named) == tested.split() == listed
    assert f'requires-python = ">={listed[0]}"' in project
