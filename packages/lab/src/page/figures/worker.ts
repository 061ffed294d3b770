import { expose } from "comlink";
import { drawLive } from "./live.ts";

// Figures are drawn in a Worker of their own: drawing holds up neither the page nor the experiment.
const figures = { draw: drawLive };
export type FigureWorker = typeof figures;

expose(figures);
