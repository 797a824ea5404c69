"""`kdsl lint`: rules chosen on the command line and in pyproject.toml, edits made, the forms for other programs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = """\
import SqueezeExcite from "kdsl:blocks"

model Net {
  input  image: f32[28, 28]
  target label: index(10)
  spare = image -> flatten
  logits = image -> flatten -> dense(64) -> relu -> relu -> dense(10)
  output logits
}

train Net {
  loss      = cross_entropy(logits, label)
  optimizer = adam(lr = 10)
}
"""
SAFE = TEXT.replace('import SqueezeExcite from "kdsl:blocks"\n', "").replace("relu -> relu", "relu")


@pytest.fixture
def net(tmp_path: Path) -> Path:
    path = tmp_path / "net.kmodel"
    path.write_text(TEXT, encoding="utf-8")
    return path


def codes(done: subprocess.CompletedProcess[str]) -> list[str]:
    return sorted(item["code"] for item in json.loads(done.stdout))


@pytest.mark.parametrize(
    ("flags", "wanted"),
    [
        ([], ["W603", "W605", "W608", "W623"]),
        (["--select", "W603,W619"], ["W603", "W619"]),
        (["--select", "W603", "--select", "unused-import"], ["W603", "W605"]),
        (["--select", "ALL", "--ignore", "W62,W614"], ["W603", "W605", "W608", "W619"]),
        (["--extend-select", "undocumented", "--ignore", "W603"], ["W605", "W608", "W619", "W623"]),
        (["--ignore", "W6"], []),
    ],
)
def test_rules_are_chosen(kdsl, net: Path, flags: list[str], wanted: list[str]) -> None:
    done = kdsl("lint", net, "--output", "json", *flags)
    assert codes(done) == wanted
    assert done.returncode == (1 if wanted else 0)


@pytest.mark.parametrize(
    ("config", "flags", "wanted"),
    [
        ('select = ["W603", "W605"]', [], ["W603", "W605"]),
        ('select = ["W603"]\nextend-select = ["W619"]', [], ["W603", "W619"]),
        ('ignore = ["W603", "unused-import"]', [], ["W608", "W623"]),
        ('ignore = ["W603"]', ["--select", "W603"], ["W603"]),
        ('per-file-ignores = {"net*" = ["W603", "W608"]}', [], ["W605", "W623"]),
        ('per-file-ignores = {"other/*" = ["W603"]}', [], ["W603", "W605", "W608", "W623"]),
    ],
)
def test_pyproject_chooses_rules(kdsl, net: Path, config: str, flags: list[str], wanted: list[str]) -> None:
    (net.parent / "pyproject.toml").write_text(f"[tool.kdsl.lint]\n{config}\n", encoding="utf-8")
    assert codes(kdsl("lint", net, "--output", "json", *flags)) == wanted


def test_the_nearest_pyproject_with_settings_counts(kdsl, net: Path) -> None:
    (net.parent / "pyproject.toml").write_text('[tool.kdsl.lint]\nselect = ["W603"]\n', encoding="utf-8")
    deep = net.parent / "a" / "b"
    deep.mkdir(parents=True)
    (deep / "net.kmodel").write_text(TEXT, encoding="utf-8")
    (deep / "pyproject.toml").write_text("[tool.other]\n", encoding="utf-8")
    assert codes(kdsl("lint", "a/b/net.kmodel", "--output", "json")) == ["W603"]
    name = "a/b/x.kmodel"
    assert codes(kdsl("lint", "-", "--stdin-filename", name, "--output", "json", input=TEXT)) == ["W603"]


@pytest.mark.parametrize(
    ("config", "says", "help"),
    [
        ("[tool.kdsl.lint]\nselct = []", "[tool.kdsl.lint] has no selct", "did you mean select?"),
        ("[tool.kdsl.fromat]\na = 1", "[tool.kdsl] has no fromat", "there is lint"),
        ('[tool.kdsl.lint]\nselect = "W603"', "select is a list of rules", ""),
        ('[tool.kdsl.lint]\nignore = ["W999"]', "there is no rule W999", "kdsl explain --rules"),
        ("[tool.kdsl.lint", "is not TOML", ""),
        ('[tool.kdsl.lint]\nper-file-ignores = ["W603"]', "per-file-ignores is a table", ""),
    ],
)
def test_a_wrong_pyproject_is_exit_2(kdsl, net: Path, config: str, says: str, help: str) -> None:
    (net.parent / "pyproject.toml").write_text(config + "\n", encoding="utf-8")
    done = kdsl("lint", net)
    assert done.returncode == 2
    assert says in done.stderr and help in done.stderr


def test_a_wrong_rule_is_exit_2(kdsl, net: Path) -> None:
    done = kdsl("lint", net, "--select", "unused-vlaue")
    assert done.returncode == 2
    assert "--select: there is no rule unused-vlaue" in done.stderr and "did you mean unused-value?" in done.stderr


def test_fix_writes_what_changes_no_results(kdsl, net: Path) -> None:
    assert " --fix mends 2.\n" in kdsl("lint", net).stdout
    done = kdsl("lint", net, "--fix", "--output", "full")
    assert done.returncode == 1
    assert "2 mended." in done.stdout
    assert net.read_text(encoding="utf-8") == SAFE
    again = kdsl("lint", net, "--fix")
    assert net.read_text(encoding="utf-8") == SAFE and "mended" not in again.stdout


def test_unsafe_fixes_write_the_others_too(kdsl, net: Path) -> None:
    kdsl("lint", net, "--unsafe-fixes")
    assert net.read_text(encoding="utf-8") == SAFE.replace("  spare = image -> flatten\n", "")


def test_fix_of_standard_input_writes_the_text_to_standard_output(kdsl, net: Path) -> None:
    done = kdsl("lint", "-", "--fix", input=TEXT)
    assert done.stdout == SAFE
    assert "W608" in done.stderr and done.returncode == 1


def test_statistics(kdsl, net: Path) -> None:
    done = kdsl("lint", net, "--statistics")
    assert done.returncode == 1
    assert done.stdout.splitlines()[0] == "1  W603  unused-value" and done.stdout.count("\n") == 4
    rows = json.loads(kdsl("lint", net, "--statistics", "--output", "json").stdout)
    assert rows[0] == {"code": "W603", "name": "unused-value", "count": 1}


def test_github(kdsl, net: Path) -> None:
    lines = kdsl("lint", "net.kmodel", "--output", "github").stdout.splitlines()
    assert len(lines) == 4
    start = "::warning title=kdsl (W603 unused-value),file=net.kmodel,line=6,col=3,endLine=6,endColumn=8::"
    assert next(line for line in lines if "W603" in line).startswith(f"{start}`spare` is never used%0Ahelp: ")


def test_json_says_which_edits_are_safe(kdsl, net: Path) -> None:
    """Those that `--fix` makes."""
    found = json.loads(kdsl("lint", net, "--extend-select", "undocumented", "--output", "json").stdout)
    kinds = {it["code"]: it["fix"] and it["fix"]["applicability"] for it in found}
    assert kinds == {"W603": "unsafe", "W605": "safe", "W608": None, "W619": None, "W623": "safe"}


def test_sarif(kdsl, net: Path) -> None:
    log = json.loads(kdsl("lint", "net.kmodel", "--output", "sarif").stdout)
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["W603", "W605", "W608", "W623"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] == "warning" and result["message"]["text"]
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == "net.kmodel"
        assert 1 <= place["region"]["startLine"] <= place["region"]["endLine"]
    replaced = next(it for it in run["results"] if it["ruleId"] == "W623")["fixes"][0]["artifactChanges"][0]
    assert replaced["replacements"][0]["insertedContent"] == {"text": ""}
    assert (
        json.loads(kdsl("lint", "net.kmodel", "--select", "W601", "--output", "sarif").stdout)["runs"][0]["results"]
        == []
    )


def test_rules_are_listed(kdsl) -> None:
    lines = kdsl("explain", "--rules").stdout.splitlines()
    assert lines[0].startswith("W601  softmax-before-cross-entropy: ")
    assert "W605  unused-import: a name that is imported and never used (--fix)" in lines
    assert any(line.startswith("W619") and line.endswith("(off)") for line in lines)
    assert kdsl("explain", "unused-value").stdout == kdsl("explain", "W603").stdout


def test_the_hooks_of_pre_commit_run_commands_that_exist() -> None:
    from kdsl.cli.parser import COMMANDS

    text = (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    entries = [line.split()[1:] for line in text.splitlines() if line.strip().startswith("entry:")]
    assert entries == [["kdsl", "lint"], ["kdsl", "format"]]
    assert all(command in COMMANDS for _, command in entries)


def test_toml_is_not_imported_without_settings(net: Path, environment: dict[str, str]) -> None:
    code = "import sys; from kdsl.cli import main; main(['lint', sys.argv[1]]); print('tomllib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, str(net)], env=environment, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "False"
