"""Setting up says what is wrong and what to do, and does nothing when nothing is to do."""

import sys
from collections import namedtuple

import pytest

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def tool(load_tool):
    return load_tool("bootstrap")


@pytest.fixture
def fresh_checkout(tool, monkeypatch, tmp_path):
    """A checkout without .venv, with small lock and project files."""
    monkeypatch.setattr(tool, "ROOT", tmp_path)
    monkeypatch.setattr(tool, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(tool, "VENV_PYTHON", tmp_path / ".venv/bin/python")
    monkeypatch.setattr(tool, "STAMP", tmp_path / ".venv/.yishu-stamp")
    monkeypatch.setattr(tool, "STAMPED", (tmp_path / "lock.txt",))
    monkeypatch.delenv("YISHU_WHEELHOUSE", raising=False)
    (tmp_path / "lock.txt").write_text("a==1\n", "utf-8")
    return tmp_path


@pytest.fixture
def stamped_checkout(tool, fresh_checkout):
    """A checkout whose .venv was finished."""
    tool.VENV_PYTHON.parent.mkdir(parents=True)
    tool.VENV_PYTHON.touch()
    (tool.VENV / "pyvenv.cfg").write_text("version = 3.11.7\n", "utf-8")
    tool.STAMP.write_text(tool.fingerprint(), "utf-8")
    return fresh_checkout


def test_a_fresh_checkout_is_not_up_to_date(tool, fresh_checkout):
    assert not tool.stamp_is_current()


def test_a_finished_venv_is_up_to_date(tool, stamped_checkout):
    assert tool.stamp_is_current()


@pytest.mark.parametrize("change", ["lock", "python", "no interpreter"])
def test_a_venv_made_from_something_else_is_not_up_to_date(tool, stamped_checkout, change):
    if change == "lock":
        (stamped_checkout / "lock.txt").write_text("a==2\n", "utf-8")
    elif change == "python":
        (tool.VENV / "pyvenv.cfg").write_text("version = 3.12.1\n", "utf-8")
    else:
        tool.VENV_PYTHON.unlink()
    assert not tool.stamp_is_current()


def test_too_little_disk_is_said_before_anything_is_installed(tool, fresh_checkout, monkeypatch):
    monkeypatch.setattr(tool.shutil, "disk_usage", lambda _: Usage(10, 9, 1_000_000))
    with pytest.raises(tool.SetupError, match=r"0\.0 GB free .* expected at least 2\.0 GB"):
        tool.check_disk()


def test_an_unsupported_python_without_another_is_said(tool, monkeypatch):
    monkeypatch.setattr(tool.sys, "version_info", (3, 10, 0))
    monkeypatch.setattr(tool.shutil, "which", lambda _: None)
    with pytest.raises(tool.SetupError, match=r"expected 3\.11, 3\.12 or 3\.13"):
        tool.reexec_on_supported_python()


def test_an_unsupported_python_goes_on_with_a_supported_one(tool, monkeypatch):
    monkeypatch.setattr(tool.sys, "version_info", (3, 10, 0))
    monkeypatch.setattr(
        tool.shutil, "which", lambda name: sys.executable if name == "python3.12" else None
    )
    replaced = []
    monkeypatch.setattr(tool.os, "execv", lambda path, _: replaced.append(path) or sys.exit(0))
    with pytest.raises(SystemExit):
        tool.reexec_on_supported_python()
    assert replaced == [sys.executable]


def test_a_wheelhouse_beside_the_project_is_used(tool, fresh_checkout):
    assert tool.wheelhouse() is None
    (fresh_checkout / "wheelhouse").mkdir()
    assert tool.wheelhouse() == fresh_checkout / "wheelhouse"


def test_a_named_wheelhouse_that_is_not_there_is_said(tool, fresh_checkout, monkeypatch):
    monkeypatch.setenv("YISHU_WHEELHOUSE", str(fresh_checkout / "nowhere"))
    with pytest.raises(tool.SetupError, match="expected a folder of wheels"):
        tool.wheelhouse()


def test_a_python_without_ensurepip_is_told_what_to_install(tool, fresh_checkout, monkeypatch):
    """As on Debian: ``python -m venv`` fails, and neither virtualenv nor another pip is there."""
    script = fresh_checkout / "python-without-ensurepip"
    script.write_text("#!/bin/sh\nexit 1\n", "utf-8")
    script.chmod(0o755)
    monkeypatch.setattr(tool.sys, "executable", str(script))
    monkeypatch.setattr(tool.shutil, "which", lambda _: None)
    with pytest.raises(tool.SetupError, match=r"apt-get install python3\.\d+-venv"):
        tool.ensure_venv(None)
    assert not tool.VENV.exists()


def test_a_failing_pip_is_said_with_the_way_out(tool, fresh_checkout):
    tool.VENV_PYTHON.parent.mkdir(parents=True)
    tool.VENV_PYTHON.write_text("#!/bin/sh\nexit 3\n", "utf-8")
    tool.VENV_PYTHON.chmod(0o755)
    with pytest.raises(tool.SetupError, match=r"code 3.*install-without-internet"):
        tool.pip("install", "a")
