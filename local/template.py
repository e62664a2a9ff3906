"""The project's templates, as written and as AWS expands them; run as a module, it lints them.

`sam validate --lint` looks at the unexpanded template and misses what only the expanded one shows,
such as a queue whose messages reappear before the function's time-out.
"""

import json
import logging
import subprocess
import sys
import tempfile
import tomllib
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

from local.environment import REGION, ROOT, program, without_aws

Template = dict[str, Any]  # CloudFormation's JSON: its shape is cfn-lint's business

STACKS = ROOT / "stacks"
CHECKOV = ROOT / ".checkov.yaml"
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
    """The template as AWS gets it after the SAM transform, as samconfig.toml deploys it."""
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
    } | deployed_with()
    to_py27_compatible_template(template, parameters)
    session = boto3.session.Session(region_name=REGION)
    translator = Translator({}, Parser(), boto_session=session)
    expanded: Template = undo_mark_unicode_str_in_template(
        translator.translate(template, parameters)
    )
    return expanded


def deployed_with() -> dict[str, str]:
    """The parameters that samconfig.toml gives a deployment to AWS."""
    told = tomllib.loads((ROOT / "samconfig.toml").read_text())
    pairs = told["default"]["deploy"]["parameters"]["parameter_overrides"]
    return dict(pair.split("=", 1) for pair in pairs)


def nested() -> dict[str, Template]:
    """The templates of the stacks within the stack, by their file's name."""
    return {path.name: yaml_parse(path.read_text()) for path in sorted(STACKS.glob("*.yaml"))}


def main() -> int:
    """Lint all templates; what is wrong goes to standard output."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / "template.json", *sorted(STACKS.glob("*.yaml"))]
        files[0].write_text(json.dumps(expand(), indent=1))
        names = [str(file) for file in files]
        linters = (
            [program("sam", "sam"), "validate", "--lint", "--region", REGION],
            [program("project", "cfn-lint"), "--regions", REGION, "--", *names],
            [program("checkov", "checkov"), "--config-file", str(CHECKOV), "--file", *names],
        )
        alone = without_aws()
        return max(
            subprocess.run(each, cwd=ROOT, env=alone, check=False).returncode for each in linters
        )


if __name__ == "__main__":
    sys.exit(main())
