import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { html, trusted } from "../../src/report/html.ts";

describe("the template", () => {
  it("escapes what is inserted, in text and in attributes", () => {
    const evil = `"><script>alert('x')</script>&amp;`;
    expect(html`<a title="${evil}">${evil}</a>`.text).toBe(
      '<a title="&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;amp;">' +
        "&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;amp;</a>",
    );
  });

  it("takes templates and lists of them as they are", () => {
    const items = ["a", "<b>"].map((name) => html`<li>${name}</li>`);
    expect(html`<ul>${items}</ul>${trusted("<hr>")}${3}`.text).toBe("<ul><li>a</li><li>&lt;b&gt;</li></ul><hr>3");
  });

  it("lets no markup through", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 20 }), (text) => {
        expect(html`${text}`.text).not.toMatch(/[<>"']/);
        expect(html`${[text, [text]]}`.text).not.toMatch(/[<>"']/);
      }),
    );
  });
});
