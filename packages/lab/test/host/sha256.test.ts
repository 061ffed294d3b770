import { integer } from "@lethe/testing/random";
import { expect, it } from "vitest";
import { sha256 as inBrowser } from "../../src/host/sha256.browser.ts";
import { sha256 as inNode } from "../../src/host/sha256.node.ts";
import { hex } from "../../src/host/sha256.ts";

const bytes = (count: number) => Uint8Array.from({ length: count }, () => integer(0, 255));

it("is the same in a browser and in Node, whatever the parts", () => {
  for (const parts of [
    [],
    ["abc"],
    ["Größe", "\u{1f600}\0"],
    [bytes(1), bytes(63), bytes(64), bytes(100_000)],
    ["a", bytes(55), "b"],
  ]) {
    const digests = [inBrowser(), inNode()].map((hash) => {
      for (const part of parts) hash.update(part);
      return hex(hash.digest());
    });
    expect(digests[0]).toBe(digests[1]);
  }
  // FIPS 180-2, appendix B.1
  expect(hex(inBrowser().update("abc").digest())).toBe(
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
});
