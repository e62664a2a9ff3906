"""docs/runbook.md says what every alarm and every check of the doctor means, and of no other."""

import re

from agent_where.doctor import NAMES
from local.environment import ROOT
from local.template import load

DOCUMENT = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")


def section(heading: str) -> str:
    return DOCUMENT.split(f"## {heading}\n")[1].split("\n## ")[0]


def test_every_alarm_of_the_template_has_its_heading() -> None:
    alarms = {
        name
        for name, resource in load()["Resources"].items()
        if resource["Type"] in ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
    }
    headings = re.findall(r"^### (.+)$", section("Alarms"), re.MULTILINE)

    assert len(headings) == len(set(headings))
    assert set(headings) == alarms


def test_every_heading_of_an_alarm_is_followed_by_what_to_do() -> None:
    for part in re.split(r"^### ", section("Alarms"), flags=re.MULTILINE)[1:]:
        heading, _, told = part.partition("\n")
        assert len(told.split()) > 8, heading


def test_every_check_of_the_doctor_is_told_and_no_other() -> None:
    told = re.findall(r"^\| `(\w+)` \|", section("What the doctor looks at"), re.MULTILINE)

    assert told == list(NAMES)


def test_every_link_leads_to_a_heading() -> None:
    headings = {
        re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", DOCUMENT, re.MULTILINE)
    }

    assert set(re.findall(r"\]\(#([\w-]+)\)", DOCUMENT)) <= headings


def test_every_command_that_it_names_is_one() -> None:
    commands = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    known = set(re.findall(r"^\| `(\w+)", commands, re.MULTILINE))

    assert set(re.findall(r"agent-where (\w+)", DOCUMENT)) <= known
