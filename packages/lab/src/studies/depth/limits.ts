import { html } from "../../report/html.ts";

/** How Δ and the logit lens are to be read, and what they cannot show. */
export const limits = html`<p>Both models read the vanilla model's own answer. The measured model's residual stream replaces the vanilla model's after a layer, only
at the rows that predict the measured tokens; all other rows, and the layers that follow, stay the vanilla model's. After the last layer
nothing follows: there Δ is the difference that the logit lens reads.</p>
<ul>
<li><strong>What follows helps.</strong> After an early layer, the vanilla model still reads the question from its own rows and can find the answer again.
A small Δ there does not show that the knowledge is in the measured model's stream.</li>
<li><strong>Any damage counts.</strong> A broken model has a high Δ too. Compare with Δ on other questions, and with the controls.</li>
<li><strong>The tokens are our choice.</strong> The authors of the score marked the entity of each answer by hand. Here they are the tokens of the expected
answer's key words (those without stop words and without the words of the question), or all of the answer where it has none of them.</li>
<li><strong>A strange stream counts.</strong> The score needs a model that never learned the concept and is otherwise the vanilla model. One that was trained from
scratch may keep the same knowledge in other directions; then its Δ is large on every question.</li>
<li><strong>The lens is the vanilla model's.</strong> Final norm and unembedding are those of the vanilla model for both. It sees what the vanilla model's last
layer would read, and not what is written in another form.</li>
</ul>`;
