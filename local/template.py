"""The project's templates, as written and as AWS expands them; run as a module, it lints them.

`sam validate` looks at the unexpanded template and misses what only the expanded one shows, such
as a queue whose messages reappear before the function's time-out.
"""

import json
import logging
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.utils.py27hash_fix import (
    to_py27_compatible_template,
    undo_mark_unicode_str_in_template,
)
from samtranslator.yaml_helper import yaml_parse

from local.environment import REGION, ROOT, program

Template = dict[str, Any]  # CloudFormation's JSON: its shape is cfn-lint's business

STACKS = ROOT / "stacks"
_UPLOADED = {
    "CodeUri": "s3://bucket/key",
    "ContentUri": "s3://bucket/key",
    "TemplateURL": "https://bucket.s3.amazonaws.com/key",
}


def load() -> Template:
    """The template as written, its short intrinsic functions in their long form."""
    template: Template = yaml_parse((ROOT / "template.yaml").read_text())
    return template


def expand() -> Template:
    """The template as CloudFormation gets it after the SAM transform, for the full footprint."""
    logging.getLogger("samtranslator").setLevel(logging.ERROR)  # it warns of flags of its own
    template = load()
    for resource in template["Resources"].values():
        for name, uploaded in _UPLOADED.items():
            if name in resource.get("Properties", {}):
                resource["Properties"][name] = uploaded
    parameters = {
        name: parameter["Default"]
        for name, parameter in template["Parameters"].items()
        if "Default" in parameter
    }
    to_py27_compatible_template(template, parameters)
    session = boto3.session.Session(region_name=REGION)
    translator = Translator({}, Parser(), boto_session=session)
    expanded: Template = undo_mark_unicode_str_in_template(
        translator.translate(template, parameters)
    )
    return expanded


def nested() -> dict[str, Template]:
    """The templates of the stacks within the stack, by their file's name."""
    return {path.name: yaml_parse(path.read_text()) for path in sorted(STACKS.glob("*.yaml"))}


def main() -> int:
    """Lint all templates; what is wrong goes to standard output."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / "template.json", *sorted(STACKS.glob("*.yaml"))]
        files[0].write_text(json.dumps(expand(), indent=1))
        command = [program("project", "cfn-lint"), "--regions", REGION, "--", *map(str, files)]
        return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
