import { expect, test } from "vitest";
import type { OutputView } from "@/api/client";
import { picturesOf, shownOf } from "./outputs";

const view = (part: object): OutputView => ({ kind: null, file: null, value: null, ...part }) as OutputView;
const file = (name: string, media_type: string) => view({ file: { name, media_type, url: `/${name}` } });

test("curves of one output share a chart, a histogram is bars", () => {
  const loss = view({
    kind: "series",
    value: { name: "loss", y: [3, null, 1], x: [0, 10, 20], x_label: "step" },
  });
  const bars = view({ kind: "series", value: { name: "red", y: [1, 2], style: "bars" } });
  expect(shownOf("curves", [loss, bars])).toEqual([
    {
      kind: "series",
      xLabel: "step",
      yLabel: "",
      lines: [
        { name: "loss", x: [0, 10, 20], y: [3, null, 1], bars: false },
        { name: "red", x: [0, 1], y: [1, 2], bars: true },
      ],
    },
  ]);
});

test("plain numbers in a row are a curve, two are not", () => {
  expect(shownOf("sigmas", [view({ value: [3, 2, 1] })])[0]).toMatchObject({ kind: "series" });
  expect(shownOf("size", [view({ value: [512, 512] })])).toEqual([{ kind: "text", text: "[512,512]" }]);
});

test("tables keep their rows and say how many there were", () => {
  const value = { name: "metrics", columns: ["fid"], rows: [[1.5]], total: 9 };
  expect(shownOf("t", [view({ kind: "table", value })])).toEqual([{ kind: "table", ...value }]);
});

test("text stays as it is, floats are short, a note tells what was not kept", () => {
  const shown = shownOf("v", [
    view({ value: "<b>x</b>" }),
    view({ value: 0.1 + 0.2 }),
    view({ note: "a Latent" }),
  ]);
  expect(shown.map((one) => one.kind === "text" && one.text)).toEqual(["<b>x</b>", "0.3", "a Latent"]);
});

test("pictures are found among the files, with the job that made them", () => {
  const outputs = { save: { files: [file("a.png", "image/png"), file("b.json", "application/json")] } };
  expect(picturesOf(outputs, "7")).toMatchObject([{ node: "save", job: "7", file: { name: "a.png" } }]);
});
