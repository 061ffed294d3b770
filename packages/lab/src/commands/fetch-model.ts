import { modelDirectory } from "@lethe/decoder";
import { type ProgressDisplay, showProgress } from "./progress.ts";

/**
 * Downloads a model of the Hugging Face Hub into the cache, and shows how far it is. A directory, and a model that is in the cache, are
 * left alone.
 * @param place a directory, or a model's name on the Hub
 * @throws {ModelError} when there is no such directory or model
 */
export async function fetchModel(place: string, stream: NodeJS.WriteStream): Promise<void> {
  let display: ProgressDisplay | undefined;
  try {
    await modelDirectory(place, {
      onProgress({ doneBytes, totalBytes }) {
        display ??= showProgress(stream, totalBytes);
        display.update(doneBytes, `fetching ${place}`, `${megabytes(doneBytes)} of ${megabytes(totalBytes)} MB`);
      },
    });
  } finally {
    display?.stop();
  }
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
