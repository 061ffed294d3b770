import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

/** Debian's Chromium, or the one that CHROMIUM names. */
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** Whether there is a browser, and why tests are skipped where there is none: for their titles. */
export const there = existsSync(executablePath);
export const whySkipped = there ? "" : ` (skipped: no browser at ${executablePath})`;

/** @param more switches of Chromium */
export function launch(...more: string[]): Promise<Browser> {
  // A container's root has no sandbox.
  return chromium.launch({ executablePath, args: ["--no-sandbox", ...more] });
}
