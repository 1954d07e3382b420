"""What somebody who knows the field looks for first, and would stumble over."""

from __future__ import annotations

import re
from typing import Any

from editing import Editor, Opens, template, workflow
from served import Served
from sight import look_at

LOADER = {"type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "emoji-sd"}}


def prompt(text: str) -> dict[str, object]:
    return {"type": "CLIPTextEncode", "inputs": {"text": text}, "links": {"clip": ["loader", "clip"]}}


def test_a_field_shown_outside_a_subgraph_holds_what_is_inside_until_it_is_changed(editor: Editor) -> None:
    editor.open(workflow({"loader": LOADER, "positive": prompt("a red apple")}))
    editor.select("positive")
    editor.press("Control+Shift+E")
    editor.card("subgraph").wait_for()
    editor.press("Shift+Enter")
    editor.menu("positive", "Show input text outside")
    editor.canvas.focus()
    editor.press("Escape", "Escape")
    field = editor.field("subgraph", "text")
    field.wait_for()
    assert field.input_value() == "a red apple"
    assert "text" not in editor.nodes()["subgraph"].get("inputs", {})
    field.fill("a pear")
    editor.canvas.focus()
    assert editor.nodes()["subgraph"]["inputs"] == {"text": "a pear"}


def text_to_image(**latent: int) -> tuple[dict[str, Any], str]:
    """The template with another size, and the id of its latent."""
    document = template()
    [id] = [id for id, node in document["nodes"].items() if node["type"] == "EmptyLatentImage"]
    document["nodes"][id]["inputs"] |= latent
    return document, id


def test_a_size_that_the_model_was_not_made_for_is_told_before_the_run_and_mended(editor: Editor) -> None:
    document, latent = text_to_image(width=512, height=512)
    document["nodes"]["sampler"]["inputs"]["cfg"] = 8
    editor.open(document)
    editor.button("Hints: 2").click()
    listed = editor.page.get_by_role("region", name="Issues")
    listed.get_by_text("the model makes pictures of 128×128").wait_for()
    listed.get_by_role("button", name="Use width 128, height 128").click()
    editor.until(lambda: editor.button("Hints: 1").count() == 1, "one hint less")
    sampler = editor.card("sampler")
    sampler.get_by_role("button", name="Use cfg 2.5").click()
    listed.wait_for(state="detached")
    assert editor.nodes()[latent]["inputs"]["width"] == 128
    assert editor.nodes()["sampler"]["inputs"]["cfg"] == 2.5


def test_a_node_that_is_not_wired_yet_keeps_nothing_else_from_running(editor: Editor) -> None:
    document, _ = text_to_image()
    document["nodes"]["spare"] = {"type": "VAEDecode", "ui": {"position": [40, 900]}}
    editor.open(document)
    editor.button("Issues: 2").wait_for()
    editor.run()
    editor.said("Run without what is not complete yet: VAE Decode (spare)")
    editor.done()
    [save] = [id for id, node in document["nodes"].items() if node["type"] == "SaveImage"]
    editor.picture(save).wait_for()
    editor.button("Issues: 2").wait_for()


def test_the_issues_fold_with_escape_and_with_a_press_elsewhere(editor: Editor) -> None:
    editor.open(workflow({"decode": {"type": "VAEDecode"}}))
    issues = editor.page.get_by_role("region", name="Issues")
    rows = issues.get_by_role("listitem")
    issues.get_by_role("button", name="Issues: 3").wait_for()
    editor.run()  # nothing can run, so the list says why
    rows.first.wait_for()
    assert "VAE Decode" in rows.first.inner_text()
    editor.press("Escape")
    assert rows.count() == 0
    issues.get_by_role("button", name="Issues: 3").click()
    rows.first.wait_for()
    editor.mouse.click(*editor.empty_place(0.5, 0.1))
    assert rows.count() == 0


def connect_new(editor: Editor, input: str, type: str) -> None:
    """From the keyboard, wire an input of the sampler to a new node."""
    before = editor.ids()
    editor.select("sampler")
    editor.press("Shift+C")
    editor.page.locator(".filter-list input").fill(f"{input} ← A new node")
    editor.press("Enter")
    editor.pick(type)
    editor.until(lambda: len(editor.ids()) == len(before) + 1, f"a card for {input}")
    editor.still()


def test_what_is_added_lies_on_nothing_however_it_is_added(editor: Editor) -> None:
    loader = {**LOADER, "ui": {"position": [80, 80]}}
    editor.open(workflow({"loader": loader, "sampler": {"type": "KSampler", "ui": {"position": [400, 80]}}}))
    connect_new(editor, "positive", "CLIP Text Encode")
    connect_new(editor, "negative", "CLIP Text Encode")
    connect_new(editor, "latent_image", "Empty Latent Image")
    editor.fit()
    assert look_at(editor.page).over == []
    editor.select("sampler")
    editor.press("Control+d")
    editor.select("loader", "sampler")
    editor.press("Control+c")
    editor.said("2 copied")
    editor.press("Control+v")
    panel = editor.panel("Nodes")
    panel.get_by_role("searchbox").fill("Load Checkpoint")
    for _ in range(2):
        panel.get_by_role("button", name="Add Load Checkpoint", exact=True).click()
    editor.until(lambda: len(editor.nodes()) == 10, "all cards")
    editor.panel("Nodes").get_by_role("button", name="Close").click()
    editor.fit()
    assert look_at(editor.page).over == []


def frame_around(editor: Editor, *ids: str) -> bool:
    """Whether the only frame holds all of these cards, and touches no other."""
    box = editor.page.locator(".frame").bounding_box()

    def inside(card: dict[str, float]) -> bool:
        across = box["x"] <= card["x"] and card["x"] + card["width"] <= box["x"] + box["width"]
        return across and box["y"] <= card["y"] and card["y"] + card["height"] <= box["y"] + box["height"]

    def apart(card: dict[str, float]) -> bool:
        beside = card["x"] + card["width"] <= box["x"] or box["x"] + box["width"] <= card["x"]
        return beside or card["y"] + card["height"] <= box["y"] or box["y"] + box["height"] <= card["y"]

    return all(
        inside(editor.card(id).bounding_box()) if id in ids else apart(editor.card(id).bounding_box())
        for id in editor.ids()
    )


def test_arrange_keeps_groups_together_and_leaves_room_for_pictures(editor: Editor) -> None:
    document, latent = text_to_image()
    [save] = [id for id, node in document["nodes"].items() if node["type"] == "SaveImage"]
    editor.open(document)
    editor.select("positive", "negative", latent)
    editor.press("Control+g")
    editor.page.locator(".frame").wait_for()
    editor.canvas.focus()
    editor.press("Escape", "Control+Shift+L")
    editor.fit()
    assert frame_around(editor, "positive", "negative", latent)
    place = editor.card("positive").bounding_box()["y"], editor.card("negative").bounding_box()["y"]
    assert place[0] < place[1] < editor.card(latent).bounding_box()["y"]
    editor.runs_to_the_end()
    editor.picture(save).wait_for()
    editor.fit()
    assert look_at(editor.page).over == [["@frame/frame", id] for id in ("positive", "negative", latent)]
    assert frame_around(editor, "positive", "negative", latent)


def test_a_frame_grows_with_what_its_cards_show(editor: Editor) -> None:
    document, _ = text_to_image()
    [save] = [id for id, node in document["nodes"].items() if node["type"] == "SaveImage"]
    editor.open(document)
    editor.select(save)
    editor.press("Control+g")
    frame = editor.page.locator(".frame")
    frame.wait_for()
    before = frame.bounding_box()["height"]
    editor.runs_to_the_end()
    editor.picture(save).wait_for()
    editor.until(lambda: frame.bounding_box()["height"] > before + 60, "a taller frame")
    assert frame_around(editor, save)


def test_file_and_run_stay_in_view_beside_many_tabs_which_a_list_names_in_full(editor: Editor) -> None:
    editor.page.set_viewport_size({"width": 1024, "height": 700})
    names = [f"A workflow with a rather long name, number {number}" for number in range(8)]
    for name in names:
        editor.open({**workflow({"number": {"type": "Integer"}}), "name": name})
    for word in ("File", "Run"):
        box = editor.page.get_by_role("button", name=re.compile(f"^{word}")).first.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 1024
    editor.button("All 8 open workflows").click()
    listed = editor.page.get_by_role("menu", name="All 8 open workflows")
    assert listed.get_by_role("menuitem").all_inner_texts() == [f"{name} •" for name in names]
    listed.get_by_role("menuitem", name=names[1]).click()
    current = editor.page.locator(".tab.active")
    assert names[1] in current.inner_text()
    assert current.bounding_box()["x"] >= 0


def test_the_head_of_a_panel_stays_when_its_content_scrolls(editor: Editor) -> None:
    panel = editor.panel("Nodes")
    panel.evaluate("(panel) => panel.scrollTo(0, 2000)")
    assert panel.get_by_role("heading", name="Nodes").is_visible()
    top = editor.page.get_by_role("banner").bounding_box()
    close = panel.get_by_role("button", name="Close").bounding_box()
    assert top["y"] + top["height"] <= close["y"] < 100


def test_the_two_formats_of_json_get_files_of_their_own(editor: Editor) -> None:
    editor.open(workflow({"number": {"type": "Integer"}}))
    names = []
    for entry in ("Export JSON", "Export for ComfyUI"):
        with editor.page.expect_download() as download:
            editor.file(entry)
        names.append(download.value.suggested_filename)
    assert names == ["test.json", "test.comfyui.json"]


def found(editor: Editor, words: str) -> list[str]:
    """The titles that a search gives."""
    editor.canvas.focus()
    editor.press("Tab")
    editor.page.locator(".filter-list input").fill(words)
    titles: list[str] = editor.page.locator(
        ".filter-list [role=option] > span:first-of-type"
    ).all_inner_texts()
    editor.press("Escape")
    return titles


def test_the_search_knows_the_words_of_the_trade_and_begins_with_what_is_used_daily(editor: Editor) -> None:
    editor.panel("Nodes").locator("summary").first.wait_for()  # the catalogue is there
    assert found(editor, "sampler")[0] == "KSampler"
    assert found(editor, "prompt")[0] == "CLIP Text Encode"
    assert found(editor, "ckpt")[0] == "Load Checkpoint"
    assert found(editor, "txt2img")[0] == "KSampler"
    assert found(editor, "")[0] == "Load Checkpoint"
    categories = editor.panel("Nodes").locator("summary").all_inner_texts()
    assert categories[0].split()[0] == "loaders"
    assert "advanced" not in " ".join(categories[: len(categories) // 2])


def test_replacing_tells_the_wires_that_would_go_and_an_issue_names_the_new_node(editor: Editor) -> None:
    document, _ = text_to_image()
    editor.open(document)
    editor.menu("sampler", "Replace…")
    options = editor.page.locator(".filter-list [role=option]")
    options.first.wait_for()
    assert "drops" not in options.first.inner_text()
    editor.page.locator(".filter-list input").fill("VAE Encode")
    assert "drops" in options.first.inner_text()
    options.first.click()
    issues = editor.page.get_by_role("region", name="Issues")
    issues.get_by_role("button").first.click()
    issues.get_by_role("listitem").filter(has_text="VAE Encode").first.wait_for()


def test_several_runs_with_fixed_seeds_are_told_and_made_to_differ(editor: Editor) -> None:
    document, _ = text_to_image()
    editor.open(document)
    same = editor.page.get_by_text("The seeds are fixed: all runs give the same.")
    assert same.count() == 0
    editor.page.get_by_label("Number of runs").fill("3")
    editor.press("Enter")
    same.wait_for()
    editor.button("Randomise").click()
    same.wait_for(state="detached")
    assert editor.nodes()["sampler"]["ui"]["seeds"] == {"seed": "randomise"}


def test_pasting_with_shift_keeps_the_links_to_what_was_not_copied(editor: Editor) -> None:
    editor.open(workflow({"loader": LOADER, "positive": prompt("a red apple")}))
    for keys, kept in (("Control+Shift+v", {"clip": ["loader", "clip"]}), ("Control+v", {})):
        before = editor.ids()
        editor.select("positive")
        editor.press("Control+c")
        editor.said("1 copied")
        editor.press(keys)
        editor.until(lambda before=before: len(editor.ids()) == len(before) + 1, "a copy")
        [copy] = editor.ids() - before
        assert editor.nodes()[copy].get("links", {}) == kept
    sheet = editor.panel("Shortcuts")
    for key in ("Ctrl+V", "Ctrl+Shift+V"):
        sheet.get_by_text(key, exact=True).wait_for()


def test_a_workflow_from_the_history_comes_with_its_pictures_which_tell_how_they_were_made(
    editor: Editor,
) -> None:
    document, _ = text_to_image()
    document["name"] = "Shown again"
    editor.open(document)
    editor.runs_to_the_end()
    editor.card("sampler").get_by_role("button", name="New random seed").click()
    editor.runs_to_the_end()
    job = editor.panel("History").locator("li.job", has_text="Shown again").first
    job.get_by_role("button", name="Open this workflow").click()
    editor.until(lambda: editor.page.locator(".tab").count() == 2, "a tab")
    panel = editor.panel("Results")
    panel.get_by_role("button", name=re.compile("^View ")).first.click()
    viewer = editor.page.get_by_role("dialog")
    made = viewer.get_by_label("Made with")
    for words in ("a red apple on a blue background", "seed", "cfg"):
        made.get_by_text(words, exact=True).wait_for()
    viewer.get_by_role("button", name="Compare", exact=True).click()
    viewer.get_by_role("group", name="Compare with").get_by_role("button").first.click()
    viewer.locator(".compare-side").first.wait_for()


def test_what_is_wholly_cached_can_be_shown(editor: Editor, opens: Opens, site: Served) -> None:
    document, _ = text_to_image()
    editor.open(document)
    editor.runs_to_the_end()
    other = opens(site.url)
    other.open(document)
    panel = other.panel("Results")
    panel.get_by_text("Everything is cached.").wait_for()
    panel.get_by_role("button", name="Show the results").click()
    panel.get_by_role("button", name=re.compile("^View ")).first.wait_for()
