import { defineConfig } from "vitest/config";

export default defineConfig({
  // The packages export their TypeScript under this condition, so tests run the source and not a stale build.
  resolve: { conditions: ["lethe-source"] },
  ssr: { resolve: { conditions: ["lethe-source"], externalConditions: ["lethe-source"] } },
  test: {
    include: ["packages/*/test/**/*.test.ts", "bench/**/*.test.ts", "parity/**/*.test.ts", "scripts/**/*.test.ts"],
    // No test reaches the Hugging Face Hub: one that means to has a server of its own.
    env: { HF_HUB_OFFLINE: "1" },
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
