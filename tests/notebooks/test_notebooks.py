"""The notebooks run from top to bottom on a small sample and a small run, with warnings as errors."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from catalog.sample import SampleSpec, ensure_sample
from runners import backtest
from runners._cli import run

nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed (group notebooks)")
nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed (group notebooks)")
pytest.importorskip("ipykernel", reason="ipykernel is not installed (group notebooks)")

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
NAMES = sorted(path.name for path in NOTEBOOKS.glob("*.ipynb"))
STRICT = "import warnings\nwarnings.simplefilter('error')"
LENIENT = "warnings.simplefilter('default')"  # the kernel's own way of stopping is not our concern
SAMPLE = SampleSpec(minutes=3)


def execute(name: str, parameters: Mapping[str, object]) -> Any:
    """Run a notebook from its folder, with some names of its parameter cell set to other values."""
    notebook = nbformat.read(NOTEBOOKS / name, as_version=4)
    (cell,) = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    cell.source += "".join(f"\n{key} = {value!r}" for key, value in parameters.items())
    notebook.cells.insert(0, nbformat.v4.new_code_cell(STRICT))
    notebook.cells.append(nbformat.v4.new_code_cell(LENIENT))
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(NOTEBOOKS)}}).execute()
    return notebook


def shown(notebook: Any, fragment: str) -> str:
    """Text that the cell with this code printed or returned."""
    (cell,) = [cell for cell in notebook.cells if cell.cell_type == "code" and fragment in cell.source]
    return "".join(output.get("text", "") or output.get("data", {}).get("text/plain", "") for output in cell.outputs)


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("samples")


@pytest.fixture(scope="module")
def run_directory(samples: Path) -> Path:
    """Three minutes of the order-flow strategy, made eager so that it trades."""
    place = samples / "run"
    changes = ["data.sample={minutes: 3}", "data.warmup_secs=10", "strategies.0.params.imbalance_entry=0.05",
               "strategies.0.policy.edge={waived: a test of the notebook}", "venue.funding={constant_bps_per_8h: 1.0}"]  # fmt: skip
    arguments = [str(ROOT / "backtest_configs" / "btc.yaml"), "--output", str(place)]
    for change in changes:
        arguments += ["--set", change]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(samples)
        with pytest.raises(SystemExit) as ended:
            run(backtest.app, arguments)
    assert ended.value.code == 0
    return place


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_committed_without_outputs(name: str) -> None:
    cells = [cell for cell in nbformat.read(NOTEBOOKS / name, as_version=4).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == [None] * len(cells)
    assert [cell.outputs for cell in cells] == [[]] * len(cells)


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_defines_nothing_of_its_own(name: str) -> None:
    cells = [cell for cell in nbformat.read(NOTEBOOKS / name, as_version=4).cells if cell.cell_type == "code"]
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    own = [node for cell in cells for node in ast.walk(ast.parse(cell.source)) if isinstance(node, kinds)]
    assert own == []


@pytest.mark.req("P-1")
def test_the_catalog_notebook_rebuilds_a_book_with_nautilus_pandas_and_duckdb(samples: Path) -> None:
    catalog = ensure_sample(SAMPLE, samples / "data")
    notebook = execute("01_catalog.ipynb", {"CATALOG": str(catalog)})
    assert "bids" in shown(notebook, "book.pprint").lower()
    assert "2024-08-08 00:02:00" in shown(notebook, "duckdb.sql")


@pytest.mark.req("P-1")
def test_the_run_notebook_goes_from_orders_to_the_markouts_of_the_summary(run_directory: Path) -> None:
    notebook = execute("02_run.ipynb", {"RUN": str(run_directory)})
    assert "LIMIT" in shown(notebook, 'orders.groupby(["side"')
    assert "MAKER" in shown(notebook, "describe().T")
    assert float(shown(notebook, '.sub(table["gross_bps"])').removeprefix("np.float64(").rstrip(")")) == 0.0
