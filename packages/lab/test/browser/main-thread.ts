import type { Browser, Page } from "playwright-core";

/** An event of Chromium's traces, as far as it is read. Times are in microseconds. */
interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** How long it lasted, and how long of that its thread was on a processor. */
  readonly dur?: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/**
 * The tasks of a page's main thread while something happens, in milliseconds of processor time. On a busy machine a task lasts longer than it
 * works, and how long depends on what else runs.
 */
export async function mainThreadTasks(browser: Browser, page: Page, during: () => Promise<void>): Promise<number[]> {
  await browser.startTracing(page, { categories: ["toplevel", "disabled-by-default-devtools.timeline"] });
  await during();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
  const main = traceEvents.filter(({ name, args }) => name === "thread_name" && args?.name === "CrRendererMain");
  const isMain = ({ pid, tid }: TraceEvent) => main.some((thread) => thread.pid === pid && thread.tid === tid);
  return traceEvents
    .filter((event) => event.name.endsWith("RunTask") && isMain(event) && event.tdur !== undefined)
    .map(({ tdur }) => tdur! / 1000);
}
