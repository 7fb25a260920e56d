"""Entries go out in other systems' formats and come back as drafts; what is lost is named."""

import pytest
import yaml

from catalog.model import CatalogEntry
from yishu.interchange import dcat, odcs
from yishu.interchange.errors import FileRefused

BASE = "https://data.example/yishu"


def without(content, *keys):
    return {key: value for key, value in content.items() if key not in keys}


def test_a_contract_comes_back_as_the_same_content(city, contents):
    for entry_id, entry in city.entries.items():
        back = odcs.read("a.yaml", odcs.to_yaml(entry))

        whole = {**entry.model_dump(), **back.content}
        assert CatalogEntry.model_validate(whole) == entry, entry_id
        assert back.not_taken == ()


def test_what_a_foreign_contract_says_beyond_an_entry_is_named():
    foreign = {
        "apiVersion": "v3.1.0", "kind": "DataContract", "id": "x", "version": "1.0.0",
        "status": "draft", "price": {"priceAmount": 5},
        "schema": [
            {"name": "t", "properties": [{"name": "a", "logicalType": "array", "tags": ["z"]}]}
        ],
    }  # fmt: skip

    back = odcs.read("a.yaml", yaml.safe_dump(foreign))

    assert back.content["items"] == [
        {"name": "a", "field": "a", "type": "string", "nullable": True}
    ]
    assert set(back.not_taken) >= {"price", "schema.a.tags"}
    assert any("sensitivity" in one for one in back.not_taken)


@pytest.mark.parametrize("form", ["turtle", "json-ld"])
def test_a_dataset_of_dcat_comes_back_with_all_that_dcat_holds(city, form):
    entries = list(city.entries.values())
    text = dcat.graph(entries, city, BASE).serialize(format=form)

    back = {one.content["id"]: one.content for one in dcat.read("a", text, form)}

    assert set(back) == set(city.entries)
    for entry in entries:
        content = back[entry.id]
        assert content["name"] == entry.name
        assert content["resource_code"] == entry.resource_code
        assert content["provider_org"] == entry.provider_org
        assert content["share"]["type"] == entry.share.type.value
        assert content["update_cycle"] == entry.update_cycle.value
        fields = [(item["field"], item["name"], item["nullable"]) for item in content["items"]]
        assert fields == [(item.field, item.name, item.nullable) for item in entry.items]


def test_every_key_of_an_entry_is_in_the_export_or_named_as_not_held(city):
    entry = city.entries["taxation.taxpayer"]
    text = dcat.graph([entry], city, BASE).serialize(format="turtle")
    held = {"id", "name", "summary", "resource_code", "category_path", "provider_org", "version",
            "data_source", "items", "key", "share", "update_cycle", "published_on",
            "use_condition", "related_codes"}  # fmt: skip

    named = {one.split(".")[0] for one in dcat.not_held(entry)}

    assert held | named >= set(entry.model_dump(exclude_defaults=True))
    assert entry.use_condition in text
    assert "source" in named
    assert "taxation_drop" not in text


@pytest.mark.parametrize("text", ["", "{", "@prefix a: <b> .", "<p>no</p>"])
def test_what_is_no_dcat_is_refused(text):
    with pytest.raises(FileRefused):
        dcat.read("a.ttl", text, "turtle")
    with pytest.raises(FileRefused):
        dcat.read("a.jsonld", text, "json-ld")


def test_what_is_no_contract_of_one_table_is_refused():
    for text in ("", "[1]", "schema: [{name: a}, {name: b}]", "a: ["):
        with pytest.raises(FileRefused):
            odcs.read("a.yaml", text)
