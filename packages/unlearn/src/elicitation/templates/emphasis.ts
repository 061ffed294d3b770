/**
 * Asks a question again with some of its words emphasised. A new emphasis is a file in this folder and an entry in `list.ts`.
 *
 * unPact (arXiv 2509.24675) calls this FocusOnKey. The wording of its template is not known to us, so the wording of all of these is ours.
 */
export interface Emphasis {
  /** For command lines and files. */
  readonly name: string;
  /** What it does, in a few words. */
  readonly description: string;
  /** The paper that describes it. */
  readonly source?: string;
  /**
   * The question as it is asked then, in place of the question in the prompt. Only the prompt changes, never the weights.
   * @param words words of the question, without or with the punctuation that stands on them; none: the question stays as it is
   */
  apply(question: string, words: readonly string[]): string;
}
