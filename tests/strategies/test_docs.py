"""The page of each strategy lists its parameters as the model has them, and its configuration names only those."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    "order_flow": ("strategies.order_flow", "OrderFlowParams"),
    "avellaneda_stoikov": ("strategies.avellaneda_stoikov", "AvellanedaStoikovParams"),
    "breakout": ("strategies.breakout", "BreakoutParams"),
    "mean_reversion": ("strategies.mean_reversion", "MeanReversionParams"),
}
CONFIGS = {
    "btc.yaml": "order_flow",
    "btc_avellaneda.yaml": "avellaneda_stoikov",
    "btc_breakout.yaml": "breakout",
    "btc_mean_reversion.yaml": "mean_reversion",
}


def model(name: str) -> type[BaseModel]:
    module, cls = PAGES[name]
    found: type[BaseModel] = getattr(importlib.import_module(module), cls)
    return found


def parameter_table(params: type[BaseModel]) -> str:
    """Table of a model's fields: name, default, bounds, description."""
    properties: dict[str, Any] = params.model_json_schema()["properties"]
    rows = ["| name | default | bounds | meaning |", "|---|---|---|---|"]
    rows += [
        f"| `{name}` | {_default(field['default'])} | {_bounds(field)} | {field['description']} |"
        for name, field in properties.items()
    ]
    return "\n".join(rows)


def _default(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return value
        case dict():
            return "{" + ", ".join(f"{key}: {inner:g}" for key, inner in value.items()) + "}"
        case _:
            return f"{value:g}"


def _bounds(field: dict[str, Any]) -> str:
    words = {"exclusiveMinimum": ">", "minimum": "≥", "exclusiveMaximum": "<", "maximum": "≤"}
    return ", ".join(f"{sign} {field[key]:g}" for key, sign in words.items() if key in field)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_lists_the_parameters_as_they_are(name: str) -> None:
    page = (ROOT / "docs" / "strategies" / f"{name}.md").read_text(encoding="utf-8")
    assert parameter_table(model(name)) in page
    assert "## When it loses" in page


@pytest.mark.parametrize(("config", "name"), CONFIGS.items())
def test_a_shipped_configuration_validates(config: str, name: str) -> None:
    document = yaml.safe_load((ROOT / "backtest_configs" / config).read_text(encoding="utf-8"))
    (entry,) = document["strategies"]
    assert entry["class"].split(":")[0] == PAGES[name][0]
    assert set(model(name).model_validate(entry["params"]).model_dump()) >= set(entry["params"])
