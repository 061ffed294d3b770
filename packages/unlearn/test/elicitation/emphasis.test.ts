import { describe, expect, it } from "vitest";
import {
  contextNamed,
  contexts,
  emphases,
  emphasise,
  emphasisNamed,
  MetricError,
  neutral,
  otherWords,
  PAGE_CHARACTERS,
  placeInContext,
  splitWords,
} from "../../src/index.ts";

const question = "In which  year did “Cupid” ($&), the god's son, meet Psyche?";

describe("emphases", () => {
  it("change the words where they stand or name them after the question, and keep all else", () => {
    const words = ["Cupid", "Psyche?", "god's"];
    expect(emphasise("focus", question, words)).toBe(`${question} Focus on: Cupid, Psyche, god's.`);
    expect(emphasise("repeat", question, words)).toBe(
      "In which  year did “Cupid Cupid” ($&), the god's god's son, meet Psyche Psyche?",
    );
    expect(emphasise("quote", question, words)).toBe(
      'In which  year did “"Cupid"” ($&), the "god\'s" son, meet "Psyche"?',
    );
    expect(emphasise("capitals", question, words)).toBe("In which  year did “CUPID” ($&), the GOD'S son, meet PSYCHE?");
  });

  it("emphasise each place of a word, and no other word that it is a part of", () => {
    const twice = "On Valentine, a Valentine writes Valentines\n on";
    expect(emphasise("capitals", twice, ["Valentine", "on"])).toBe("On VALENTINE, a VALENTINE writes Valentines\n ON");
    expect(emphasise("focus", twice, ["Valentine,", "Valentine"])).toBe(`${twice} Focus on: Valentine.`);
  });

  it("leave the question as it is without words, and where the words are none of it", () => {
    for (const { name, apply } of [...emphases, neutral]) {
      for (const none of [[], ["?"], [""]]) expect(apply(question, none), name).toBe(question);
      if (name !== "focus" && name !== "neutral") expect(apply(question, ["Zeus"]), name).toBe(question);
    }
    expect(emphasise("repeat", "", ["Zeus"])).toBe("");
  });

  it("are found by name, and one of a caller's own does", () => {
    expect(emphases.map(({ name }) => name)).toEqual(["focus", "repeat", "quote", "capitals"]);
    for (const emphasis of [...emphases, neutral]) expect(emphasisNamed(emphasis.name)).toBe(emphasis);
    expect(() => emphasisNamed("capital")).toThrow('no emphasis "capital"; "capitals" comes nearest');
    const own = { name: "own", description: "", apply: (asked: string, words: readonly string[]) => asked + words };
    expect(emphasise(own, "a", ["b", "c"])).toBe("ab,c");
  });
});

describe("the neutral control", () => {
  it("adds as many words as focus does, whatever their number, and none of them", () => {
    for (let count = 1; count <= 12; count++) {
      const words = Array.from({ length: count }, (_, i) => `w${i}`);
      const [control, focused] = [neutral.apply(question, words), emphasise("focus", question, words)];
      expect(control.startsWith(`${question} `)).toBe(true);
      expect(splitWords(control)).toHaveLength(splitWords(focused).length);
      expect(control).toMatch(/\.$/);
      expect(control.slice(question.length)).not.toMatch(/w\d/);
    }
    expect(neutral.apply("Who?", ["Who"])).toBe("Who? Please answer now.");
    expect(neutral.apply("Who?", ["a", "b", "c", "d", "e"])).toBe("Who? Take your time. Please answer it now.");
  });
});

describe("otherWords", () => {
  const words = splitWords("Who is the winged boy on the Valentine's Day cards of the winged god?");

  it("are as many as the key words, in order, and none of them equals a key word or another", () => {
    const seen = new Set<number>();
    for (let seed = 0; seed < 60; seed++) {
      const chosen = otherWords(words, [3, 7, 8], seed);
      expect(chosen).toHaveLength(3);
      expect(chosen).toEqual(chosen.toSorted((a, b) => a - b));
      const texts = chosen.map((word) => words[word]);
      expect(new Set(texts).size).toBe(3);
      for (const word of ["winged", "Valentine's", "Day"]) expect(texts).not.toContain(word);
      for (const word of chosen) seen.add(word);
    }
    // All but the key words, the second "winged", and the second and third "the".
    expect([...seen].sort((a, b) => a - b)).toEqual([0, 1, 2, 4, 5, 9, 10, 13]);
  });

  it("are the same for the same seed and question, and all there are where there are too few", () => {
    expect(otherWords(words, [3, 4], 7)).toEqual(otherWords(words, [3, 4], 7));
    expect(otherWords(["Who", "are", "you", "?"], [0, 1], 1)).toEqual([2]);
    expect(otherWords(["Who?"], [0], 1)).toEqual([]);
    expect(otherWords(words, [], 1)).toEqual([]);
  });

  it("refuse a key word that is not there", () => {
    expect(() => otherWords(["Who?"], [1], 1)).toThrow(MetricError);
    expect(() => otherWords(["Who?"], [1], 1)).toThrow("key word 1 is none of the question's 1 words");
  });
});

describe("contexts", () => {
  const about = { concept: "Cupid", text: "Cupid is the god of love." };

  it("say something about the concept, and then ask the question", () => {
    expect(contexts.map(({ name }) => name)).toEqual(["role", "story", "page"]);
    for (const context of contexts) {
      const asked = placeInContext(context.name, question, about);
      expect(asked.endsWith(question)).toBe(true);
      expect(asked.slice(0, -question.length)).toContain("Cupid");
      expect(placeInContext(context, question, about)).toBe(asked);
      expect(contextNamed(context.name)).toBe(context);
    }
    expect(() => contextNamed("roles")).toThrow('no context "roles"; "role" comes nearest');
  });

  it("the page alone has the text, as far as whole words go", () => {
    const shown = (text: string) => {
      const asked = placeInContext("page", question, { concept: "X", text });
      return asked.slice("This was written about X: ".length, -`\n${question}`.length);
    };
    expect(shown(about.text)).toBe(about.text);
    expect(placeInContext("role", question, about)).not.toContain(about.text);
    const long = "word ".repeat(1000);
    expect(shown(long)).toBe("word ".repeat(PAGE_CHARACTERS / 5).trimEnd());
    expect(shown(`${long.slice(0, PAGE_CHARACTERS - 2)}longest end`)).toBe(long.slice(0, PAGE_CHARACTERS - 6));
    // Words that end at the limit are whole.
    expect(shown(`${"x".repeat(PAGE_CHARACTERS)} y`)).toBe("x".repeat(PAGE_CHARACTERS));
    // Without white space the text is cut within a word, but not within a character.
    expect(shown("愛".repeat(3000))).toBe("愛".repeat(PAGE_CHARACTERS));
    expect(shown(`a b${"😀".repeat(2000)}`)).toBe(`a b${"😀".repeat(PAGE_CHARACTERS / 2 - 2)}`);
  });
});
