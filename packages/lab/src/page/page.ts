import { proxy, type Remote, wrap } from "comlink";
import { render } from "lit-html";
import { DROPPED } from "./bundled.ts";
import { download } from "./download.ts";
import { droppedFiles, type Given } from "./dropped.ts";
import type { Drawn } from "./figures/live.ts";
import type { FigureWorker } from "./figures/worker.ts";
import type { LabEvent } from "./laboratory/messages.ts";
import type { LabWorker } from "./laboratory/worker.ts";
import { hashOf } from "./link.ts";
import { after, begun, type Run, unlearnedOf } from "./run.ts";
import type { Settings } from "./settings.ts";
import type { Actions, Restored, Saved, State } from "./state.ts";
import { view } from "./view/view.ts";

/** Milliseconds between two drawings of the figures at least: a step may take a few. */
const DRAW_EVERY = 400;

/** The page: its state, what a person can do with it, and the Workers that do the work. */
export class Page implements Actions {
  readonly #root: HTMLElement;
  readonly #laboratory: Remote<LabWorker>;
  readonly #figures: Remote<FigureWorker>;
  /** Set by {@link open}, which comes first. */
  #state!: State;
  #rendering = false;
  #drawing = false;
  #drawAgain = false;
  /** Counts what is asked, so that an answer that comes too late is dropped. */
  #asked = 0;
  #readingAsked = 0;

  constructor(root: HTMLElement) {
    this.#root = root;
    this.#laboratory = wrap(new Worker(new URL("./laboratory/worker.ts", import.meta.url), { type: "module" }));
    this.#figures = wrap(new Worker(new URL("./figures/worker.ts", import.meta.url), { type: "module" }));
    for (const method of ["start", "stop", "copyLink"] as const) this[method] = this[method].bind(this);
  }

  async open(): Promise<void> {
    const onRead = proxy((read: number) => this.#show({ read }));
    const catalogue = await this.#laboratory.start(document.baseURI.replace(/#.*/, ""), onRead);
    const settings = await this.#laboratory.settingsOf(location.hash);
    this.#state = { catalogue, settings, gpu: "gpu" in navigator, figures: {} };
    this.#show({});
    addEventListener("hashchange", () => void this.#follow());
    addEventListener("dragover", (event) => event.preventDefault());
    addEventListener("drop", (event) => {
      event.preventDefault();
      const { dataTransfer } = event;
      if (dataTransfer) void this.#trying(async () => this.drop(await droppedFiles(dataTransfer)));
    });
    if (!this.#state.gpu) return;
    this.#settle(settings);
    await this.#trying(async () => this.#show({ adapter: await this.#laboratory.adapter() }));
  }

  choose(change: { readonly [Field in keyof Settings]?: Settings[Field] | undefined }): void {
    this.#settle({ ...this.#state.settings, ...change } as Settings);
    history.replaceState(null, "", `#${this.#hash}`);
  }

  drop(given: Given): void {
    if (given.files.length === 0) return;
    void this.#trying(async () => {
      await this.#laboratory.drop(given);
      this.choose({ model: DROPPED });
    });
  }

  start(): void {
    const { settings, facts } = this.#state;
    // The key Enter in a field sends the form, when the button may not have been drawn since the model changed.
    if (!facts) return;
    this.#show({ run: begun, figures: {}, reading: undefined, problem: undefined, notice: undefined });
    void this.#trying(async () => {
      try {
        await this.#laboratory.run(
          settings,
          proxy((event: LabEvent) => this.#hear(event)),
        );
        this.#end("finished");
      } catch (error) {
        this.#end("stopped");
        if ((error as Error).message !== "Stopped.") throw error;
      }
    });
  }

  stop(): void {
    void this.#laboratory.stop();
  }

  read(question: string, restored: Restored | undefined): void {
    const cell = unlearnedOf(this.#state.run!)!.id;
    const asked = ++this.#readingAsked;
    this.#show({ reading: { question, restored, tokens: [], busy: "answer" } });
    void this.#reading(asked, () =>
      this.#laboratory.inspect(
        { cell, question, restored },
        proxy((token) => {
          const { reading } = this.#state;
          if (asked === this.#readingAsked && reading)
            this.#show({ reading: { ...reading, tokens: [...reading.tokens, token] } });
        }),
      ),
    );
    document.getElementById("reading")?.scrollIntoView({ block: "nearest", behavior: "smooth" });
  }

  weigh(question: string): void {
    const cell = unlearnedOf(this.#state.run!)!.id;
    const { reading } = this.#state;
    const asked = ++this.#readingAsked;
    const kept = reading?.question === question ? reading : { question, tokens: [] };
    this.#show({ reading: { ...kept, busy: "words" } });
    void this.#reading(asked, async () => {
      const words = await this.#laboratory.attribute(cell, question);
      if (asked === this.#readingAsked) this.#show({ reading: { ...this.#state.reading!, words } });
    });
  }

  save(what: Saved): void {
    this.#show({ saving: what });
    void this.#trying(async () => {
      try {
        const { id } = unlearnedOf(this.#state.run!)!;
        if (what === "report") download(await this.#laboratory.report(), "report.html");
        else if (what === "results") download(await this.#laboratory.results(), `${id}.zip`);
        else download(await this.#laboratory.checkpoint(id), `${id}-checkpoint.zip`);
      } finally {
        this.#show({ saving: undefined });
      }
    });
  }

  copyLink(): void {
    const link = new URL(`#${this.#hash}`, location.href).href;
    history.replaceState(null, "", link);
    void navigator.clipboard.writeText(link).then(
      () => this.#show({ notice: "copied" }),
      () => this.#show({ notice: "The browser does not let this page copy. The link is in the address bar." }),
    );
  }

  /** The hash of the settings as they are now. */
  get #hash(): string {
    return hashOf(this.#state.settings, this.#state.catalogue.usual);
  }

  /** Takes the settings of the address, where another one was opened in this tab. */
  async #follow(): Promise<void> {
    if (location.hash.slice(1) !== this.#hash) this.#settle(await this.#laboratory.settingsOf(location.hash));
  }

  /** Takes settings as they are now, and reads what can be chosen for their model. */
  #settle(settings: Settings): void {
    const before = this.#state.settings;
    const other = settings.model !== before.model || settings.model === DROPPED;
    this.#show({
      settings,
      ...(other && { facts: undefined, read: undefined }),
      problem: undefined,
      notice: undefined,
    });
    const asked = ++this.#asked;
    // A model that is to be named has no name yet.
    if (!this.#state.gpu || settings.model === "") return;
    void this.#trying(async () => {
      try {
        const facts = await this.#laboratory.describe(settings.model, settings.preset, settings.method);
        if (asked !== this.#asked) return;
        this.#show({ facts });
        if (!facts.concepts.includes(settings.concept)) this.choose({ concept: facts.concepts[0] });
      } catch (error) {
        if (asked === this.#asked) throw error;
      }
    });
  }

  #hear(event: LabEvent): void {
    this.#show({ run: after(this.#state.run!, event) });
    if (event.kind === "live") this.#draw();
  }

  #end(state: Run["state"]): void {
    this.#show({ run: { ...this.#state.run!, state, ...(state === "finished" && { share: 1 }) } });
    this.#draw();
  }

  async #reading(asked: number, work: () => Promise<void>): Promise<void> {
    await this.#trying(work);
    const { reading } = this.#state;
    if (asked === this.#readingAsked && reading) this.#show({ reading: { ...reading, busy: undefined } });
  }

  /** Draws the figures in their Worker, and again when more has come meanwhile. */
  #draw(): void {
    if (this.#drawing) {
      this.#drawAgain = true;
      return;
    }
    const { run, facts } = this.#state;
    const cell = run && unlearnedOf(run);
    if (!cell || !facts) return;
    this.#drawing = true;
    this.#drawAgain = false;
    const controls = run.cells.filter(({ control }) => control);
    void this.#trying(async () => {
      const drawn: Drawn = { cell, controls, layers: facts.layers };
      await this.#figures.draw(
        drawn,
        proxy((name, svg) => {
          // One a frame, so that each is laid out by itself; and none of an experiment before.
          if (this.#state.run?.cells[0]?.id === run.cells[0]?.id)
            this.#show({ figures: { ...this.#state.figures, [name]: svg } });
        }),
      );
      await new Promise((resolve) => setTimeout(resolve, DRAW_EVERY));
    }).then(() => {
      this.#drawing = false;
      if (this.#drawAgain) this.#draw();
    });
  }

  /** Does something, and shows what went wrong. */
  async #trying(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#show({ problem: (error as Error).message });
    }
  }

  /** Changes the state; the page follows at the next frame. */
  #show(change: { readonly [Field in keyof State]?: State[Field] | undefined }): void {
    this.#state = { ...this.#state, ...change } as State;
    if (this.#rendering) return;
    this.#rendering = true;
    requestAnimationFrame(() => {
      this.#rendering = false;
      render(view(this.#state, this), this.#root);
    });
  }
}
