import { existsSync, readFileSync } from "node:fs";
import { defineConfig } from "vitepress";

// `npm run docs` gathers the pages in docs/site, with the sidebar, and builds them from there.
const sidebar = new URL("../site/sidebar.json", import.meta.url);

export default defineConfig({
  title: "Lethe",
  description: "When a language model has been made to forget something, is the knowledge gone, or only out of reach?",
  srcDir: "site",
  outDir: "dist",
  cacheDir: "../node_modules/.vitepress",
  // After the build every link is checked, also those to files and to headings: scripts/docs/check-links.ts.
  ignoreDeadLinks: true,
  themeConfig: {
    sidebar: existsSync(sidebar) ? JSON.parse(readFileSync(sidebar, "utf8")) : [],
    outline: [2, 3],
    search: { provider: "local" },
  },
});
