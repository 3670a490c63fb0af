"""Write the reference pages from docstrings, the configuration's model and the commands' help.

Run as ``uv run python docs/generate_reference.py [FOLDER]``; the folder is ``docs/reference`` unless given.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
PACKAGES = ("strategies", "risk", "catalog", "monitoring/report", "errors.py")
Documented = ast.ClassDef | ast.FunctionDef

_ROLE = re.compile(r":(?:class|func|attr|mod|data|meth):`~?([^`]+)`")
_LITERAL = re.compile(r"``([^`]+)``")
_SECTION = re.compile(r"^([A-Z][a-z]+)\n-{3,}\n", re.MULTILINE)


def main(folder: Path) -> None:
    """Write every page."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = {"commands": commands(), "configuration": configuration()}
    for name in PACKAGES:
        pages[name.removesuffix(".py").replace("/", ".")] = package(ROOT / name)
    for name, text in pages.items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8", newline="\n")


def commands() -> str:
    """Help of every command and of its subcommands."""
    import importlib  # noqa: PLC0415

    import click  # noqa: PLC0415
    import typer  # noqa: PLC0415

    from runners._cli import COMMANDS, module_of  # noqa: PLC0415

    def pages(command: Any, name: str) -> Iterator[str]:
        context = click.Context(
            command, info_name=f"python -m runners {name}", terminal_width=100, max_content_width=100
        )
        yield f"{'###' if ' ' in name else '##'} {name}\n\n```text\n{command.get_help(context)}\n```\n"
        for sub in getattr(command, "commands", {}):
            yield from pages(command.commands[sub], f"{name} {sub}")

    found = [
        page
        for name in COMMANDS
        for page in pages(typer.main.get_command(importlib.import_module(module_of(name)).app), name)
    ]
    return "# Commands\n\nExit codes: see [errors](errors.md).\n\n" + "\n".join(found)


def configuration() -> str:
    """Every key of a backtest file and of a live file."""
    from runners.config.live import LiveConfig  # noqa: PLC0415
    from runners.config.models import BacktestConfig  # noqa: PLC0415

    schema, live = (model.model_json_schema(by_alias=True) for model in (BacktestConfig, LiveConfig))
    sections = {"A backtest file": schema, "A live file": live} | schema.get("$defs", {}) | live.get("$defs", {})
    tables = [_section(name, section) for name, section in sections.items() if section.get("properties")]
    intro = (
        "One YAML file a run. `python -m runners config schema` (`--live`) prints the same as JSON Schema, for editors."
    )
    return f"# Configuration\n\n{intro}\n\n" + "\n".join(tables)


def _section(name: str, section: Mapping[str, Any]) -> str:
    required = set(section.get("required", ()))
    lines = [
        f"## {name}\n",
        f"{section.get('description', '')}\n".lstrip("\n"),
        "| key | type | default | meaning |",
        "|---|---|---|---|",
    ]
    for key, field in section["properties"].items():
        default = "required" if key in required else f"`{json.dumps(field['default'])}`" if "default" in field else ""
        lines.append(_row(f"`{key}`", _type(field), default, field.get("description", "")))
    return "\n".join(lines) + "\n"


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "&#124;").replace("\n", " ") for cell in cells) + " |"


def _type(field: Mapping[str, Any]) -> str:
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    for key in ("anyOf", "oneOf", "allOf"):
        if key in field:
            return " or ".join(_type(option) for option in field[key])
    if "enum" in field or "const" in field:
        return ", ".join(f"`{value}`" for value in field.get("enum", [field.get("const")]))
    if field.get("type") == "array":
        return f"list of {_type(field['items'])}" if isinstance(field.get("items"), dict) else "list"
    return f"{field.get('type', 'anything')}{_bounds(field)}"


def _bounds(field: Mapping[str, Any]) -> str:
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    return "".join(f", {sign} {field[key]:g}" for key, sign in signs.items() if key in field)


def package(path: Path) -> str:
    """Public classes and functions of a package's modules, or of one module."""
    modules = sorted(path.rglob("*.py")) if path.is_dir() else [path]
    name = path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
    parts = [f"# {name}\n"]
    for module in modules:
        tree = ast.parse(module.read_text(encoding="utf-8"))
        dotted = module.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__")
        text = ast.get_docstring(tree)
        members = [page for node in _public(tree.body) for page in _member(node)]
        if text and (members or len(modules) == 1):
            parts += [f"## {dotted}\n", prose(text), *members]
    return "\n".join(parts)


def _public(body: list[ast.stmt]) -> Iterator[Documented]:
    for node in body:
        if isinstance(node, Documented) and not node.name.startswith("_") and ast.get_docstring(node):
            yield node


def _member(node: Documented) -> Iterator[str]:
    yield f"### {node.name}\n\n```python\n{signature(node)}\n```\n"
    yield prose(ast.get_docstring(node) or "")
    if isinstance(node, ast.ClassDef):
        yield fields(node)
    for method in _public(node.body) if isinstance(node, ast.ClassDef) else ():
        yield f"**`{signature(method)}`**\n\n{prose(ast.get_docstring(method) or '')}"


def signature(node: Documented) -> str:
    """First line of a definition."""
    if isinstance(node, ast.ClassDef):
        bases = ", ".join(ast.unparse(base) for base in node.bases)
        return f"class {node.name}({bases})" if bases else f"class {node.name}"
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{node.name}({ast.unparse(node.args)}){returns}"


def fields(node: ast.ClassDef) -> str:
    """The described fields of a pydantic model."""
    lines = []
    for line in node.body:
        call = line.value if isinstance(line, ast.AnnAssign) else None
        if isinstance(line, ast.AnnAssign) and isinstance(call, ast.Call) and ast.unparse(call.func) == "Field":
            given = {keyword.arg: keyword.value for keyword in call.keywords}
            default = f" = {ast.unparse(given['default'])}" if "default" in given else ""
            what = f"`{ast.unparse(line.target)}: {ast.unparse(line.annotation)}{default}`"
            meaning = given.get("description")
            lines.append(f"- {what}" + (f": {ast.literal_eval(meaning)}" if isinstance(meaning, ast.Constant) else ""))
    return "\n".join(lines) + ("\n" if lines else "")


def prose(docstring: str) -> str:
    """A NumPy-style docstring as Markdown."""
    text = _LITERAL.sub(
        r"`\1`", _ROLE.sub(lambda match: f"`{match[1].rpartition('.')[2]}`", inspect.cleandoc(docstring))
    )
    text = re.sub(r"(?m)^(.*\S)?::\n\n((?:(?: {4}.*)?\n?)+)", r"\1\n\n\2", text)
    head, *rest = _SECTION.split(text)
    pairs = zip(rest[::2], rest[1::2], strict=True)
    return "\n".join([head.strip() + "\n", *(f"*{title}*\n\n{_items(body)}" for title, body in pairs)])


def _items(body: str) -> str:
    lines: list[str] = []
    for line in body.strip().splitlines():
        if line.startswith(" "):
            lines.append(f"  {line.strip()}")
        elif line.strip():
            lines.append(f"- **{line.strip()}**")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "reference")
