"""What errors say, in Chinese."""

import string

import pytest

from catalog.roles import Action, Role
from yishu.sentences import GAP, LONGEST, chinese, known


@pytest.mark.parametrize(
    ("english", "said"),
    [
        ("no reason", "没有说明原因"),
        (
            "no mask on `idno`, which is sensitive_personal",
            "`idno` 属于敏感个人信息，但没有脱敏规则",
        ),
        (
            f"{Action.READ_JOURNAL} asked by the {Role.DEPARTMENT_OFFICER} of taxation",
            "taxation 的部门数据专员请求查阅留痕",
        ),
        (
            "rows of 320200, 320211 asked by a body of 320100",
            "320100 的部门请求 320200, 320211 的数据行",
        ),
        ("3 fault(s), the first in row 2 名称: no value", "3 处错误，第一处在第 2 行 名称：没有值"),
        ("the moon is not a department", "the moon is not a department"),
        ("没有条目", "没有条目"),
        (f"{Role.DEPARTMENT_OFFICER} or {Role.AUDITOR}", "部门数据专员、审计员"),
        ("no column name", "没有列 name"),
    ],
)
def test_a_sentence_is_found_by_its_fixed_words_and_keeps_its_values(english, said):
    assert chinese(english) == said


def test_the_sentence_with_more_fixed_words_is_meant():
    assert chinese("rows of 320200") == "320200 的数据行"
    assert chinese("6 rows of version 3") == "版本 3 的 6 行"


def test_few_fixed_words_do_not_fit_a_sentence_that_nobody_translated():
    assert chinese("09:00 to 17:30") == "09:00 至 17:30"
    assert chinese("a way from here to there") == "a way from here to there"


def test_a_value_with_braces_is_no_gap():
    assert chinese("no column {0} {x}") == "没有列 {0} {x}"


def test_a_text_without_end_is_left_as_it_is():
    long = "no column " + "x" * LONGEST

    assert chinese(long) == long


def test_chinese_uses_every_value_of_its_sentence_once():
    for sentence, translation in known().items():
        fields = [
            name for _, name, _, _ in string.Formatter().parse(translation) if name is not None
        ]
        gaps = sentence.count(GAP)
        if gaps:
            assert sorted(fields) == [str(number) for number in range(gaps)], sentence
        else:
            assert GAP not in translation
