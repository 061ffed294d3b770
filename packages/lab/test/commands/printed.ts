import { Writable } from "node:stream";

/** Streams for a command that runs in this process, and what it printed into them. */
export function printed() {
  const texts = { out: "", err: "" };
  const stream = (name: keyof typeof texts) =>
    new Writable({
      write(chunk, _, done) {
        texts[name] += chunk;
        done();
      },
    }) as unknown as NodeJS.WriteStream;
  return { texts, streams: { stdout: stream("out"), stderr: stream("err") } };
}
