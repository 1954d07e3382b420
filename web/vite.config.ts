import react from "@vitejs/plugin-react";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const server = process.env.NODEGRAPH_SERVER ?? "http://127.0.0.1:8188";

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  // The server takes requests of its own pages alone, so the development server speaks in its name.
  server: {
    proxy: { "/api": { target: server, ws: true, changeOrigin: true, headers: { origin: server } } },
  },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
    // What most panels share comes in one file: each small one would be a request of the first load.
    rolldownOptions: {
      output: { codeSplitting: { groups: [{ name: "shared", test: /[\\/]src[\\/]/, minShareCount: 4 }] } },
    },
  },
  test: { include: ["src/**/*.test.{ts,tsx}"] },
});
