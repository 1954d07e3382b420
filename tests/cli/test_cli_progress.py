import io

import pytest
from PIL import Image
from rich.console import Console

from nodegraph import events
from nodegraph.console.errors import UsageError
from nodegraph.console.progress import RunState, progress
from nodegraph.console.sheet import save_contact_sheet, sheet_columns


def note_all(state, *happened):
    for event in happened:
        state.note(event)
    return state.snapshot()


def test_counts_finished_nodes_and_fractions_of_running_ones():
    done, total, running = note_all(
        RunState(),
        events.RunStarted("r", 5, 3),
        events.NodeFinished("r", "cached", "disk", 0.0),
        events.NodeStarted("r", "a"),
        events.NodeFinished("r", "a", "run", 0.1),
        events.NodeStarted("r", "b"),
        events.NodeProgress("r", "b", 5, 20),
    )
    assert (done, total, list(running)) == (1.25, 3, ["b"])


def test_subgraphs_add_to_the_plan_and_failures_count_as_finished():
    done, total, running = note_all(
        RunState(),
        events.RunStarted("r", 2, 2),
        events.NodeStarted("r", "a"),
        events.NodeExpanded("r", "a", 4, 2),
        events.NodeFailed("r", "a", "broken"),
    )
    assert (done, total, running) == (1, 6, {})


def test_draws_a_bar_for_the_run_and_each_running_node():
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    with progress(console, shown=True) as subscriber:
        for event in (
            events.RunStarted("r", 3, 3),
            events.NodeStarted("r", "sampler"),
            events.NodeProgress("r", "sampler", 7, 20),
        ):
            subscriber(event)
    text = console.file.getvalue()
    assert "0/3 nodes" in text
    assert "sampler" in text
    assert "7/20" in text


def test_shows_nothing_where_nothing_is_wanted():
    with progress(Console(file=io.StringIO()), shown=False) as subscriber:
        assert subscriber is None


def test_where_there_is_no_terminal_a_line_is_written_now_and_then(monkeypatch):
    now = iter([0.0, 0.1, 0.6, 0.7, 5.0, 11.0, 12.0])
    monkeypatch.setattr("time.monotonic", lambda: next(now))
    console = Console(file=io.StringIO(), width=100)
    with progress(console, shown=True) as subscriber:
        for event in (
            events.RunStarted("r", 5, 4),
            events.NodeFinished("r", "cached", "disk", 0.0),
            *ran("a", 0.1),  # at 0.1 s
            *ran("b[0]", 0.5),  # at 0.6 s
            *ran("c", 0.1),  # at 0.7 s
            events.NodeStarted("r", "sampler"),
            events.NodeProgress("r", "sampler", 3, 20),  # at 5 s
            events.NodeProgress("r", "sampler", 8, 20),  # at 11 s
            events.NodeFinished("r", "sampler", "run", 12.25),  # at 12 s
        ):
            subscriber(event)
    assert console.file.getvalue().splitlines() == [
        "[2/4] b[0]: 0.5 s",
        "[3/4] sampler: step 8 of 20",
        "[4/4] sampler: 12.2 s",
    ]


def test_several_runs_have_one_progress():
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    state = RunState(runs=4)
    with progress(console, shown=True, runs=4) as subscriber:
        for event in (
            *(events.RunStarted("r1", 2, 2), *ran("a", 0.1), *ran("b", 0.1)),
            *(
                events.RunStarted("r2", 2, 1),
                events.NodeStarted("r2", "b"),
                events.NodeProgress("r2", "b", 1, 2),
            ),
        ):
            subscriber(event)
            state.note(event)
    assert (state.place, state.overall) == ("run 2 of 4", 1.5)
    assert "run 2 of 4, 0/1 nodes" in console.file.getvalue()


def test_lines_say_which_run_it_is(monkeypatch):
    now = iter([0.0, 1.0, 2.0])
    monkeypatch.setattr("time.monotonic", lambda: next(now))
    console = Console(file=io.StringIO(), width=100)
    with progress(console, shown=True, runs=3) as subscriber:
        for run in ("r1", "r2"):
            for event in (events.RunStarted(run, 2, 2), *ran("a", 0.5)):
                subscriber(event)
    assert console.file.getvalue().splitlines() == [
        "[run 1 of 3, 1/2] a: 0.5 s",
        "[run 2 of 3, 1/2] a: 0.5 s",
    ]


def ran(node, seconds):
    return events.NodeStarted("r", node), events.NodeFinished("r", node, "run", seconds)


def painted(path, colour, size=(40, 30)):
    Image.new("RGB", size, colour).save(path)
    return path


def test_a_sheet_shows_pictures_row_by_row_without_overwriting(tmp_path):
    colours = enumerate(["red", "green", "blue"])
    cells = [(f"cfg={n}", [painted(tmp_path / f"{n}.png", colour)]) for n, colour in colours]
    first, second = (save_contact_sheet(cells, 2, tmp_path, {}) for _ in range(2))
    assert [first.name, second.name] == ["grid_00001.png", "grid_00002.png"]
    with Image.open(first) as picture:
        sheet = picture.copy()
    colours = {sheet.getpixel((x, y)) for x in (20, 70) for y in (20, 80)}
    assert {(255, 0, 0), (0, 128, 0), (0, 0, 255)} < colours
    label = sheet.crop((8, 38, 48, 60)).getcolors()
    assert len(label) > 1


def test_a_sheet_needs_readable_pictures(tmp_path):
    with pytest.raises(UsageError, match="no picture"):
        save_contact_sheet([("a", [])], 1, tmp_path, {})
    (tmp_path / "text.png").write_text("not a picture")
    with pytest.raises(UsageError, match=r"text\.png cannot be put into the grid"):
        save_contact_sheet([("a", [tmp_path / "text.png"])], 1, tmp_path, {})


@pytest.mark.parametrize(
    ("lengths", "columns"), [([4], 3), ([2], 2), ([3, 5], 5), ([3, 1], 3), ([12], 6), ([], 1)]
)
def test_a_second_setting_runs_across(lengths, columns):
    assert sheet_columns(lengths) == columns
