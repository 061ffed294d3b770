// These functions run in the page: each must be whole, with nothing from outside.

/** Texts of a figure that lie on another one of it, or stick out of the figure. */
export function clashes(): string[] {
  const found: string[] = [];
  for (const svg of document.querySelectorAll("figure svg")) {
    const frame = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll("text")]
      .filter(({ textContent }) => textContent?.trim())
      .map((text) => ({ text: text.textContent!, box: text.getBoundingClientRect() }));
    for (const [i, { text, box }] of texts.entries()) {
      if (
        box.left < frame.left - 1 ||
        box.right > frame.right + 1 ||
        box.top < frame.top - 1 ||
        box.bottom > frame.bottom + 1
      )
        found.push(`${text} sticks out of its figure`);
      for (const other of texts.slice(i + 1)) {
        const across = Math.min(box.right, other.box.right) - Math.max(box.left, other.box.left);
        const down = Math.min(box.bottom, other.box.bottom) - Math.max(box.top, other.box.top);
        // The boxes hold room above and below the letters, so neighbouring lines touch.
        if (across > 1 && down > 0.3 * Math.min(box.height, other.box.height))
          found.push(`${text} lies on ${other.text}`);
      }
    }
  }
  return found;
}

/** The contrast of every text with what is behind it, by WCAG's formula. */
export function contrasts(): { text: string; ratio: number; drawn: boolean }[] {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true })!;
  const luminance = (color: string) => {
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    }) as [number, number, number];
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  /** The nearest background that is not transparent, the element's own or of one around it. */
  const behind = (element: Element): string => {
    const color = getComputedStyle(element).backgroundColor;
    return color === "rgba(0, 0, 0, 0)" && element.parentElement ? behind(element.parentElement) : color;
  };
  const elements = [...document.querySelectorAll("body *")].filter((element) =>
    [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent!.trim()),
  );
  return elements
    .filter((element) => !element.closest("metadata, style"))
    .map((element) => {
      const drawn = element instanceof SVGElement;
      const style = getComputedStyle(element);
      const own = luminance(drawn ? style.fill : style.color);
      const background = luminance(behind(element));
      const ratio = (Math.max(own, background) + 0.05) / (Math.min(own, background) + 0.05);
      return { text: element.textContent!.slice(0, 60), ratio, drawn };
    });
}
