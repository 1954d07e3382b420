// @stable-canvas/comfyui-client: workflow builder, events, routes. Arguments: host and port.
import { createRequire } from "node:module";

const require = createRequire(`${process.cwd()}/`); // the packages lie where the script is run
const { Client, Workflow } = require("@stable-canvas/comfyui-client");
const WebSocket = require("ws");
const client = new Client({ api_host: process.argv[2], WebSocket, fetch });
await client.connect();
const seen = new Set();
for (const type of ["status", "execution_start", "execution_cached", "executing", "progress", "executed"])
  client.on(type, () => seen.add(type));

function workflow(steps) {
  const built = new Workflow();
  const nodes = built.classes;
  const [model, clip, vae] = nodes.CheckpointLoaderSimple({ ckpt_name: "emoji-sd" });
  const text = (words) => nodes.CLIPTextEncode({ text: words, clip })[0];
  const [latent_image] = nodes.EmptyLatentImage({ width: 128, height: 128, batch_size: 1 });
  const [samples] = nodes.KSampler({
    seed: 108,
    steps,
    cfg: 2.5,
    sampler_name: "dpmpp_2m",
    scheduler: "normal",
    denoise: 1,
    model,
    positive: text("a cactus on a yellow background"),
    negative: text(""),
    latent_image,
  });
  const [images] = nodes.VAEDecode({ samples, vae });
  nodes.SaveImage({ filename_prefix: "canvas", images });
  return built;
}

const output = await workflow(20).invoke(client);
const picture = await fetch(output.images[0].data);
let refused = "";
try {
  await workflow(0).invoke(client);
} catch (error) {
  refused = String(error.message ?? error);
}
console.log(
  JSON.stringify({
    events: [...seen].sort(),
    type: picture.headers.get("content-type"),
    refused,
    checkpoints: await client.getSDModels(),
    queue: await client.getQueue(),
    history: (await client.getHistory(5)).History.length,
  }),
);
client.close();
process.exit(0);
