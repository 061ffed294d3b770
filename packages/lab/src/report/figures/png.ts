import { createRequire } from "node:module";
import { Resvg } from "@resvg/resvg-js";

/** Pixels of the picture for each of the figure's. */
const SCALE = 2;

const { resolve } = createRequire(import.meta.url);
/** The same fonts everywhere, so that a figure has the same picture on every machine. */
const FONTS = ["400Regular/Inter_400Regular.ttf", "600SemiBold/Inter_600SemiBold.ttf"].map((file) =>
  resolve(`@expo-google-fonts/inter/${file}`),
);

/**
 * A figure as a PNG picture, with light colours.
 * @param svg a figure that stands alone
 */
export function toPng(svg: string): Uint8Array {
  const font = { fontFiles: FONTS, loadSystemFonts: false, defaultFontFamily: "Inter", sansSerifFamily: "Inter" };
  return new Resvg(svg, { font, fitTo: { mode: "zoom", value: SCALE } }).render().asPng();
}
