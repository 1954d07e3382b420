// comfy-ui-client: connect, upload, run, fetch. Arguments: host and port, prompt, picture.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { ComfyUIClient } = createRequire(`${process.cwd()}/`)("comfy-ui-client");
const [host, promptPath, picturePath] = process.argv.slice(2);
const prompt = JSON.parse(readFileSync(promptPath, "utf8"));
prompt.sampler.inputs.seed = 109;
const client = new ComfyUIClient(host, "comfy-ui-client-test");
await client.connect();
const uploaded = await client.uploadImage(readFileSync(picturePath), "node.png", true);
const images = await client.getImages(prompt);
let refused = "";
try {
  await client.queuePrompt({ ...prompt, sampler: { ...prompt.sampler, class_type: "NoSuchNode" } });
} catch (error) {
  refused = error.message;
}
await client.interrupt();
await client.disconnect();
const saved = images.save[0];
console.log(JSON.stringify({ uploaded, image: saved.image, bytes: saved.blob.size, refused }));
process.exit(0);
