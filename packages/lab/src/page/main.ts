import { style } from "../report/style.ts";
import { Page } from "./page.ts";
import { pageStyle } from "./style.ts";

const sheet = document.createElement("style");
sheet.textContent = style + pageStyle;
document.head.append(sheet);

await new Page(document.getElementById("laboratory")!).open();
