/** What is known of the concept that a question is about. */
export interface About {
  /** Its name. */
  readonly concept: string;
  /** Running text about it, such as {@link Concept.text}. */
  readonly text: string;
}

/**
 * Puts something before a question, in the place of an emphasis. A new context is a file in this folder and an entry in `list.ts`.
 *
 * ConceptVectors (Hong et al. 2024, arXiv 2406.11614) tries four: that the model knows everything about the concept, a grandmother who told of
 * it, the beginning of an encyclopedia's page, and the question in German. The first three are here, in wording of our own. The last needs
 * translated questions, which a caller can ask as questions of their own.
 */
export interface Context {
  /** For command lines and files. */
  readonly name: string;
  /** What it puts before the question, in a few words. */
  readonly description: string;
  /** The paper that describes it. */
  readonly source?: string;
  /** The question as it is asked then, in place of the question in the prompt. */
  apply(question: string, about: About): string;
}
