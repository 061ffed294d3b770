import { html, nothing, type TemplateResult } from "lit-html";
import { unsafeHTML } from "lit-html/directives/unsafe-html.js";

/** A figure that was drawn, with its caption; nothing where it is not there yet. */
export function figure(
  svg: string | undefined,
  caption?: string | TemplateResult,
  onClick?: (event: Event) => void,
): TemplateResult | typeof nothing {
  if (svg === undefined) return nothing;
  return html`<figure @click=${onClick ?? nothing}>${unsafeHTML(svg)}${caption ? html`<figcaption>${caption}</figcaption>` : nothing}</figure>`;
}
