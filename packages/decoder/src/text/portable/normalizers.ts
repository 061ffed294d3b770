import type { KnownNormalizer } from "../known-parts.ts";
import { nfc } from "./unicode.ts";

export function normalizerOf(part: KnownNormalizer): (text: string) => string {
  switch (part.type) {
    case "NFC":
      return nfc;
    case "Prepend":
      return (text) => (text ? part.prepend + text : text);
    case "Replace":
      return (text) => text.replaceAll(part.pattern.String, () => part.content);
    case "Sequence": {
      const all = part.normalizers.map(normalizerOf);
      return (text) => all.reduce((changed, normalize) => normalize(changed), text);
    }
  }
}
