import { html, nothing, type TemplateResult } from "lit-html";
import { live } from "lit-html/directives/live.js";
import { DROPPED } from "../bundled.ts";
import { chosenFiles } from "../dropped.ts";
import type { Catalogue, Choice } from "../laboratory/messages.ts";
import type { Settings } from "../settings.ts";
import type { Actions, State } from "../state.ts";

/** In the list of models: a name that the person types. */
const NAMED = "named";

/** What is unlearned, from what, and how. */
export function form(state: State, actions: Actions): TemplateResult {
  const { catalogue, settings, facts, run } = state;
  const { methods, presets } = catalogue;
  const running = run?.state === "running";
  const submit = (event: Event) => {
    event.preventDefault();
    if (running) actions.stop();
    else actions.start();
  };
  return html`<form @submit=${submit} aria-label="Experiment">
    <fieldset ?disabled=${running}>
      <legend class="hidden">What is unlearned, and how</legend>
      ${modelField(catalogue, settings, actions)}
      ${field(
        "Concept",
        (
          id,
          hintId,
        ) => html`<select id=${id} aria-describedby=${hintId} .value=${live(settings.concept)} ?disabled=${!facts} @change=${(event: Event) => actions.choose({ concept: typedIn(event) })}>
          ${(facts?.concepts ?? [settings.concept]).map((name) => html`<option value=${name} ?selected=${name === settings.concept}>${name}</option>`)}
        </select>`,
        "What the model is to forget.",
      )}
      ${field(
        "Method",
        (
          id,
          hintId,
        ) => html`<select id=${id} aria-describedby=${hintId} .value=${live(settings.method)} @change=${(event: Event) => actions.choose({ method: typedIn(event) as Settings["method"] })}>
          ${methods.map(({ name, title }) => html`<option value=${name} ?selected=${name === settings.method}>${title}</option>`)}
        </select>`,
        methods.find(({ name }) => name === settings.method)!.source,
      )}
      ${field(
        "Learning rate",
        (
          id,
          hintId,
        ) => html`<input id=${id} aria-describedby=${hintId} type="number" step="any" min="0" inputmode="decimal" .value=${live(settings.rate?.toString() ?? "")}
          placeholder=${facts?.rate.toExponential() ?? ""} @change=${(event: Event) => actions.choose({ rate: numberIn(event) })}>`,
        "Empty: the rate on record for this model, or the published one.",
      )}
      ${field(
        "Epochs",
        (
          id,
          hintId,
        ) => html`<input id=${id} aria-describedby=${hintId} type="number" step="1" min="1" inputmode="numeric" .value=${live(settings.epochs?.toString() ?? "")}
          placeholder=${facts?.epochs.toString() ?? ""} @change=${(event: Event) => actions.choose({ epochs: numberIn(event) })}>`,
        facts?.steps ? `On record: ${facts.steps} steps.` : "Passes over the texts about the concept.",
      )}
      ${field(
        "Breadth",
        (
          id,
          hintId,
        ) => html`<select id=${id} aria-describedby=${hintId} .value=${live(settings.preset)} @change=${(event: Event) => actions.choose({ preset: typedIn(event) as Settings["preset"] })}>
          ${presets.map(({ name, targetQuestions, unrelatedQuestions }) => html`<option value=${name} ?selected=${name === settings.preset}>${name}: ${targetQuestions} + ${unrelatedQuestions} questions</option>`)}
        </select>`,
        "How many questions are asked, as on the command line.",
      )}
      ${boxes("Controls beside it", "controls", settings, catalogue.controls, actions, "What returns in a control too says nothing about unlearning.")}
      ${boxes("Studies", "studies", settings, catalogue.studies, actions, "The restoration is drawn on this page; the report has them all.")}
    </fieldset>
    <p class="go">
      <button class="main" ?disabled=${!state.gpu || (!facts && !running)}>${running ? "Stop" : "Unlearn and measure"}</button>
      <span class="quiet">${adapterLine(state)}</span>
    </p>
  </form>`;
}

function adapterLine({ gpu, adapter, facts, read, problem }: State): string {
  if (!gpu) return "";
  if (!facts && !problem) return read ? `Reading the model: ${(read / 1e6).toFixed(0)} MB` : "Reading the model …";
  return adapter ? `On ${adapter}, in this tab alone.` : "";
}

function modelField({ models }: Catalogue, { model }: Settings, actions: Actions): TemplateResult {
  const chosen = models.includes(model) ? model : model === DROPPED ? DROPPED : NAMED;
  const choose = (event: Event) => {
    const value = typedIn(event);
    actions.choose({ model: value === NAMED ? "HuggingFaceTB/SmolLM2-135M-Instruct" : value });
  };
  const drop = ({ target }: Event) => actions.drop(chosenFiles(target as HTMLInputElement));
  return html`${field(
    "Model",
    (id, hintId) => html`<select id=${id} aria-describedby=${hintId} .value=${live(chosen)} @change=${choose}>
      ${models.map((name) => html`<option value=${name} ?selected=${name === chosen}>${name}</option>`)}
      <option value=${NAMED} ?selected=${chosen === NAMED}>from the Hugging Face Hub, or a URL …</option>
      <option value=${DROPPED} ?selected=${chosen === DROPPED}>files of yours …</option>
    </select>`,
    "Of 0.8 million parameters, or any LLaMA or OLMo that fits the adapter.",
  )}
  ${
    chosen === NAMED
      ? field(
          "Name or URL",
          (id, hintId) =>
            html`<input id=${id} aria-describedby=${hintId} type="text" spellcheck="false" .value=${live(model)} @change=${(event: Event) => actions.choose({ model: typedIn(event) })}>`,
          "org/name, or the URL of a directory in Hugging Face's format.",
        )
      : nothing
  }${
    chosen === DROPPED
      ? field(
          "Folder",
          (id, hintId) => html`<input id=${id} aria-describedby=${hintId} type="file" webkitdirectory @change=${drop}>`,
          "config.json, tokenizer.json and the weights. It can also be dropped anywhere on this page.",
        )
      : nothing
  }`;
}

/** A field with its label, and with a hint that is read after it. The control has the ids that tie it to both. */
function field(label: string, control: (id: string, hintId: string) => TemplateResult, hint: string): TemplateResult {
  const id = label.toLowerCase().replaceAll(" ", "-");
  const hintId = `${id}-hint`;
  return html`<div class="field"><label class="label" for=${id}>${label}</label>${control(id, hintId)}<span class="hint" id=${hintId}>${hint}</span></div>`;
}

function boxes<F extends "controls" | "studies">(
  legend: string,
  name: F,
  settings: Settings,
  known: readonly Choice[],
  actions: Actions,
  hint: string,
): TemplateResult {
  const chosen = settings[name] as readonly string[];
  const toggle = (one: string) => (event: Event) => {
    const on = (event.target as HTMLInputElement).checked;
    const next = known.map(({ name }) => name).filter((each) => (each === one ? on : chosen.includes(each)));
    actions.choose({ [name]: next });
  };
  return html`<fieldset class="boxes"><legend class="label">${legend}</legend>
    ${known.map(
      (one) =>
        html`<label title=${one.description || nothing}><input type="checkbox" .checked=${live(chosen.includes(one.name))} @change=${toggle(one.name)}>${one.title}</label>`,
    )}
    <span class="hint">${hint}</span>
  </fieldset>`;
}

function typedIn({ target }: Event): string {
  return (target as HTMLInputElement | HTMLSelectElement).value;
}

/** A number that was typed, `undefined` where there is none. */
function numberIn({ target }: Event): number | undefined {
  const { valueAsNumber } = target as HTMLInputElement;
  return Number.isFinite(valueAsNumber) && valueAsNumber > 0 ? valueAsNumber : undefined;
}
