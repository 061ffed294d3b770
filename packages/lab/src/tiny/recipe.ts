/** How a tiny model is trained from scratch. */
export interface PretrainingRecipe {
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  /** Epochs over which the learning rate rises; from there it follows a cosine down to `floor` of its peak. */
  readonly warmupEpochs: number;
  readonly floor: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Of matrices; norms do not decay. */
  readonly weightDecay: number;
  readonly clipNorm: number;
}
