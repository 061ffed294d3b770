import { html, type TemplateResult } from "lit-html";

/** What to do where the browser has no WebGPU. */
export const noGpu: TemplateResult = html`<section class="warning" role="alert">
  <h2>This browser has no WebGPU</h2>
  <p>The models run on the graphics card through WebGPU, and it is not switched on here. What helps:</p>
  <ul>
    <li>Open this page over <code>https</code> or from <code>localhost</code>: elsewhere browsers hide WebGPU.</li>
    <li>Use a recent Chrome or Edge (113 or newer), Safari (26 or newer), or Firefox (141 or newer).</li>
    <li>On Linux, switch on <code>chrome://flags/#enable-unsafe-webgpu</code> in Chrome or Chromium.</li>
    <li>Without a graphics card, start Chrome or Chromium with
      <code>--enable-unsafe-webgpu --use-webgpu-adapter=swiftshader</code>. It is slow, and enough for the models that come with the page.</li>
    <li>Or do the same on a command line, which needs no graphics card: <code>npm run experiment</code>.</li>
  </ul>
</section>`;
