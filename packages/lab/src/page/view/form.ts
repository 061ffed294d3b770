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
      ${select("Concept", {
        options: (facts?.concepts ?? [settings.concept]).map((name) => ({ value: name })),
        value: settings.concept,
        choose: (concept) => actions.choose({ concept }),
        hint: "What the model is to forget.",
        disabled: !facts,
      })}
      ${select("Method", {
        options: methods.map(({ name, title }) => ({ value: name, title })),
        value: settings.method,
        choose: (method) => actions.choose({ method: method as Settings["method"] }),
        hint: methods.find(({ name }) => name === settings.method)!.source,
      })}
      ${number("Learning rate", {
        value: settings.rate,
        usual: facts?.rate.toExponential(),
        step: "any",
        choose: (rate) => actions.choose({ rate }),
        hint: "Empty: the rate on record for this model, or the published one.",
      })}
      ${number("Epochs", {
        value: settings.epochs,
        usual: facts?.epochs.toString(),
        step: "1",
        choose: (epochs) => actions.choose({ epochs }),
        hint: facts?.steps ? `On record: ${facts.steps} steps.` : "Passes over the texts about the concept.",
      })}
      ${select("Breadth", {
        options: presets.map(({ name, targetQuestions, unrelatedQuestions }) => ({
          value: name,
          title: `${name}: ${targetQuestions} + ${unrelatedQuestions} questions`,
        })),
        value: settings.preset,
        choose: (preset) => actions.choose({ preset: preset as Settings["preset"] }),
        hint: "How many questions are asked, as on the command line.",
      })}
      ${boxes("Controls beside it", "controls", settings, catalogue.controls, actions, "What returns in a control too says nothing about unlearning.")}
      ${boxes("Studies", "studies", settings, catalogue.studies, actions, "The restoration is drawn on this page; the report has them all.")}
    </fieldset>
    <p class="go">
      <button class="main" ?disabled=${!state.gpu || (!facts && !running)}>${running ? "Stop" : "Unlearn and measure"}</button>
      <span class="quiet">${adapterLine(state)}</span>
    </p>
  </form>`;
}

function adapterLine({ gpu, adapter, settings, facts, read, problem }: State): string {
  if (!gpu || settings.model === "") return "";
  if (!facts && !problem) return read ? `Reading the model: ${(read / 1e6).toFixed(0)} MB` : "Reading the model …";
  return adapter ? `On ${adapter}, in this tab alone.` : "";
}

function modelField({ models }: Catalogue, { model }: Settings, actions: Actions): TemplateResult {
  const chosen = models.includes(model) || model === DROPPED ? model : NAMED;
  const drop = ({ target }: Event) => actions.drop(chosenFiles(target as HTMLInputElement));
  // A name is not drawn over while it is typed, as it would be by `live`: the page is drawn for other reasons too.
  const named = (id: string, hintId: string) =>
    html`<input id=${id} aria-describedby=${hintId} type="text" spellcheck="false" placeholder="HuggingFaceTB/SmolLM2-135M-Instruct"
      .value=${model} @change=${(event: Event) => actions.choose({ model: typedIn(event).trim() })}>`;
  const folder = (id: string, hintId: string) =>
    html`<input id=${id} aria-describedby=${hintId} type="file" webkitdirectory @change=${drop}>`;
  return html`${select("Model", {
    options: [
      ...models.map((name) => ({ value: name })),
      { value: NAMED, title: "from the Hugging Face Hub, or a URL …" },
      { value: DROPPED, title: "files of yours …" },
    ],
    value: chosen,
    choose: (value) => actions.choose({ model: value === NAMED ? "" : value }),
    hint: "Of 0.8 million parameters, or any LLaMA or OLMo that fits the adapter.",
  })}
  ${chosen === NAMED ? field("Name or URL", named, "org/name, or the URL of a directory in Hugging Face's format.") : nothing}
  ${chosen === DROPPED ? field("Folder", folder, "config.json, tokenizer.json and the weights. It can also be dropped anywhere on this page.") : nothing}`;
}

interface Field<T> {
  readonly value: T;
  readonly choose: (value: T) => void;
  readonly hint: string;
}

interface Select extends Field<string> {
  readonly options: readonly { readonly value: string; readonly title?: string }[];
  readonly disabled?: boolean;
}

function select(label: string, { options, value, choose, hint, disabled = false }: Select): TemplateResult {
  const control = (id: string, hintId: string) => html`<select id=${id} aria-describedby=${hintId} .value=${live(value)}
    ?disabled=${disabled} @change=${(event: Event) => choose(typedIn(event))}>
    ${options.map((option) => html`<option value=${option.value} ?selected=${option.value === value}>${option.title ?? option.value}</option>`)}
  </select>`;
  return field(label, control, hint);
}

interface NumberField extends Field<number | undefined> {
  /** What is taken where nothing is typed. */
  readonly usual: string | undefined;
  readonly step: "any" | "1";
}

function number(label: string, { value, usual = "", step, choose, hint }: NumberField): TemplateResult {
  const take = ({ target }: Event) => {
    const input = target as HTMLInputElement;
    const { valueAsNumber } = input;
    // What is no positive number is none, and is not left standing there.
    const taken = valueAsNumber > 0 ? valueAsNumber : undefined;
    input.value = taken?.toString() ?? "";
    choose(taken);
  };
  const control = (
    id: string,
    hintId: string,
  ) => html`<input id=${id} aria-describedby=${hintId} type="number" step=${step}
    min=${step === "1" ? 1 : 0} inputmode=${step === "1" ? "numeric" : "decimal"} .value=${value?.toString() ?? ""} placeholder=${usual} @change=${take}>`;
  return field(label, control, hint);
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
