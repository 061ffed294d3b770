import { html, nothing, type TemplateResult } from "lit-html";
import { styleMap } from "lit-html/directives/style-map.js";
import { unsafeHTML } from "lit-html/directives/unsafe-html.js";
import { heatMap } from "../../report/heat-map.ts";
import { score } from "../../report/tables.ts";
import type { Catalogue, InspectedToken, WordScores } from "../laboratory/messages.ts";
import type { CellState } from "../run.ts";
import type { Actions, Reading, Restored, State } from "../state.ts";

/** The answer to a question, token by token, and which of the question's words count. */
export function reading(state: State, cell: CellState, actions: Actions): TemplateResult {
  const { target, unrelated } = cell.vanilla!.answers;
  const now = state.reading;
  const question = now?.question ?? target[0]!.question;
  const known = [...target, ...unrelated].find((answer) => answer.question === question);
  const ask = (event: Event) => {
    event.preventDefault();
    const typed = new FormData(event.target as HTMLFormElement).get("question") as string;
    if (typed.trim()) actions.read(typed.trim(), now?.restored);
  };
  return html`<section aria-labelledby="reading">
    <h2 id="reading">Read an answer</h2>
    <form class="ask" @submit=${ask}>
      <label class="field"><span class="label">Question</span>
        <input name="question" list="questions" autocomplete="off" .value=${question}></label>
      <datalist id="questions">${[...target, ...unrelated].map(({ question }) => html`<option value=${question}></option>`)}</datalist>
      <button ?disabled=${now?.busy !== undefined}>${now?.restored ? `Ask with ${partOf(state.catalogue, now.restored)}` : "Ask"}</button>
      <button type="button" ?disabled=${now?.busy !== undefined} @click=${() => actions.read(question, undefined)}>Ask as it is</button>
      <button type="button" ?disabled=${now?.busy !== undefined} @click=${() => actions.weigh(question)}>Which words count?</button>
    </form>
    ${known ? html`<p class="quiet">Before unlearning: ${known.text}</p>` : nothing}
    <div aria-live="polite" aria-busy=${now?.busy ? "true" : "false"}>
      ${now && now.tokens.length > 0 ? answer(state.catalogue, now) : nothing}
      ${now?.busy === "words" ? html`<p class="quiet">Leaving out one word after the other …</p>` : nothing}
      ${now?.words ? words(now.words) : nothing}
    </div>
  </section>`;
}

/** “m restored around layer 6” */
function partOf({ restorations }: Catalogue, { setting, centre }: Restored): string {
  return `${restorations.find(({ name }) => name === setting)!.label} restored around layer ${centre}`;
}

function answer(catalogue: Catalogue, { tokens, restored, busy }: Reading): TemplateResult {
  const title = restored ? `With ${partOf(catalogue, restored)}` : "The unlearned model as it is";
  return html`<h3>${title}</h3>
    <p class="tokens">${tokens.map((token) => html`<span style=${styleMap({ background: shade(token.probability) })}>${visible(token)}</span>`)}${busy ? " …" : ""}</p>
    <div class="wide" role="region" aria-label=${`${title}, token by token`} tabindex="0"><table class="scores">
      <thead><tr><th scope="col">token</th><th scope="col" class="number">${restored ? "restored" : "probability"}</th>
        ${restored ? html`<th scope="col" class="number">as it is</th>` : nothing}<th scope="col" class="number">vanilla</th>
        <th scope="col">likeliest</th></tr></thead>
      <tbody>${tokens.map(
        (
          token,
        ) => html`<tr><th scope="row"><code>${visible(token)}</code></th><td class="number">${percent(token.probability)}</td>
        ${restored ? html`<td class="number">${percent(token.unlearned)}</td>` : nothing}<td class="number">${percent(token.vanilla)}</td>
        <td class="likeliest">${token.likeliest.map(({ text, probability }) => html`<span class="likely"><code>${text}</code> ${percent(probability)}</span> `)}</td></tr>`,
      )}</tbody>
    </table></div>
    <p class="quiet">Probabilities after the same beginning: with the restoration, in the unlearned model as it is, and in the vanilla model. Each token is
      the likeliest one. The vanilla model lends what is restored, and chooses no token.</p>`;
}

function shade(probability: number): string {
  return `color-mix(in srgb, var(--series-2) ${Math.round(45 * probability)}%, var(--background))`;
}

function visible({ text, stops }: InspectedToken): string {
  return stops ? " (end)" : text.replaceAll("\n", "↵");
}

function percent(share: number): string {
  return share >= 0.0005 ? `${(100 * share).toFixed(1)}%` : "<0.1%";
}

function words({ words, answer, vanilla, unlearned }: WordScores): TemplateResult {
  const row = (label: string, { contributions, logProb }: WordScores["vanilla"]) => ({
    label,
    words: words.map((text, i) => ({ text, value: contributions[i]!, marked: false })),
    note: `log-probability ${score(logProb)}`,
  });
  const map = heatMap(
    "What each word does for the answer",
    [row("vanilla", vanilla), row("unlearned", unlearned)],
    "nats",
    "",
  );
  return html`<h3>Which words count</h3>
    ${unsafeHTML(map.text)}
    <p class="quiet">How much of the log-probability of “${answer}” is lost when the word is left out (unPact). Blue: the word supports the answer; orange: it opposes
      it. Point at a word for its number.</p>`;
}
