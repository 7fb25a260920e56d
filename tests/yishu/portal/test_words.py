"""Every text of pages has its English, and no English is left over."""

import re
from pathlib import Path

import yaml
from jinja2 import Environment

from catalog.errors import YishuError
from yishu.clocks import errors as clocks_errors
from yishu.governance import errors as governance_errors
from yishu.interchange import errors as interchange_errors
from yishu.portal import errors as portal_errors
from yishu.portal import messages
from yishu.portal.messages import english
from yishu.portal.pages import TEMPLATES
from yishu.sharing import errors as sharing_errors

PORTAL = Path(messages.__file__).parent
CHINESE = re.compile(r"[\u4e00-\u9fff]")
SAID = re.compile(r"(?:say|done|Link|Task)\([^()]*?\"([^\"]*[\u4e00-\u9fff][^\"]*)\"")
WHOLE = re.compile(r"[\"']([^\"'\n]*[\u4e00-\u9fff][^\"'\n]*)[\"']")


def texts_of_templates():
    """Chinese literals of templates' expressions: what `_`, macros and lists are given."""
    found = {}
    for path in sorted(TEMPLATES.rglob("*.html")):
        source = re.sub(r"\{#.*?#\}", "", path.read_text("utf-8"), flags=re.DOTALL)
        for code in re.findall(r"\{\{.*?\}\}|\{%.*?%\}", source, re.DOTALL):
            for text in WHOLE.findall(code):
                found.setdefault(text, path.name)
    return found


def texts_of_code():
    """Chinese texts that code hands to pages: notes, links, texts that are said."""
    found = {}
    for path in sorted(PORTAL.rglob("*.py")):
        source = path.read_text("utf-8")
        for text in re.findall(
            r"(?:say|done|Link|Task)\([^()]*?\"([^\"]*[\u4e00-\u9fff][^\"]*)\"", source
        ):
            found.setdefault(text, path.name)
    return found


#: Values of cells, not words of pages.
DATA = {"是", "否", "中文"}


def test_every_text_of_a_page_has_its_english():
    wanted = texts_of_templates() | texts_of_code()
    assert len(wanted) > 100

    missing = {text: place for text, place in wanted.items() if text not in english()}

    assert {text: place for text, place in missing.items() if text not in DATA} == {}


def test_no_text_is_written_into_a_template_outside_of_an_expression():
    for path in TEMPLATES.rglob("*.html"):
        expressions = r"\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}|value=\"[是否]\""
        source = re.sub(expressions, "", path.read_text("utf-8"), flags=re.DOTALL)
        assert not CHINESE.search(source), path.name


def test_no_english_is_kept_of_a_text_that_nobody_says():
    sources = [*TEMPLATES.rglob("*.html"), *PORTAL.parent.rglob("*.py")]
    said = "\n".join(path.read_text("utf-8") for path in sources)

    assert [text for text in english() if text not in said] == []


def test_a_text_that_two_areas_use_has_one_english():
    seen = {}
    for path in sorted(messages.FOLDER.glob("*.yaml")):
        for text, said in yaml.safe_load(path.read_text("utf-8")).items():
            assert seen.setdefault(text, said) == said, f"{path.name}: {text}"


def test_every_error_that_a_page_can_meet_says_in_chinese_what_it_is_and_what_to_do():
    modules = (
        clocks_errors, governance_errors, interchange_errors, portal_errors, sharing_errors,
    )  # fmt: skip
    met = {
        one.code
        for module in modules
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, YishuError) and one is not YishuError
    }
    general = {code for code in met if code.endswith("_ERROR")}
    known = yaml.safe_load((PORTAL / "problems.yaml").read_text("utf-8"))

    assert len(met - general) > 40
    assert {code for code in met - general if not known.get(code, {}).get("do")} == set()
    for number in (400, 401, 403, 404, 405, 409, 413, 422, 500, 503):
        assert CHINESE.search(known[str(number)]["do"])


def test_templates_are_sound():
    parsed = [
        Environment(autoescape=True).parse(path.read_text("utf-8"))
        for path in TEMPLATES.rglob("*.html")
    ]
    assert all(one.body for one in parsed)
