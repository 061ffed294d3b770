/** How far a model is on its way. */
export interface LoadProgress {
  /**
   * `download`: files come from the Hugging Face Hub into the cache on disk, which happens in Node alone. `weights`: weights come to
   * the device, from the disk or, in a browser, over the network.
   */
  readonly stage: "download" | "weights";
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/** What can be said of a fetch or a load that may take long. */
export interface Watch {
  /** Ends the work where it is; its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
  /** Is told how far the work is, after each piece. */
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
}
