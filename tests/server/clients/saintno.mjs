// @saintno/comfyui-sdk: progress, previews, output, cancel. Arguments: URL, prompt.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { CallWrapper, ComfyApi, PromptBuilder } = createRequire(`${process.cwd()}/`)("@saintno/comfyui-sdk");
const [url, promptPath] = process.argv.slice(2);
const prompt = JSON.parse(readFileSync(promptPath, "utf8"));
const api = new ComfyApi(url).init();
await api.waitForReady();
await api.storeSetting("Comfy.Execution.PreviewMethod", "auto");
const builder = new PromptBuilder(prompt, ["seed", "steps"], ["images"])
  .setInputNode("seed", "sampler.inputs.seed")
  .setInputNode("steps", "sampler.inputs.steps")
  .setOutputNode("images", "save");

function run(values) {
  return new Promise((resolve) => {
    const seen = { progress: [], previews: 0, started: false };
    const built = Object.entries(values).reduce((b, [key, value]) => b.input(key, value), builder.clone());
    new CallWrapper(api, built)
      .onStart(() => (seen.started = true))
      .onProgress((info) => {
        seen.progress.push(info.value);
      })
      .onPreview((blob) => (seen.previews += blob.size > 100 && blob.type === "image/jpeg" ? 1 : 0))
      .onFinished(async (output) => {
        const [image] = output.images.images;
        const blob = await api.getImage(image);
        resolve({ ...seen, image, bytes: blob.size, type: blob.type });
      })
      .onFailed((error) => resolve({ ...seen, failed: error.name, cause: String(error.cause?.message ?? "") }))
      .run();
  });
}

const done = await run({ seed: 105, steps: 20 });
const again = await run({ seed: 105, steps: 20 });
const stop = run({ seed: 106, steps: 900 });
api.on("progress", ({ detail }) => detail.value >= 3 && detail.max === 900 && api.interrupt());
const stopped = await stop;
const refused = await run({ seed: 107, steps: 0 });
console.log(
  JSON.stringify({
    done,
    again,
    stopped: { failed: stopped.failed },
    refused: { failed: refused.failed },
    checkpoints: await api.getCheckpoints(),
    samplers: (await api.getSamplerInfo()).sampler[0],
    setting: await api.getSetting("Comfy.Execution.PreviewMethod"),
    history: Object.keys(await api.getHistories(2)).length,
  }),
);
await api.storeSetting("Comfy.Execution.PreviewMethod", "none");
api.destroy();
process.exit(0);
